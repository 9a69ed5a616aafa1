"""Why a broker can't be reached or has let us go, in one line for a person."""

import asyncio
import contextlib
import errno
import re
import socket
import ssl

import msgspec
from mqttium import (
    BrokerDisconnectError,
    ConnectRefusedError,
    MalformedPacketError,
    MQTTError,
    MQTTTimeoutError,
    PacketTooLargeError,
    SessionReplayError,
)

from riotd.config import Connection


class Fault(msgspec.Struct, frozen=True):
    """One reason why there is no connection.

    Attributes:
        text: what is wrong and what to do about it.
        human: it will stay until somebody changes something: a password, a certificate, an id.
        taken_over: another client connected with our client id.
        unsaid: the broker ended the connection, and nobody knows why.
    """

    text: str
    human: bool = False
    taken_over: bool = False
    unsaid: bool = False


_CREDENTIALS = Fault("bad user name or password; see username: and password:", human=True)
_NOT_AUTHORIZED = Fault("not authorized to connect; see username:, password: and the broker's access list", human=True)
_BAD_ID = Fault("the broker refuses this client_id; set another", human=True)
_UNAVAILABLE = Fault("the broker says it is unavailable")
_OLD_BROKER = Fault('the broker does not speak MQTT 5; set protocol: "3.1.1"', human=True)

_REFUSED_311 = {
    1: Fault('the broker does not speak MQTT 3.1.1; set protocol: "5"', human=True),
    2: _BAD_ID,
    3: _UNAVAILABLE,
    4: _CREDENTIALS,
    5: _NOT_AUTHORIZED,
}
"""MQTT 3.1.1, table 3.1."""

_REASONS_5 = {
    0x01: _OLD_BROKER,  # a 3.1.1 return code, the usual answer of a broker that knows no more
    0x84: _OLD_BROKER,
    0x85: _BAD_ID,
    0x86: _CREDENTIALS,
    0x87: _NOT_AUTHORIZED,
    0x88: _UNAVAILABLE,
    0x89: Fault("the broker says it is busy"),
    0x8A: Fault("the broker has banned this client; ask its administrator", human=True),
    0x8B: Fault("the broker is shutting down"),
    0x8D: Fault("the broker heard nothing for 1.5 times keepalive; raise keepalive or look at the network"),
    0x8E: Fault("taken over by another client with the same client_id; give each its own", human=True, taken_over=True),
    0x93: Fault("the broker says we sent more than its receive maximum"),
    0x95: Fault("a packet was larger than the broker accepts; raise its limit"),
    0x96: Fault("the broker says we send too fast"),
    0x97: Fault("a quota of the broker is used up"),
    0x98: Fault("disconnected by the broker's administrator"),
    0x9C: Fault("the broker asks to use another server; change url", human=True),
    0x9D: Fault("the broker has moved; change url", human=True),
    0x9F: Fault("the broker says we connect too often"),
}
"""MQTT 5, section 2.4: reasons of CONNACK and DISCONNECT."""

_CERTIFICATE = {
    10: "the broker's certificate has expired",
    9: "the broker's certificate is not valid yet; is this machine's clock right?",
    18: "the broker's certificate is self-signed; give it as tls.ca",
    19: "the broker's certificate is not signed by an authority we trust; give that one as tls.ca",
    20: "the broker's certificate is not signed by an authority we trust; give that one as tls.ca",
    62: "the broker's certificate is for another host name; use that name in url",
    64: "the broker's certificate is for another address; use its host name in url",
}
"""OpenSSL's X509_V_ERR_ numbers."""

_TLS_ALERTS = {
    "CERTIFICATE_REQUIRED": "the broker wants a client certificate; set tls.cert and tls.key",
    "HANDSHAKE_FAILURE": "the broker refused the TLS handshake; does it want tls.cert and tls.key?",
    "UNKNOWN_CA": "the broker does not trust our certificate; check tls.cert",
    "CERTIFICATE_EXPIRED": "the broker says our certificate has expired; renew tls.cert",
    "BAD_CERTIFICATE": "the broker refuses our certificate; check tls.cert",
    "WRONG_VERSION_NUMBER": "the broker does not speak TLS on this port; use mqtt:// or its TLS port",
}

_ERRNO = {
    errno.ECONNREFUSED: "connection refused, nothing listens there; is the broker running?",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "the network is unreachable",
    errno.ETIMEDOUT: "no answer from the host",
    errno.ECONNRESET: "the connection was reset",
    errno.EPIPE: "the connection was reset",
}


_THROWN_OUT = {errno.ECONNRESET, errno.EPIPE}
"""What it looks like if the broker ends a connection in a hurry."""


