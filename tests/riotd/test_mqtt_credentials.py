"""Secrets by reference: found, or refused with where, what and remedy."""

from pathlib import Path

import pytest

from riotd import config
from riotd.clock import SystemClock
from riotd.errors import ConfigError
from riotd.mqtt import Publisher, read_secret
from riotd.sources.mqtt import MqttSource


def test_a_file_loses_its_newline(tmp_path: Path) -> None:
    """One trailing newline is an editor's, not the password's."""
    path = tmp_path / "secret"
    path.write_text("pass word \n")
    assert read_secret(config.Secret(file=path), "source.password") == "pass word "


def test_an_environment_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable's value is the secret."""
    monkeypatch.setenv("BROKER_PASSWORD", "abc")
    assert read_secret(config.Secret(env="BROKER_PASSWORD"), "source.password") == "abc"


def test_a_systemd_credential_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A credential is a file in $CREDENTIALS_DIRECTORY."""
    (tmp_path / "broker").write_text("abc")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret(config.Secret(credential="broker"), "source.password") == "abc"


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ({"env": "NOT_SET_ANYWHERE"}, "source.password.env: the environment has no NOT_SET_ANYWHERE"),
        ({"file": "/nowhere/secret"}, "source.password.file: /nowhere/secret can't be read"),
        ({"credential": "broker"}, "source.password.credential: no $CREDENTIALS_DIRECTORY"),
        ({"file": "/dev/null"}, "source.password.file: the secret is empty"),
    ],
)
def test_a_missing_secret_is_a_mistake_with_its_place(
    secret: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing, where it was asked for, and what to do."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError) as caught:
        read_secret(config.Secret.model_validate(secret), "source.password")
    assert str(caught.value).startswith(message)
    assert caught.value.mistakes[0].remedy


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"url": "mqtts://x", "tls": {"ca": "/nowhere/ca.pem"}}, "mqtt.tls.ca"),
        ({"url": "mqtts://x", "tls": {"cert": "/nowhere/c", "key": "/nowhere/k"}}, "mqtt.tls"),
        ({"url": "mqtt://x", "username": "ann", "password": {"file": "/nowhere/pw"}}, "mqtt.password.file"),
        ({"url": "mqtt://x", "protocol": "3.1.1", "password": {"env": "HOME"}}, "mqtt.username"),
    ],
)
async def test_entering_a_connection_names_what_it_lacks(settings: dict[str, object], where: str) -> None:
    """A certificate or secret that is not there is a configuration mistake before any connection is tried."""
    with pytest.raises(ConfigError) as caught:
        async with Publisher(config.Connection.model_validate(settings), client_id="x"):
            pass
    assert [mistake.where for mistake in caught.value.mistakes] == [where]


async def test_a_named_source_is_blamed_by_its_name() -> None:
    """A secret that is not there is a mistake of the source that wants it, where the file has it."""
    secret = config.Secret(env="RIOTD_TEST_NOBODY_SETS_THIS")
    block = config.MqttSource(type="mqtt", url="mqtt://localhost", topics=["a"], username="u", password=secret)
    source = MqttSource(block, name="test", clock=SystemClock(), where="sources.feed")
    with pytest.raises(ConfigError) as caught:
        await source.__aenter__()
    assert caught.value.mistakes[0].where == "sources.feed.password.env"
