"""A look at an input before its first record: which form it has, and whether what is asked for is there."""

from collections.abc import Sequence

import msgspec

from riotd.bounded.flows import Flow, check_fields, meant, sampled
from riotd.bounded.forms import Form, form_of, sniff
from riotd.bounded.keys import Keys, keys_of
from riotd.errors import ConfigError, Mistake

_LINES = 1000


class Reading(msgspec.Struct, frozen=True):
    """How an input is to be read.

    Attributes:
        key: the field that says who; None is the device.
        form: one of `forms.FORMS`; None is sniffed.
        schema: path of a schema file, for CSV without a header.
    """

    key: str | None = None
    form: str | None = None
    schema: str | None = None


class Look(msgspec.Struct, frozen=True):
    """What was found."""

    form: Form
    keys_of: Keys


def look(flow: Flow, head: Sequence[bytes], reading: Reading) -> Look:
    """Tell the form of an input, and see that what a flow and a person ask of it is there.

    Args:
        flow: what is to be done with it.
        head: its first lines.
        reading: what was asked for.

    Raises:
        ConfigError: a field, a key, a header is not there.
    """
    lines = [line for line in head if line.strip()][:_LINES]
    key = reading.key or flow.key
    name = reading.form or ("csv" if reading.schema else sniff(lines))
    if flow.wants_payload and not reading.form and name in ("csv", "json"):
        name = "raw"  # a task that wants text gets all of it, what looks like a header too
    form = form_of(name, lines, key=key, schema=reading.schema, needed=not flow.wants_payload)
    found = keys_of(form.name, key, form.columns)
    body = lines[1:] if form.header else lines
    keys = found(body)
    sample = sampled(form, body, keys)
    if key is not None and body and not any(keys):
        names = form.columns or dict.fromkeys(name for record in sample for name in record.values)
        what = "lines of text have no fields" if form.name == "raw" else f"no field {key!r} in the first lines"
        raise ConfigError([Mistake("key", what, meant(key, names) if names else "")])
    check_fields(flow, form, sample)
    return Look(form, found)
