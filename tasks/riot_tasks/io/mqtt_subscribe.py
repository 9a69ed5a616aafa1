"""`mqtt_subscribe`: the daemon's source of MQTT messages, as the first stage of the dataflow."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from riot_tasks.io import broker
from riot_tasks.parameters import one_of
from riot_tasks.record import Record
from riot_tasks.showing import shown
from riot_tasks.task import Task


class MqttSubscribe(Task):
    """Gives the messages of MQTT subscriptions: in riotd, this first stage is the source of the daemon.

    riotd makes its source of these parameters, so whatever the daemon promises for it holds: at QoS 1 and 2 a
    message is acknowledged only when its results are with the sinks, and in the order of arrival; what waits in the
    daemon is bounded, and past the bound the broker holds back. A broker that is not there is waited for. The task
    itself opens no connection: it hands on the raw messages, each a record with the field `payload`, and where
    something else runs it, whatever records that gives it.

    Args:
        topics: topic filters; shared subscriptions as $share/<group>/<filter>.
        url: the broker, mqtt://host[:1883] or mqtts://host[:8883].
        username: who we are to the broker.
        password: where the password is: {file: path}, {env: NAME} or {credential: name}.
        qos: of the subscriptions, MQTT's quality of service: 0, 1 or 2.
        session: `clean`, or `persistent`: the broker keeps what comes while the daemon is away.
        options: further keys of a `source:` (`tls`, `protocol`, `client_id`, `receive_maximum`, `buffer`, ...).

    RIoTBench polls an unbounded queue that its client fills at QoS 1 in a clean session, so that what waits there
    when it dies is lost.

    Example:
        >>> from riot_tasks import Record
        >>> task = MqttSubscribe(["sensors/+/senml"], url="mqtt://localhost:1883")
        >>> [record.values for record in task.process(Record(1, "dev7", 0.0, {"payload": b"[]"}))]
        [{'payload': b'[]'}]

    References:
        MQTT 5.0, OASIS Standard, 2019, section 3.8 (SUBSCRIBE).
        RIoTBench MQS (MQTTSubscribeTask), arXiv 1701.08530, section 4.1.
    """

    code = "MQS"
    stateful = False
    pattern = "1:1"

    def __init__(  # noqa: PLR0913 - seven keys of the config
        self,
        topics: Sequence[str],
        *,
        url: str,
        username: str | None = None,
        password: Mapping[str, str] | None = None,
        qos: int = 1,
        session: str = "clean",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.topics = _filters(topics)
        self.url = broker.url(url)
        self.username = broker.username(username)
        self.password = broker.password(password)
        self.qos = broker.quality(qos)
        self.session = one_of("session", session, ("clean", "persistent"))
        self.options = broker.options(options)

    def process(self, record: Record) -> Iterable[Record]:
        """Give the record."""
        return (record,)


def _filters(topics: object) -> list[str]:
    listed = list(topics) if isinstance(topics, Sequence) and not isinstance(topics, str) else []
    if not listed or not all(isinstance(each, str) and each for each in listed):
        raise ValueError(f"topics: must be a list of topic filters, such as [sensors/+/senml] (is {shown(topics)})")
    return listed
