"""What became of numbered messages: lost, doubled, out of order per device."""

import re

_NUMBER = re.compile(rb'"v":\s*(\d+)')


class Fates:
    """Takes results in the order they come; message n is of device n mod `devices`.

    Args:
        messages: sent in all, numbered from 0.
        devices: each one's messages are to come in the order of their numbers.
    """

    def __init__(self, messages: int, devices: int) -> None:
        self.doubled = 0
        self.disordered = 0
        self.unreadable = 0
        self._seen = bytearray(messages)
        self._newest = [-1] * devices

    def __call__(self, body: bytes, _now: float = 0.0) -> None:
        """Take note of a result: a PUBLISH's topic and payload."""
        match = _NUMBER.search(body)
        number = int(match[1]) if match else -1
        if not 0 <= number < len(self._seen):
            self.unreadable += 1
        elif self._seen[number]:
            self.doubled += 1  # an older one again is no disorder: at least once is what QoS 1 promises
        else:
            self._first(number)

    @property
    def lost(self) -> int:
        """Messages without a result so far."""
        return self._seen.count(0)

    def _first(self, number: int) -> None:
        self._seen[number] = 1
        device = number % len(self._newest)
        self.disordered += number < self._newest[device]
        self._newest[device] = max(number, self._newest[device])
