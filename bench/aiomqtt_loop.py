"""The loop everybody writes first, on aiomqtt: `aiomqtt_loop.py PORT QOS`."""

import asyncio
import json
import sys

import aiomqtt

Q, R, P0 = 0.125, 0.32, 30.0  # RIoTBench's process noise, sensor noise and first error


async def main(port: int, qos: int) -> None:
    """Read, filter, publish, one message after the other."""
    state: dict[str, tuple[float, float]] = {}
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("sensors/+/senml", qos=qos)
        async for message in client.messages:
            device = message.topic.value.split("/")[1]
            pack = json.loads(bytes(message.payload))
            estimate, error = state.get(device, (0.0, P0))
            error += Q
            gain = error / (error + R)
            estimate += gain * (pack[0]["v"] - estimate)
            state[device] = (estimate, (1 - gain) * error)
            result = [{"bn": pack[0]["bn"], "bt": pack[0]["bt"], "n": "temperature", "u": "Cel", "v": estimate}]
            await client.publish(f"out/{device}", json.dumps(result), qos=qos)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
