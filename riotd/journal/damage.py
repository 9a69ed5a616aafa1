"""What is said of a journal that is not as it was written."""

from riotd.errors import RiotdError
from riotd.journal.frames import Wrong

_REMEDY = "`riotd journal check CONFIG` says what is lost by it, `riotd journal repair CONFIG` goes on without"


class DamagedError(RiotdError):
    """A file of the state is damaged where it was on disk already; says which, where, and what can be done."""


def damaged(name: str, wrong: Wrong) -> DamagedError:
    """A file is wrong somewhere."""
    return DamagedError(f"{name}: damaged at byte {wrong.at}: {wrong.why}, although it was on disk once; {_REMEDY}")


def missing(name: str, first: int, end: int) -> DamagedError:
    """The messages from `first` to below `end` are in no file before this one."""
    what = f"messages {first} to {end - 1} are missing before it"
    return DamagedError(f"{name}: {what}: a file of the journal is gone; {_REMEDY}")
