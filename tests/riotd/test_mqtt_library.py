"""What we rely on in mqttium and it does not promise. A failure here says what changed with its version."""

from types import SimpleNamespace

import mqttium
import pytest
from mqttium.api import AsyncClient

from riotd import config
from riotd.mqtt import terms
from riotd.mqtt.terms import Patience, Terms, new_client
from riotd.mqtt.wire import Wire
from tests.riotd.brokers import MOSQUITTO, Broker, Ears
from tests.riotd.mqtt_parties import collect, numbers, publish, source


async def test_connections_are_made_by_the_factory() -> None:
    """If mqttium no longer connects by `AsyncClient._transport_factory`, publications no longer pass it by."""
    assert hasattr(AsyncClient(), "_transport_factory"), f"mqttium {mqttium.__version__} has another way to connect"
    dialled = []

    async def dial(host: str, port: int, *, ssl: object = None) -> Wire:
        dialled.append((host, port, ssl))
        raise ConnectionRefusedError("as if nothing listened")

    connection = config.Connection(url="mqtt://nowhere")
    client = new_client(connection, client_id="test", password=None, terms=Terms(), patience=Patience(), dial=dial)
    client._reconnect.policy = None
    with pytest.raises(OSError, match="as if nothing listened"):
        await client.connect("nowhere", 1883)
    assert dialled == [("nowhere", 1883, None)]


def test_another_mqttium_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version without that is an error that says which is there and which to install."""
    monkeypatch.setattr(terms, "AsyncClient", lambda *_, **__: SimpleNamespace())
    with pytest.raises(RuntimeError, match=f"mqttium {mqttium.__version__} has no .* install that"):
        new_client(
            config.Connection(url="mqtt://nowhere"),
            client_id="test",
            password=None,
            terms=Terms(),
            patience=Patience(),
            dial=lambda: None,  # type: ignore[arg-type,return-value]
        )


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
async def test_no_publication_reaches_the_client(broker: Broker, ears: Ears) -> None:
    """What mqttium received or sent of them, it would acknowledge and number beside us."""
    async with source(broker, "n", qos=2) as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", range(5), qos=2)
        assert numbers(await collect(ours, 5)) == list(range(5))
        stats = ours._subscriber._link.client.stats()
        assert (stats.delivery.iterator_queued, stats.inbound.inflight) == (0, 0)
