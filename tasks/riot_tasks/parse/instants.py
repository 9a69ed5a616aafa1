"""Points in time as devices write them."""

from datetime import UTC, datetime

from riot_tasks.senml import number, seconds


def unix_seconds(text: str) -> float:
    """Unix seconds of a Unix time in seconds, milli-, micro- or nanoseconds, or of a date and time of ISO 8601.

    Numbers are told apart by their size; a date and time without an offset is UTC.

    Raises:
        ValueError: it is neither.
    """
    text = text.strip()
    try:
        return seconds(number(text))
    except ValueError:
        if text.isdecimal():  # too long a row of digits, of which `fromisoformat` takes some for a date
            raise
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
