"""A broker as a task's parameters say it: address, who we are, the password by reference."""

from collections.abc import Mapping

from riot_tasks.parameters import whole

REFERENCES = ("file", "env", "credential")
"""Where a password may be: a file, an environment variable, a credential of systemd. Never the password itself."""


def url(value: object) -> str:
    """A parameter that is a broker's address.

    Raises:
        ValueError: it is something else, or has credentials in it, which are not repeated.
    """
    if not isinstance(value, str) or not value.startswith(("mqtt://", "mqtts://")):
        raise ValueError("url: a broker's URL is mqtt://host:1883 or mqtts://host:8883")
    if "@" in value:
        raise ValueError("url: no credentials in it; use username and password: {env: NAME}")
    return value


def username(value: object) -> str | None:
    """A parameter that says who we are, or None.

    Raises:
        ValueError: it is something else.
    """
    if value is not None and (not isinstance(value, str) or not value):
        raise ValueError("username: must be a text")
    return value


def password(value: object) -> Mapping[str, str] | None:
    """A parameter that says where a password is, or None.

    Raises:
        ValueError: it is something else; what it is is not repeated, since it may be the password.
    """
    if value is None:
        return None
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, place),) = value.items()
        if kind in REFERENCES and isinstance(place, str) and place:
            return value
    raise ValueError("password: must be given by reference: {file: path}, {env: NAME} or {credential: name}")


def quality(value: object) -> int:
    """A parameter that is MQTT's quality of service (MQTT 5, section 4.3).

    Raises:
        ValueError: it is something else.
    """
    return whole("qos", value, least=0, most=2)


def options(value: object) -> Mapping[str, object] | None:
    """A parameter with further keys of a block of the daemon's config, or None.

    Raises:
        ValueError: it is no mapping with texts as keys.
    """
    if value is None or (isinstance(value, Mapping) and all(isinstance(key, str) for key in value)):
        return value
    raise ValueError('options: must be a mapping, such as {protocol: "3.1.1", client_id: gateway}')
