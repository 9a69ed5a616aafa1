from typing import Any

import pytest

from riot_tasks import Record, Task
from riot_tasks.io.mqtt_publish import MqttPublish
from riot_tasks.io.mqtt_subscribe import MqttSubscribe
from riot_tasks.testing import check_task

URL = "mqtts://broker.example:8883"
RECORDS = [
    Record(number, f"dev{number % 3}", float(number), {"temperature": 20.0 + number, "payload": b"[]"})
    for number in range(30)
]
PARAMS: dict[type[Task], list[dict[str, Any]]] = {
    MqttPublish: [
        {"topic": "out/{source}"},
        {
            "topic": "out/{stage}/{topic[1]}",
            "url": URL,
            "username": "me",
            "password": {"env": "MQTT_PASSWORD"},
            "qos": 2,
            "retain": True,
            "format": "json",
            "options": {"max_inflight": 10, "tls": {"ca": "ca.pem"}},
        },
    ],
    MqttSubscribe: [
        {"topics": ["in/+", "$share/us/more/#"], "url": URL},
        {"topics": ["in/+"], "url": URL, "password": {"credential": "mqtt"}, "qos": 0, "session": "persistent"},
    ],
}


@pytest.mark.parametrize("cls", PARAMS, ids=lambda cls: cls.__name__)
def test_both_keep_the_contract(cls: type[Task]) -> None:
    """The task passes the public battery, with the least and with all of its parameters."""
    check_task(cls, [(params, RECORDS) for params in PARAMS[cls]])


@pytest.mark.parametrize("cls", PARAMS, ids=lambda cls: cls.__name__)
def test_the_very_record_goes_on(cls: type[Task]) -> None:
    """What comes out is the record that came in, not a copy: a stage behind it pays nothing."""
    task = cls(**PARAMS[cls][0])
    (given,) = task.process(RECORDS[0])
    assert given is RECORDS[0]


@pytest.mark.parametrize(
    ("cls", "params", "message"),
    [
        (MqttPublish, {"topic": ""}, "topic: must be a topic one publishes to"),
        (MqttPublish, {"topic": "a/+/b"}, "topic: must be a topic one publishes to"),
        (MqttPublish, {"topic": "a", "url": "tcp://host:1883"}, "url: a broker's URL is mqtt://host:1883"),
        (MqttPublish, {"topic": "a", "username": "me"}, "username: belongs to a url"),
        (MqttPublish, {"topic": "a", "password": {"env": "X"}}, "password: belongs to a url"),
        (MqttPublish, {"topic": "a", "qos": 3}, "qos: must be a whole number from 0 to 2"),
        (MqttPublish, {"topic": "a", "retain": "yes"}, "retain: must be true or false"),
        (MqttPublish, {"topic": "a", "url": URL, "username": ""}, "username: must be a text"),
        (MqttPublish, {"topic": "a", "options": ["qos"]}, "options: must be a mapping"),
        (MqttSubscribe, {"topics": "a/b", "url": URL}, "topics: must be a list of topic filters"),
        (MqttSubscribe, {"topics": [], "url": URL}, "topics: must be a list of topic filters"),
        (MqttSubscribe, {"topics": ["a"], "url": None}, "url: a broker's URL is mqtt://host:1883"),
        (MqttSubscribe, {"topics": ["a"], "url": URL, "session": "new"}, "session: must be 'clean' or 'persistent'"),
    ],
)
def test_wrong_parameters_are_refused(cls: type[Task], params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        cls(**params)


@pytest.mark.parametrize(
    "params",
    [
        {"url": "mqtt://me:hunter2@broker"},
        {"url": URL, "password": "hunter2"},
        {"url": URL, "password": {"plain": "hunter2"}},
        {"url": URL, "password": {"env": "A", "file": "hunter2"}},
    ],
)
def test_a_secret_in_the_parameters_is_refused_and_not_repeated(params: dict[str, Any]) -> None:
    """A password that is no reference, or stands in the URL, is refused without saying it."""
    for cls, first in ((MqttPublish, {"topic": "a"}), (MqttSubscribe, {"topics": ["a"]})):
        with pytest.raises(ValueError, match="password") as caught:
            cls(**first, **params)  # type: ignore[arg-type]  # wrong on purpose
        assert "hunter2" not in str(caught.value)
