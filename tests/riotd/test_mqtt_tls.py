"""TLS towards a broker: trust, names, both sides' certificates, and the words for each mistake."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest
import trustme

from riotd.mqtt import Loop
from tests.riotd.brokers import MOSQUITTO, Broker, Ears
from tests.riotd.mqtt_parties import collect, numbers, publisher, source

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


class Pki:
    """An authority, a broker's certificate and a client's, as files."""

    def __init__(self, folder: Path, name: str = "localhost", *, expired: bool = False) -> None:
        self.authority = trustme.CA()
        ends = datetime.now(UTC) - timedelta(days=1) if expired else None
        self.ca = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca))
        self.server = self._issue(folder / "server", self.authority.issue_cert(name, not_after=ends))
        self.client = self._issue(folder / "client", self.authority.issue_cert("client@riotd.invalid"))

    @staticmethod
    def _issue(stem: Path, issued: trustme.LeafCert) -> tuple[Path, Path]:
        cert, key = stem.with_suffix(".crt"), stem.with_suffix(".key")
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(cert), append=True)
        issued.private_key_pem.write_to_path(str(key))
        return cert, key


def secured(make_broker: Callable[..., Broker], pki: Pki, *lines: str) -> tuple[Broker, str]:
    """A running TLS broker and its URL."""
    cert, key = pki.server
    broker = make_broker(f"cafile {pki.ca}", f"certfile {cert}", f"keyfile {key}", *lines)
    broker.start()
    return broker, f"mqtts://localhost:{broker.port}"


async def test_a_trusted_broker_is_used(make_broker: Callable[..., Broker], ears: Ears, tmp_path: Path) -> None:
    """With the authority in tls.ca messages come over TLS as over anything."""
    pki = Pki(tmp_path)
    broker, url = secured(make_broker, pki)
    async with source(broker, "n", url=url, tls={"ca": str(pki.ca)}) as ours:
        await ears.hear("subscribed")
        trust = aiomqtt.TLSParameters(ca_certs=str(pki.ca))
        async with aiomqtt.Client("localhost", broker.port, tls_params=trust) as client:
            await client.publish("n", "1", qos=1)
        assert numbers(await collect(ours, 1)) == [1]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, Loop])
def test_a_burst_comes_over_tls(
    make_broker: Callable[..., Broker], ears: Ears, tmp_path: Path, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """More than both sides' buffers, while reading rests now and again, out and in over TLS, in order."""
    pki = Pki(tmp_path)
    broker, url = secured(make_broker, pki)
    secure = {"url": url, "tls": {"ca": str(pki.ca)}}
    sent = [("n", b"%010d" % number * 100) for number in range(3000)]

    async def run() -> list[int]:
        small = {"buffer": "64kB", "max_packet": "32kB", **secure}
        async with source(broker, "n", **small) as ours, publisher(broker, **secure) as theirs:
            await ears.hear("subscribed")
            sending = asyncio.create_task(theirs.send_all(sent, qos=1))
            got = await collect(ours, len(sent))
            assert await sending == 0
            return [int(message.payload[:10]) for message in got]

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(run()) == list(range(3000))


async def test_both_sides_can_show_a_certificate(
    make_broker: Callable[..., Broker], ears: Ears, tmp_path: Path
) -> None:
    """Mutual TLS works with tls.cert and tls.key, and without them the message asks for them."""
    pki = Pki(tmp_path)
    broker, url = secured(make_broker, pki, "require_certificate true")
    cert, key = pki.client
    async with source(broker, "n", url=url, tls={"ca": str(pki.ca), "cert": str(cert), "key": str(key)}):
        await ears.hear("subscribed")
    async with source(broker, "n", url=url, tls={"ca": str(pki.ca)}):
        await ears.hear("set tls.cert and tls.key")


async def test_an_unknown_authority_is_refused(make_broker: Callable[..., Broker], ears: Ears, tmp_path: Path) -> None:
    """A certificate nobody vouches for is no connection, and the message says where to put the authority."""
    broker, url = secured(make_broker, Pki(tmp_path))
    async with source(broker, "n", url=url):
        await ears.hear("give that one as tls.ca")
    assert ears.count("connected") == 0


@pytest.mark.parametrize(
    ("expired", "name", "words"),
    [(True, "localhost", "certificate has expired"), (False, "other.invalid", "certificate is for another host name")],
)
async def test_a_wrong_certificate_is_refused(
    make_broker: Callable[..., Broker], ears: Ears, tmp_path: Path, name: str, words: str, *, expired: bool
) -> None:
    """An expired certificate and one for another name are no connection, each in its own words."""
    pki = Pki(tmp_path, name, expired=expired)
    broker, url = secured(make_broker, pki)
    async with source(broker, "n", url=url, tls={"ca": str(pki.ca)}):
        await ears.hear(words)
    assert ears.count("connected") == 0


async def test_the_name_can_be_left_unchecked(make_broker: Callable[..., Broker], ears: Ears, tmp_path: Path) -> None:
    """`verify_hostname: false` takes a certificate for another name, but still only from our authority."""
    pki = Pki(tmp_path, "other.invalid")
    broker, url = secured(make_broker, pki)
    async with source(broker, "n", url=url, tls={"ca": str(pki.ca), "verify_hostname": False}):
        await ears.hear("subscribed")


async def test_a_plain_port_is_told_from_a_secure_one(broker: Broker, ears: Ears) -> None:
    """TLS towards a port without TLS gets a message about TLS, not about MQTT."""
    async with source(broker, "n", url=f"mqtts://localhost:{broker.port}"):
        await ears.hear("is it a port for TLS?")
