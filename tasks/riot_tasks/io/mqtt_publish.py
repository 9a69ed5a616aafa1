"""`mqtt_publish`: the daemon's sink onto a broker, as a stage of the dataflow."""

from collections.abc import Iterable, Mapping
from typing import Any

from riot_tasks.io import broker
from riot_tasks.parameters import flag
from riot_tasks.record import Record
from riot_tasks.showing import shown
from riot_tasks.task import Task


class MqttPublish(Task):
    """Publishes what it is given and hands it on: in riotd, this stage is a sink of the daemon.

    riotd makes a sink of these parameters that takes the stage's records, so whatever the daemon promises for its
    sinks holds: each device's records in order, a message acknowledged only when the broker has its results, and
    back-pressure when it takes them slowly. A broker that is not there is waited for. The task itself opens no
    connection; where something else runs it, the records pass and nothing is published.

    Args:
        topic: template over {source}, {stage}, {name} and {topic[n]}, a level of the source message's topic.
        url: the broker, mqtt://host[:1883] or mqtts://host[:8883]; None is the source's, with its credentials.
        username: who we are to the broker of `url`.
        password: where the password is: {file: path}, {env: NAME} or {credential: name}.
        qos: MQTT's quality of service, 0, 1 or 2.
        retain: whether the broker keeps the last result of each topic.
        format: what a record becomes, as for any sink: `senml` is a compact RFC 8428 pack, `json` all it has.
        options: further keys of an MQTT sink (`max_inflight`) or of its connection (`tls`, `protocol`, ...).

    The results are the records as they came, so that a stage behind it goes on with them. RIoTBench publishes at
    QoS 0, swallows failures and returns the payload's length.

    Example:
        >>> from riot_tasks import Record
        >>> task = MqttPublish("city/{source}/mean", qos=1)
        >>> [record.values for record in task.process(Record(1, "dev7", 0.0, {"temperature": 20.5}))]
        [{'temperature': 20.5}]

    References:
        MQTT 5.0, OASIS Standard, 2019, section 3.3 (PUBLISH).
        RIoTBench MQP (MQTTPublishTask), arXiv 1701.08530, section 4.1.
    """

    code = "MQP"
    stateful = False
    pattern = "1:1"

    def __init__(  # noqa: PLR0913 - eight keys of the config
        self,
        topic: str,
        *,
        url: str | None = None,
        username: str | None = None,
        password: Mapping[str, str] | None = None,
        qos: int = 1,
        retain: bool = False,
        format: str = "senml",  # noqa: A002 - the sink's own key
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.topic = _template(topic)
        self.url = None if url is None else broker.url(url)
        self.username = broker.username(username)
        self.password = broker.password(password)
        self.qos = broker.quality(qos)
        self.retain = flag("retain", retain)
        self.format = format
        self.options = broker.options(options)
        if url is None and (username is not None or password is not None):
            wrong = "username" if username is not None else "password"
            raise ValueError(f"{wrong}: belongs to a url; without one the source's connection is used, as it is")

    def process(self, record: Record) -> Iterable[Record]:
        """Give the record."""
        return (record,)


def _template(topic: object) -> str:
    if not isinstance(topic, str) or not topic or set(topic) & set("+#\0"):
        raise ValueError(f"topic: must be a topic one publishes to, without + and # (is {shown(topic)})")
    return topic
