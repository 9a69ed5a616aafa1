"""Inputs out of other inputs: what a seed makes of a corpus."""

from collections.abc import Callable, Sequence
from random import Random

_LONGEST = 4096
"""Bytes of an input; what is wrong shows in small ones, and large ones cost time."""
_ODD = (
    b"", b"\0", b"\xff", b"\x7f", b"\x80", b"-", b".", b"0", b"1e400", b"-1e400", b"9007199254740993", b"NaN", b"null",
    b"true", b"[", b"]", b"{", b"}", b'"', b"\\", b"\\ud800", b",", b":", b"\n", b"\r\n", b" ",
    b"18446744073709551616", b"-9223372036854775809", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"<", b">", b"&",
    b"&#x0;", b"]]>", b"'",
    b"#", b"*", b"&a", b"!!", b"%", b"[" * 300, b"{" * 300, b"\x9f" * 300, b"\x81" * 300, b"\xd8" * 50,
    b"\xfb\x7f\xf0\0\0\0\0\0\0",
    b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"1970-01-01T00:00:00Z", b"0x1", b"1_0", "٣".encode(), "\u2028".encode(),
)  # fmt: skip
"""What parsers of all kinds have stumbled over."""


def mutated(random: Random, corpus: Sequence[bytes]) -> bytes:
    """An input like one of these."""
    data = bytearray(random.choice(corpus))
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        random.choice(_WAYS)(random, data, corpus)
    return bytes(data[:_LONGEST])


def _flip(random: Random, data: bytearray, _corpus: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(random: Random, data: bytearray, _corpus: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.randrange(256)


def _leave_out(random: Random, data: bytearray, _corpus: Sequence[bytes]) -> None:
    begin, end = _span(random, data)
    del data[begin:end]


def _repeat(random: Random, data: bytearray, _corpus: Sequence[bytes]) -> None:
    begin, end = _span(random, data)
    data[begin:begin] = data[begin:end] * random.choice((1, 1, 2, 50))


def _insert(random: Random, data: bytearray, _corpus: Sequence[bytes]) -> None:
    at = random.randint(0, len(data))
    data[at:at] = random.choice(_ODD)


def _replace(random: Random, data: bytearray, _corpus: Sequence[bytes]) -> None:
    begin, end = _span(random, data)
    data[begin:end] = random.choice(_ODD)


def _splice(random: Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    other = random.choice(corpus)
    begin, end = _span(random, other)
    at = random.randint(0, len(data))
    data[at : at + random.choice((0, end - begin))] = other[begin:end]


def _cut(random: Random, data: bytearray, _corpus: Sequence[bytes]) -> None:
    del data[random.randint(0, len(data)) :]


def _span(random: Random, data: bytes | bytearray) -> tuple[int, int]:
    begin = random.randint(0, len(data))
    return begin, min(len(data), begin + random.choice((1, 2, 4, 16, 64)))


_WAYS: Sequence[Callable[[Random, bytearray, Sequence[bytes]], None]] = (
    _flip, _set, _leave_out, _repeat, _insert, _insert, _replace, _replace, _splice, _cut,
)  # fmt: skip
