from collections.abc import Mapping
from pathlib import Path

import pytest

from riot_tasks.stores.credentials import azure_account, credentials, settings

LINES = """# Azure
export AZURE_STORAGE_ACCOUNT_NAME=mine

 AZURE_STORAGE_ACCOUNT_KEY = "a2V5=="
no line of a setting
"""
PORTAL = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k==;EndpointSuffix=core.windows.net"
"""A connection string as Azure's portal gives it."""


def test_a_file_of_lines(tmp_path: Path) -> None:
    """A file has NAME=value lines, as systemd and shells have them; the value may have = in it."""
    (tmp_path / "azure.env").write_text(LINES)
    reference = credentials({"file": str(tmp_path / "azure.env")})
    assert dict(settings(reference)) == {"AZURE_STORAGE_ACCOUNT_NAME": "mine", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5=="}


def test_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`credential:` names a file in the folder that systemd gives; what is in it is read at each look."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "azure").write_text("AWS_REGION=here\n")
    reference = credentials({"credential": "azure"})
    assert settings(reference)["AWS_REGION"] == "here"
    (tmp_path / "azure").write_text("AWS_REGION=there\n")
    assert settings(reference)["AWS_REGION"] == "there"


def test_none_is_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a reference the environment counts."""
    monkeypatch.setenv("AWS_REGION", "everywhere")
    assert settings(credentials(None))["AWS_REGION"] == "everywhere"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("AccountKey=secret", "credentials: must be given by reference: "),
        ({"key": "secret"}, "credentials: must be given by reference: "),
        ({"file": "a", "credential": "secret"}, "credentials: must be given by reference: "),
        ({"file": 7}, "credentials: must name a file: "),
        ({"file": ""}, "credentials: must name a file: "),
        (
            {"file": "/nowhere/a.env"},
            "credentials: /nowhere/a.env can't be read: No such file or directory; it has NAME=",
        ),
        ({"credential": "azure"}, r"credentials: no \$CREDENTIALS_DIRECTORY; put LoadCredential= into the unit"),
    ],
)
def test_what_is_no_reference_is_refused(value: object, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is inline, or names nothing, is refused; what was written is not repeated, as it may be a secret."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ValueError, match="^" + message) as refusal:
        credentials(value)
    assert "secret" not in str(refusal.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A file in another encoding is refused by name."""
    (tmp_path / "azure.env").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"^credentials: .*azure\.env can't be read: it is no UTF-8"):
        credentials({"file": str(tmp_path / "azure.env")})


@pytest.mark.parametrize(
    ("found", "name", "key", "blob"),
    [
        ({}, "", "", None),
        ({"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "k"}, "a", "k", None),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": PORTAL},
            "a", "k==", "https://a.blob.core.windows.net",
        ),
        ({"AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=k;BlobEndpoint=http://h:1/a/"}, "a", "k", "http://h:1/a"),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "UseDevelopmentStorage=true", "AZURE_STORAGE_ACCOUNT_NAME": "other"},
            "devstoreaccount1", None, "http://127.0.0.1:10000/devstoreaccount1",
        ),
    ],
)  # fmt: skip
def test_azures_settings(found: Mapping[str, str], name: str, key: str | None, blob: str | None) -> None:
    """A connection string, or name and key, say which account; the emulator's short form is known."""
    account = azure_account(found)
    assert (account.name, account.endpoints.get("Blob")) == (name, blob)
    assert key is None or account.key == key


def test_the_urls_account_counts() -> None:
    """The account that a URL names goes before that of the settings; a signature may open it."""
    found = {"AZURE_STORAGE_ACCOUNT_NAME": "other", "AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=x"}
    account = azure_account(found, "mine")
    assert (account.name, account.key, account.sas) == ("mine", "", "sv=1&sig=x")


def test_an_account_does_not_show_its_key() -> None:
    """What is printed of an account has no secret in it."""
    found = {
        "AZURE_STORAGE_ACCOUNT_NAME": "a",
        "AZURE_STORAGE_ACCOUNT_KEY": "secret",
        "AZURE_STORAGE_SAS_TOKEN": "secret",
    }
    assert "secret" not in repr(azure_account(found))
