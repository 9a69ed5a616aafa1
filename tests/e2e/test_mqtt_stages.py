"""`mqtt_subscribe` and `mqtt_publish` as stages, against a real broker: what a RIoTBench user writes, and no more."""

import json
from collections.abc import Callable

from tests.e2e.daemon import Daemon, Listener, feed, publish
from tests.riotd.brokers import Broker

DEVICES, EACH = 4, 50


async def test_stages_alone_run_and_go_on_behind_a_publish(broker: Broker, make_daemon: Callable[..., Daemon]) -> None:
    """Subscribe, parse, publish, average, publish: both results of every device arrive, in order, all acknowledged."""
    url = f"mqtt://127.0.0.1:{broker.port}"
    config = {
        "name": "test",
        "key": {"topic_level": 1},
        "stages": [
            {
                "task": "mqtt_subscribe",
                "params": {
                    "topics": ["in/+"],
                    "url": url,
                    "session": "persistent",
                    "options": {"protocol": "3.1.1"},
                },
            },
            {"task": "senml_parse"},
            {"id": "raw", "task": "mqtt_publish", "params": {"topic": "raw/{source}", "format": "json"}},
            {"task": "average", "params": {"fields": ["temperature"], "window": 10}},
            {"id": "mean", "task": "MQP", "params": {"topic": "mean/{source}/{stage}", "url": url, "format": "json"}},
        ],
    }
    async with make_daemon(config) as daemon, Listener(broker.port, "raw/#", "mean/#") as listener:
        await publish(broker.port, feed(DEVICES * EACH, devices=DEVICES))
        await listener.count(DEVICES * EACH + DEVICES * EACH // 10)
        assert await daemon.stop() == 0
    got: dict[str, list[float]] = {}
    for topic, payload in listener.heard:
        got.setdefault(topic, []).append(json.loads(payload)["values"]["temperature"])
    for device in range(DEVICES):
        sent = [float(number) for number in range(device, DEVICES * EACH, DEVICES)]
        means = [sum(sent[start : start + 10]) / 10 for start in range(0, EACH, 10)]
        assert got[f"raw/dev{device}"] == sent
        assert got[f"mean/dev{device}/mean"] == means
    assert f"received {DEVICES * EACH} = settled {DEVICES * EACH} + in flight 0" in daemon.log


async def test_nothing_is_acknowledged_before_it_is_published(
    make_broker: Callable[..., Broker], make_daemon: Callable[..., Daemon]
) -> None:
    """With the publish stage's own broker down, kill -9 loses nothing: the next life gets every message again."""
    inside, outside = make_broker(persistent=True), make_broker()
    inside.start()
    config = {
        "name": "test",
        "stages": [
            {
                "task": "mqtt_subscribe",
                "params": {
                    "topics": ["in/+"],
                    "url": f"mqtt://127.0.0.1:{inside.port}",
                    "session": "persistent",
                    "options": {"protocol": "3.1.1"},
                },
            },
            {"task": "senml_parse"},
            {
                "task": "mqtt_publish",
                "params": {
                    "topic": "out",
                    "url": f"mqtt://127.0.0.1:{outside.port}",
                    "format": "json",
                    "options": {"protocol": "3.1.1"},
                },
            },
        ],
        "stats": {"every": "200ms"},
    }
    async with make_daemon(config) as daemon, Listener(inside.port, "riotd/test/stats") as listener:
        await publish(inside.port, feed(20))
        await listener.until(lambda heard: any(json.loads(body)["messages"]["in_flight"] == 20 for _, body in heard))
        assert all(json.loads(body)["messages"]["settled"] == 0 for _, body in listener.heard)
        daemon.kill()
    outside.start()
    async with Listener(outside.port, "out") as listener, make_daemon(config) as daemon:
        await listener.count(20)
        assert await daemon.stop() == 0
    assert [json.loads(body)["values"]["temperature"] for _, body in listener.heard] == [float(n) for n in range(20)]