def explain(error: BaseException | None, connection: Connection) -> Fault:
    """What `error`, a failed attempt's or a loss's, means to the person who runs the daemon."""
    fault = Fault(f"the connection was lost ({error})")
    match error:
        case None | MQTTError(args=("Connection closed",)):
            fault = Fault("the broker closed the connection without a reason", unsaid=True)
        case ConnectRefusedError() | BrokerDisconnectError():
            fault = by_reason(error.reason_code, connection)
        case MQTTTimeoutError() if "PINGRESP" in str(error):
            fault = Fault(f"keep-alive time-out: a ping was not answered (keepalive {connection.keepalive:g}s)")
        case MQTTTimeoutError() if "CONNACK" in str(error):
            fault = Fault("connected, but no answer to CONNECT; is it an MQTT broker?")
        case PacketTooLargeError():
            fault = Fault("a message was larger than max_packet; raise it", human=True)
        case SessionReplayError():
            fault = Fault("the broker's limits no longer allow what its session holds", human=True)
        case MalformedPacketError():
            hint = '; if it does not speak MQTT 5, set protocol: "3.1.1"' if connection.protocol == "5" else ""
            fault = Fault(f"the broker sent what is not MQTT ({error}){hint}", human=True)
        case OSError():
            fault = _by_system(error, connection)
    return fault


async def probe(connection: Connection, context: ssl.SSLContext | None, timeout: float = 5.0) -> Fault | None:  # noqa: ASYNC109 - also the text of the fault
    """Try what comes before MQTT (name, TCP, TLS): why it fails, or None.

    The client's own attempts fail silently as long as it goes on trying; this one is for the message.
    """
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(connection.host, connection.port, ssl=context)
    except TimeoutError:
        return Fault(f"no answer within {timeout:g}s")
    except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
        return Fault("the connection was closed in the TLS handshake; is it a port for TLS?")
    except OSError as error:
        return explain(error, connection)
    try:
        return await _first_word(reader, connection) if context else None
    finally:
        writer.transport.abort()


async def _first_word(reader: asyncio.StreamReader, connection: Connection) -> Fault | None:
    """With TLS 1.3 the broker's verdict on our certificate comes only after the handshake."""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await reader.read(1)
    except OSError as error:
        return explain(error, connection)
    return None


def refused_filter(code: int) -> str:
    """What a SUBACK's failure code means."""
    words = {
        0x80: "see the broker's access list",
        0x87: "not authorized; see the broker's access list",
        0x8F: "the broker does not allow this filter",
        0x97: "a quota of the broker is used up",
        0x9E: "the broker has no shared subscriptions",
        0xA2: "the broker has no wildcard subscriptions",
    }
    return words.get(code, f"reason 0x{code:02x}")


def refusal(reason: int) -> str:
    """Why a publication can never be sent (MQTT 5, section 2.4)."""
    words = {
        0x87: "not authorized; see the broker's access list",
        0x90: "not a topic",
        0x95: "larger than the broker accepts",
        0x97: "a quota of the broker is used up",
        0x9A: "the broker retains nothing",
        0x9B: "a QoS that the broker does not take",
    }
    return words.get(reason, f"refused by the broker with reason 0x{reason:02x}")


def by_reason(code: int, connection: Connection) -> Fault:
    """What a CONNACK's or DISCONNECT's reason means."""
    table = _REASONS_5 if connection.protocol == "5" else _REFUSED_311
    return table.get(code) or Fault(f"the broker gave reason 0x{code:02x}")


def _by_system(error: OSError, connection: Connection) -> Fault:
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, ssl.SSLError):
        return _by_tls(cause)
    if isinstance(cause, socket.gaierror):
        return Fault(f"the name {connection.host} can't be resolved ({cause.strerror})")
    if isinstance(cause, TimeoutError) and cause.errno is None:
        return Fault("no answer from the host")
    # Several addresses that all failed come as one OSError without a number, which its text still has.
    found = cause.errno or next((int(number) for number in re.findall(r"\[Errno (\d+)\]", str(cause))), 0)
    return Fault(_ERRNO.get(found) or f"{cause.strerror or cause}", unsaid=found in _THROWN_OUT)


def _by_tls(error: ssl.SSLError) -> Fault:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Fault(_CERTIFICATE.get(error.verify_code) or f"TLS: {error.verify_message}", human=True)
    reason = error.reason or str(error)
    known = next((text for alert, text in _TLS_ALERTS.items() if alert in reason.upper()), None)
    return Fault(known or f"TLS: {reason}", human=True)
