"""Who we are to a store: from the environment, or from a file of NAME=value lines; never inline.

The names are those the providers' own tools read: AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCOUNT_NAME,
AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, ...
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

Reference = Mapping[str, str]
"""{file: path} or {credential: name}, a file in $CREDENTIALS_DIRECTORY, where systemd puts those of its units."""

_EMULATOR = {
    "AccountName": "devstoreaccount1",
    # the key that Microsoft publishes for every emulator
    "AccountKey": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    "BlobEndpoint": "http://127.0.0.1:10000/devstoreaccount1",
    "TableEndpoint": "http://127.0.0.1:10002/devstoreaccount1",
}


class AzureAccount(msgspec.Struct, frozen=True):
    """An account of Azure Storage, and what opens it.

    Attributes:
        name: the account's name; "" where neither URL nor settings say it.
        key: its key, or "".
        sas: a shared access signature, or "".
        endpoints: "Blob" and "Table" to the URL of the service, where it is not Azure's own.
    """

    name: str
    key: str
    sas: str
    endpoints: Mapping[str, str]

    def __repr__(self) -> str:
        return f"AzureAccount({self.name!r}, …)"


def credentials(value: object) -> Reference | None:
    """A parameter that says where the credentials are; None is the environment.

    Raises:
        ValueError: it is something else (what, is not repeated: it may be a secret), or the file can't be read.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or len(value) != 1 or not {"file", "credential"} >= value.keys():
        raise ValueError("credentials: must be given by reference: {file: path} or {credential: name}")
    if not all(isinstance(text, str) and text for text in value.values()):
        raise ValueError("credentials: must name a file: {file: path} or {credential: name}")
    try:
        settings(value)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise ValueError(f"credentials: {_path(value)} can't be read: {reason}; it has NAME=value lines") from error
    return value


def settings(reference: Reference | None) -> Mapping[str, str]:
    """The names and values that count: those of the file, or of the environment.

    Read at each call, so that a changed file counts from the next connection on.

    Raises:
        OSError: the file can't be read.
    """
    if reference is None:
        return os.environ
    lines = _path(reference).read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=")[::2] for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip().removeprefix("export ").strip(): value.strip().strip("\"'") for name, value in pairs}


def azure_account(found: Mapping[str, str], name: str = "") -> AzureAccount:
    """The account that the settings speak of; `name` where the URL says which."""
    parts = _connection(found.get("AZURE_STORAGE_CONNECTION_STRING", ""))
    return AzureAccount(
        name or parts.get("AccountName") or found.get("AZURE_STORAGE_ACCOUNT_NAME", ""),
        parts.get("AccountKey") or found.get("AZURE_STORAGE_ACCOUNT_KEY", ""),
        parts.get("SharedAccessSignature") or found.get("AZURE_STORAGE_SAS_TOKEN", ""),
        {kind: url.rstrip("/") for kind in ("Blob", "Table") if (url := _endpoint(parts, kind))},
    )


def _path(reference: Reference) -> Path:
    if "file" in reference:
        return Path(reference["file"])
    if not (folder := os.environ.get("CREDENTIALS_DIRECTORY")):
        raise ValueError("credentials: no $CREDENTIALS_DIRECTORY; put LoadCredential= into the unit, or give {file: …}")
    return Path(folder) / reference["credential"]


def _connection(text: str) -> Mapping[str, str]:
    parts = dict(part.strip().split("=", 1) for part in text.split(";") if "=" in part)
    return _EMULATOR if parts.get("UseDevelopmentStorage", "").lower() == "true" else parts


def _endpoint(parts: Mapping[str, str], kind: str) -> str:
    suffix = parts.get("EndpointSuffix", "")
    if suffix and f"{kind}Endpoint" not in parts:
        return f"{parts.get('DefaultEndpointsProtocol', 'https')}://{parts['AccountName']}.{kind.lower()}.{suffix}"
    return parts.get(f"{kind}Endpoint", "")
