"""Where a model goes, and who hears of it."""

import asyncio
from pathlib import Path

import aiomqtt
import pytest
from msgspec.structs import replace

from riot_tasks import models
from riot_tasks.models.registry import Registry
from riotd.errors import ConfigError, TransportError
from riotd.training.job import Announcement
from riotd.training.keeping import Announcer, keep, named, write
from tests.riotd.bounded.bounded_inputs import names
from tests.riotd.brokers import Broker, free_port

MODEL = models.LinearModel(
    format=models.FORMAT,
    version="city-MLR-1422748833323",
    features=["humidity"],
    target="airquality_raw",
    coefficients={"humidity": 0.5},
    intercept=3.0,
    metrics={"cv_rmse": 2.5},
)


async def _retained(broker: Broker, topic: str) -> bytes:
    """What the broker gives who subscribes now."""
    async with asyncio.timeout(20), aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe(topic)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            return message.payload
    raise AssertionError


def test_who_listens_hears_of_the_model(tmp_path: Path, broker: Broker) -> None:
    """Whoever comes later, too, as the notice is retained; with the digest of what is in the store."""
    registry = Registry(f"file://{tmp_path}/models")
    entry = keep(MODEL, registry, created=5.0)
    announcer = Announcer(Announcement(url=broker.url, topic="site1/models/{kind}/{target}", shadow=50))
    announcer.check()
    assert announcer.tell(registry, entry) == "site1/models/linear_regression/airquality_raw"
    notice = models.read_notice(asyncio.run(_retained(broker, "site1/models/linear_regression/airquality_raw")))
    assert (notice.model, notice.sha256, notice.shadow) == (entry.name, entry.sha256, 50)
    assert notice.metrics == MODEL.metrics


def test_a_broker_that_is_away_is_told() -> None:
    """With its URL, and why."""
    url = f"mqtt://127.0.0.1:{free_port()}"
    with pytest.raises(TransportError, match=f"{url}: .*refused"):
        Announcer(Announcement(url=url)).check()


def test_a_url_that_is_no_brokers_is_told() -> None:
    """As a mistake of the job."""
    with pytest.raises(ConfigError, match=r"announce\.url: a broker's URL is mqtt://"):
        Announcer(Announcement(url="http://broker"))


@pytest.mark.parametrize("topic", ["", "models/#", "models/{kinds}"])
def test_a_topic_that_is_none_is_told(topic: str) -> None:
    """Before the work."""
    with pytest.raises(ConfigError, match=r"announce\.topic: .* is no topic"):
        Announcer(Announcement(url="mqtt://broker", topic=topic))


def test_a_model_that_is_gone_is_not_announced(tmp_path: Path, broker: Broker) -> None:
    """Somebody has taken it away in between."""
    registry = Registry(f"file://{tmp_path}/models")
    entry = keep(MODEL, registry, created=5.0)
    (tmp_path / "models" / entry.name).unlink()
    with pytest.raises(TransportError, match="there is no model"):
        Announcer(Announcement(url=broker.url)).tell(registry, entry)


def test_versions_differ_where_models_do() -> None:
    """The same model has the same one, whenever it was made."""
    assert named(MODEL).version.startswith("city-MLR-1422748833323-")
    assert named(MODEL) == replace(named(replace(MODEL, created=7.0)), created=None)
    assert named(MODEL).version != named(replace(MODEL, intercept=3.1)).version


def test_a_model_is_written_whole(tmp_path: Path) -> None:
    """Or not at all; where it can't be, that is told with the path."""
    write(MODEL, tmp_path / "m.json")
    assert models.load(str(tmp_path / "m.json")) == MODEL
    assert names(tmp_path) == ["m.json"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(TransportError, match="folder can't be written"):
        write(MODEL, tmp_path / "folder")


def test_a_store_out_of_reach_is_told(tmp_path: Path) -> None:
    """A folder that is a file."""
    (tmp_path / "models").write_text("")
    with pytest.raises(TransportError, match="models"):
        keep(MODEL, Registry(f"file://{tmp_path}/models"), created=5.0)
