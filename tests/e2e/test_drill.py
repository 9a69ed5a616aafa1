"""The drill as a person runs it: a daemon hurt in every way there is, and judged; and one that deserves no praise."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from riotd.drill.faults import FAULTS
from tests.riotd.brokers import MOSQUITTO

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="the drill's own broker is mosquitto")

SECONDS = float(os.environ.get("RIOTD_DRILL_SECONDS", "4"))
"""For long runs by hand: RIOTD_DRILL_SECONDS=400."""
KILLS = int(os.environ.get("RIOTD_DRILL_KILLS", "2"))
"""The same: RIOTD_DRILL_KILLS=200."""


async def drill(folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report of `riotd drill`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "riotd", "drill", "--json", "-o", str(folder), *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert out, err.decode()
    return process.returncode or 0, json.loads(out)


def well(report: dict[str, Any]) -> None:
    """Every promise held, and something came out that it held for."""
    assert report["complaints"] == []
    assert report["lost"] == 0
    assert report["acknowledged"] == report["sent"] > 0
    assert report["results"]["heard"] == report["sent"] + report["results"]["doubled"]


class TestDrill:
    @pytest.mark.timeout(240 + 4 * SECONDS)
    async def test_of_kills_finds_nothing(self, tmp_path: Path) -> None:
        """SIGKILL again and again: nothing lost, order kept, state right to the bit."""
        code, report = await drill(
            tmp_path / "drill", "--seconds", str(SECONDS), "--every", "500ms", "--faults", "kill-daemon"
        )
        well(report)
        assert code == 0
        assert report["lives"] > 1

    @pytest.mark.timeout(240 + 30 * KILLS)
    async def test_of_a_number_of_kills_spreads_them(self, tmp_path: Path) -> None:
        """As many kills as were asked for, with messages between them; no more than a batch comes again after each."""
        code, report = await drill(
            tmp_path / "drill", "--kills", str(KILLS), "--messages", str(2000 * KILLS), "--rate", "2000"
        )
        well(report)
        assert code == 0
        assert report["sent"] == 2000 * KILLS
        assert report["kills"] >= KILLS
        assert report["doubled_by_a_kill"] <= report["batch"]

    @pytest.mark.timeout(240 + 4 * SECONDS)
    @pytest.mark.parametrize("faults", ["cut-broker,restart-broker", "full-disk,skew-clock", "half-open"])
    async def test_of_the_surroundings_finds_nothing(self, faults: str, tmp_path: Path) -> None:
        """Network, broker, disk and clock misbehave: nothing lost, nothing kept twice, and the daemon lives on."""
        code, report = await drill(
            tmp_path / "drill", "--seconds", str(SECONDS), "--every", "500ms", "--faults", faults
        )
        well(report)
        assert code == 0
        assert report["lives"] == 1
        assert report["episodes"]

    async def test_names_what_it_leaves_out(self, tmp_path: Path) -> None:
        """A fault that can't be had is in the report with the reason, and the rest is done."""
        code, report = await drill(tmp_path / "drill", "--messages", "500", "--faults", "kill-actor")
        assert code == 0
        assert report["skipped"] == {"kill-actor": "the inline engine has no actors"}
        assert report["sent"] == 500

    def test_lists_the_faults(self) -> None:
        """`--list` has all of them, `--faults` no others."""
        listed = subprocess.run([sys.executable, "-m", "riotd", "drill", "--list"], capture_output=True, check=True)
        assert all(name in listed.stdout.decode() for name in FAULTS)
        refused = subprocess.run(
            [sys.executable, "-m", "riotd", "drill", "--faults", "rain"], capture_output=True, check=False
        )
        assert refused.returncode == 2
        assert "rain" in refused.stderr.decode()
