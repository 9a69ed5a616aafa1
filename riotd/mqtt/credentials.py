"""What a connection proves itself with: secrets by reference, TLS material.

Nothing here ever puts a secret into a message, a log or a repr.
"""

import ssl

from riotd.config import Connection, Secret, Tls
from riotd.errors import ConfigError, Mistake


def read_secret(secret: Secret, where: str) -> str:
    """The secret's text, a trailing newline cut.

    Args:
        secret: where it is kept.
        where: the setting's path in the configuration, for the message.

    Raises:
        ConfigError: it is not there, can't be read, or is empty.
    """
    kind = next(kind for kind in ("env", "credential", "file") if getattr(secret, kind) is not None)
    try:
        text = secret.read()
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise _mistake(f"{where}.{kind}", what, remedy) from None
    if not text:
        raise _mistake(f"{where}.{kind}", "the secret is empty", "put the password there")
    return text


def tls_context(connection: Connection, where: str) -> ssl.SSLContext | None:
    """What TLS needs, or None for a plain connection; reads the PEM files.

    Raises:
        ConfigError: a file is not there or is not what it should be.
    """
    if not connection.secure:
        return None
    tls = connection.tls or Tls()
    try:
        context = ssl.create_default_context(cafile=None if tls.ca is None else str(tls.ca))
    except (OSError, ssl.SSLError) as error:
        raise _mistake(f"{where}.tls.ca", _what(tls.ca, error), "give a PEM file of certificates") from None
    context.check_hostname = tls.verify_hostname
    if tls.cert is not None and tls.key is not None:
        try:
            context.load_cert_chain(tls.cert, tls.key, password=_no_passphrase)
        except (OSError, ssl.SSLError, ValueError) as error:
            remedy = "give a PEM certificate and its unencrypted key"
            raise _mistake(f"{where}.tls", _what(f"{tls.cert} with {tls.key}", error), remedy) from None
    return context


def _no_passphrase() -> str:
    """Instead of OpenSSL's asking at the terminal, which a daemon must never do."""
    raise ValueError("the key is encrypted")


def _what(subject: object, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
    return f"{subject} can't be used ({reason})"


def _mistake(where: str, what: str, remedy: str) -> ConfigError:
    return ConfigError([Mistake(where, what, remedy)])
