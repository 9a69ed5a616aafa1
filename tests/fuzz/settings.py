"""Config files, and settings over them."""

from pathlib import Path
from tempfile import mkdtemp

from riotd import config
from riotd.errors import ConfigError

_FOLDER = Path(__file__).resolve().parents[2] / "config"
CONFIGS = tuple(path.read_bytes() for path in sorted(_FOLDER.glob("*.yaml"), key=lambda path: path.stat().st_size)[:2])
"""The two shortest: each input takes as long as it has lines."""
SETTINGS = (
    b"batch.max_wait=5ms",
    b"stages[0].params.window=3",
    b"sinks.results.topic=a/{source}",
    b"engine={shards: 2}",
)
_FILE = Path(mkdtemp(prefix="riotd-fuzz-")) / "fuzz.yaml"


def config_text(data: bytes) -> str:
    """A file: a config of which all can be made that is made of one, or mistakes with their places."""
    _FILE.write_bytes(data)
    try:
        loaded = config.load(_FILE)
    except ConfigError as error:
        return _told(error)
    config.plan(loaded)
    config.warnings(loaded)
    config.settings_text(loaded)
    assert config.difference(loaded, loaded) == ([], [])
    return "a config"


def _told(error: ConfigError) -> str:
    assert error.mistakes
    return f"{len(error.mistakes)} mistakes"


def setting(data: bytes) -> str:
    """What follows --set."""
    try:
        config.load(_FOLDER / "minimal.yaml", [data.decode(errors="surrogateescape")])
    except ConfigError as error:
        return _told(error)
    return "a config"
