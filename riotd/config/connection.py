"""How to reach a broker, as the config says it: address, session, TLS, secrets by reference."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from riotd import units

Duration = Annotated[
    float,
    BeforeValidator(units.seconds),
    Field(ge=0),
    WithJsonSchema({"type": ["number", "string"], "examples": ["5ms", "2s", "1m30s"]}),
]
Size = Annotated[
    int,
    BeforeValidator(units.size),
    Field(gt=0),
    WithJsonSchema({"type": ["integer", "string"], "examples": ["90kB", "4MiB"]}),
]


class Block(BaseModel):
    """A mapping of the file; an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, data: Any) -> Any:  # noqa: ANN401 - what YAML gives
        """A key that may be left out and has no value counts as left out, so that `--set key=null` takes it away."""
        if not isinstance(data, dict):
            return data
        optional = {field.alias or name for name, field in cls.model_fields.items() if not field.is_required()}
        return {key: value for key, value in data.items() if value is not None or key not in optional}


class Secret(Block):
    """A secret by reference, never inline: exactly one of the three.

    Attributes:
        file: path of a file that holds it; a trailing newline is cut.
        env: name of an environment variable.
        credential: name of a systemd credential, a file in $CREDENTIALS_DIRECTORY.
    """

    file: Path | None = None
    env: str | None = None
    credential: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "Secret":
        if sum(value is not None for value in (self.file, self.env, self.credential)) != 1:
            raise ValueError("give exactly one of file, env, credential")
        return self

    def read(self) -> str:
        """The secret itself, as it is now; not kept, so that a changed one counts at the next connect.

        Raises:
            ValueError: it is not there, and what to do.
        """
        if self.env is not None:
            if (found := os.environ.get(self.env)) is None:
                raise ValueError(f"the environment has no {self.env}; set it, or use file:")
            return found
        path = self._path()
        try:
            return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not UTF-8; write the secret as text") from error
        except OSError as error:
            raise ValueError(
                f"{path} can't be read: {error.strerror}; create it, readable by the daemon's user"
            ) from error

    def _path(self) -> Path:
        if self.file is not None:
            return self.file
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise ValueError(f"no $CREDENTIALS_DIRECTORY; put LoadCredential={self.credential}:<path> into the unit")
        return Path(folder) / str(self.credential)


class Tls(Block):
    """TLS towards a broker; PEM files.

    Attributes:
        ca: certificates to trust; default the system's.
        cert: our certificate, for mutual TLS; with `key`.
        key: its private key.
        verify_hostname: false only where the certificate can't name the host.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify_hostname: bool = True

    @model_validator(mode="after")
    def _pair(self) -> "Tls":
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        return self


def _version(value: object) -> object:
    """YAML reads `protocol: 5` as a number."""
    return str(value) if type(value) is int else value


def _broker_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError("a broker's URL is mqtt://host:1883 or mqtts://host:8883")
    if parts.username or parts.password:
        raise ValueError("no credentials in the URL; use username: and password: {file: …}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("a broker's URL ends after the port")
    _ = parts.port  # raises ValueError where it is no number below 65536
    return url


class Connection(Block):
    """How to reach a broker.

    Attributes:
        url: mqtt://host[:1883] or mqtts://host[:8883].
        protocol: MQTT version, "5" or "3.1.1".
        client_id: default is the daemon's name with a suffix for the purpose.
        username: who we are to the broker.
        password: where the password is.
        tls: certificates, for mqtts:// with other than the system's.
        keepalive: seconds between pings on an idle connection.
        session: `clean`, or `persistent`: the broker keeps what comes while we are away.
        session_expiry: how long it keeps it (MQTT 5).
    """

    url: Annotated[str, AfterValidator(_broker_url)]
    protocol: Annotated[
        Literal["5", "3.1.1"], BeforeValidator(_version), WithJsonSchema({"enum": ["5", "3.1.1", 5]})
    ] = "5"
    client_id: str | None = None
    username: str | None = None
    password: Secret | None = None
    tls: Tls | None = None
    keepalive: Duration = 30.0
    session: Literal["clean", "persistent"] = "clean"
    session_expiry: Duration = 86400.0

    @property
    def host(self) -> str:
        """The broker's host name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def secure(self) -> bool:
        """Whether the connection is over TLS."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def port(self) -> int:
        """The broker's port."""
        return urlsplit(self.url).port or (8883 if self.secure else 1883)
