"""The few MQTT 3.1.1 packets a load generator and a collector need, on bare sockets, so that no client is measured."""

import socket
import struct

PUBLISH, PUBACK = 3, 4  # packet types, the first byte's upper half
PING, PONG = b"\xc0\0", b"\xd0\0"
_CONNECT, _SUBSCRIBE = 0x10, 0x82
_CLEAN_SESSION = 2


def connect(port: int, client_id: str, *, host: str = "127.0.0.1") -> socket.socket:
    """A connection to the broker on this port, without keep-alive.

    Raises:
        ConnectionError: the broker is not there, or refused.
    """
    sock = socket.create_connection((host, port), timeout=30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(packet(_CONNECT, text("MQTT") + struct.pack("!BBH", 4, _CLEAN_SESSION, 0) + text(client_id)))
    if exactly(sock, 4)[3]:
        raise ConnectionError("the broker refused the connection")
    return sock


def subscribe(sock: socket.socket, *filters: str) -> None:
    """Subscribe at QoS 0, before anything comes, and wait until it holds.

    Raises:
        ConnectionError: the broker refused one.
    """
    sock.sendall(packet(_SUBSCRIBE, struct.pack("!H", 1) + b"".join(text(each) + b"\0" for each in filters)))
    for granted, topic_filter in zip(exactly(sock, 4 + len(filters))[4:], filters, strict=True):
        if granted & 0x80:
            raise ConnectionError(f"the broker refused the subscription of {topic_filter}")


def publish_parts(topic: str, payload_size: int, qos: int) -> bytes:
    """A PUBLISH up to its packet identifier (QoS 1) or payload (QoS 0)."""
    head = text(topic)
    return bytes([PUBLISH << 4 | qos << 1]) + length(len(head) + 2 * qos + payload_size) + head


def publish(topic: str, payload: bytes) -> bytes:
    """A PUBLISH of QoS 0."""
    return publish_parts(topic, len(payload), 0) + payload


def packet(first: int, body: bytes) -> bytes:
    """A packet with this first byte."""
    return bytes([first]) + length(len(body)) + body


def length(size: int) -> bytes:
    """A remaining length: seven bits a byte, the lowest first (MQTT 3.1.1, 2.2.3)."""
    encoded = bytearray()
    while size > 127:
        encoded.append(size & 127 | 128)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def text(string: str) -> bytes:
    """A length-prefixed UTF-8 string."""
    raw = string.encode()
    return struct.pack("!H", len(raw)) + raw


def exactly(sock: socket.socket, size: int) -> bytes:
    """The next `size` bytes.

    Raises:
        ConnectionError: the other side closed before.
    """
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("the broker closed the connection")
        data += more
    return data


def split(buffer: bytes) -> tuple[list[tuple[int, int, int]], int]:
    """The whole packets at the buffer's start, as (first byte, body's start, body's end), and where they end."""
    packets: list[tuple[int, int, int]] = []
    at, size = 0, len(buffer)
    while at + 2 <= size:
        body, shift, remaining = at + 1, 0, 0
        while body < size:
            byte = buffer[body]
            body += 1
            remaining |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        else:
            break
        if body + remaining > size:
            break
        packets.append((buffer[at], body, body + remaining))
        at = body + remaining
    return packets, at
