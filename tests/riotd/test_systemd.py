import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from riotd.cli.verbs import EXIT_CONFIG
from riotd.config import Config
from riotd.control import sockets
from riotd.units import seconds

UNITS = Path(__file__).parents[2] / "systemd"
OPT = "/opt/riotd"
WORST = 20  # tenths of systemd's exposure level

needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


FLOWS = ("etl", "stats", "train", "pred")


def installed(folder: Path, *, shared_ray: bool = False, flows: bool = False) -> Path:
    """The folder with the units as an administrator would install them, and programs where they expect them."""
    programs = folder / "opt" / "bin"
    programs.mkdir(parents=True)
    for name in ("riotd", "ray"):
        (programs / name).symlink_to("/bin/true")
    for unit, target in (("riotd@.service", "riotd@city.service"), ("riotd-ray.service", "riotd-ray.service")):
        text = (UNITS / unit).read_text(encoding="utf-8").replace(OPT, str(folder / "opt"))
        (folder / target).write_text(text, encoding="utf-8")
    if shared_ray:
        (folder / "riotd@city.service.d").mkdir()
        shutil.copy(UNITS / "shared-ray.conf", folder / "riotd@city.service.d")
    if flows:
        shutil.copy(UNITS / "riotd-flows.target", folder)
        for flow in FLOWS:
            shutil.copy(folder / "riotd@city.service", folder / f"riotd@{flow}.service")
            (folder / f"riotd@{flow}.service.d").mkdir()
            shutil.copy(UNITS / "flows.conf", folder / f"riotd@{flow}.service.d")
    return folder


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def settings(unit: str) -> dict[str, str]:
    """The [Service] section; of a key that is there twice, the last."""
    parser = configparser.RawConfigParser(strict=False, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment,method-assign] # systemd's keys have capitals
    parser.read(UNITS / unit, encoding="utf-8")
    return dict(parser["Service"])


@needs_analyze
@pytest.mark.parametrize("shared_ray", [False, True])
def test_units_verify_clean(tmp_path: Path, *, shared_ray: bool) -> None:
    """There is nothing systemd has to say about the units, alone and with the drop-in."""
    folder = installed(tmp_path, shared_ray=shared_ray)
    units = [str(folder / name) for name in ("riotd@city.service", "riotd-ray.service")]
    done = analyze("verify", "--man=no", *units)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_analyze
def test_the_four_dataflows_verify_clean(tmp_path: Path) -> None:
    """There is nothing systemd has to say about the four instances with their drop-in, nor about their target."""
    folder = installed(tmp_path, flows=True)
    units = [str(folder / "riotd-flows.target"), *(str(folder / f"riotd@{flow}.service") for flow in FLOWS)]
    done = analyze("verify", "--man=no", *units)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_analyze
def test_the_four_dataflows_exposure(tmp_path: Path) -> None:
    """An instance with one user for all four is not more exposed than the units may be."""
    done = analyze(
        "security", "--offline=true", f"--threshold={WORST}", str(installed(tmp_path, flows=True) / "riotd@etl.service")
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_the_target_wants_the_four() -> None:
    """The target wants one instance for each of the four dataflows, each of which has a config."""
    parser = configparser.RawConfigParser(delimiters="=", comment_prefixes="#")
    parser.read(UNITS / "riotd-flows.target", encoding="utf-8")
    wanted = parser["Unit"]["Wants"].split()
    assert wanted == [f"riotd@{flow}.service" for flow in FLOWS]
    assert all((UNITS.parent / "config" / f"{flow}.yaml").is_file() for flow in FLOWS)


def test_the_four_share_user_and_folder() -> None:
    """With the drop-in the four have one static user and work in one folder of its own, which systemd makes."""
    found = settings("flows.conf")
    assert (found["DynamicUser"], found["User"]) == ("no", "riotd")
    assert found["WorkingDirectory"] == f"%S/{found['StateDirectory']}"


@needs_analyze
@pytest.mark.parametrize("unit", ["riotd@city.service", "riotd-ray.service"])
def test_exposure(tmp_path: Path, unit: str) -> None:
    """The units' exposure is 2.0 or better in systemd's eyes."""
    folder = installed(tmp_path)
    done = analyze("security", "--offline=true", f"--threshold={WORST}", str(folder / unit))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_a_wrong_config_is_not_retried() -> None:
    """The unit knows the exit code of a wrong config, and does not start again after it."""
    assert settings("riotd@.service")["RestartPreventExitStatus"] == str(EXIT_CONFIG)


def test_systemd_waits_for_the_drain() -> None:
    """The unit's patience at stop is above the default grace, with room for Ray to end."""
    assert seconds(int(settings("riotd@.service")["TimeoutStopSec"])) >= Config.model_fields["grace"].default + 15


def test_life_as_the_daemon_lives_it() -> None:
    """The unit waits for READY=1, watches, reloads by SIGHUP and ends the daemon alone."""
    expected = {"Type": "notify", "WatchdogSec": "30", "ExecReload": "/bin/kill -HUP $MAINPID", "KillMode": "mixed"}
    assert expected.items() <= settings("riotd@.service").items()


def test_ray_token_is_made_once_and_private(tmp_path: Path) -> None:
    """The unit's own command makes Ray's token, for the owner only, and keeps the one that is there."""
    line = settings("riotd@.service")["ExecStartPre"]
    script = line.removeprefix("/bin/sh -c ").strip("'")
    assert script != line
    token = tmp_path / "ray-auth-token"
    for _ in range(2):
        before = token.read_text() if token.exists() else None
        # systemd reads \n in the unit as a line break
        subprocess.run(
            ["/bin/sh", "-c", "umask 077; " + script.replace("\\n", "\n")],
            env={"RAY_AUTH_TOKEN_PATH": str(token), "PATH": "/usr/bin:/bin"},
            check=True,
            timeout=30,
        )
        made = token.read_text()
        assert before in {None, made}
    assert len(made) == 64
    assert set(made) <= set("0123456789abcdef")
    assert token.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed")
def test_sysusers(tmp_path: Path) -> None:
    """The file gives a system user riotd."""
    files = tmp_path / "usr/lib/sysusers.d"
    files.mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    shutil.copy(UNITS / "riotd.sysusers", files / "riotd.conf")
    done = subprocess.run(
        ["systemd-sysusers", "--dry-run", f"--root={tmp_path}"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert "Creating user 'riotd' (riotd and its Ray head)" in done.stderr + done.stdout


def test_status_finds_the_units_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The daemon's socket is in the folder that systemd makes for its instance, where `riotd status` looks for it."""
    found = settings("riotd@.service")
    assert (found["RuntimeDirectory"], found["RuntimeDirectoryMode"]) == ("riotd/%i", "0700")
    assert Path("/run/riotd") == sockets._SYSTEMD
    monkeypatch.setattr(sockets, "_SYSTEMD", tmp_path / "riotd")
    (tmp_path / "riotd" / "city").mkdir(parents=True)
    path = sockets.own_place("city-etl", {"RUNTIME_DIRECTORY": str(tmp_path / "riotd" / "city")})
    assert path in sockets.places("city-etl", {})
