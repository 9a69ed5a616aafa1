"""SenML (RFC 8428, JSON): packs to records and back.

How a pack and a `Record` correspond:

* Consecutive entries of one base name and one time are one Record; its `meta["bn"]` is the base name.
* A field is called by the local name `n`; by the whole name if there is no `n`; `n + "#sum"` holds a sum (`s`).
  "#" can't stand in a SenML name, so nothing else is ever called so.
* The value is a float or int (`v`), text (`vs`), bool (`vb`) or bytes (`vd`); `units` has what `u` or `bu` say.
* `meta["ut"]` is the update time as text, the same for all fields of a Record.

Where RFC 8428 leaves a choice: an entry of base fields only is no observation (as in 5.1.7); base value and base sum
make up for a missing `v` or `s` of an entry that has no other value (4.5.4), and are not added to text or booleans.

Also taken: the draft form that RIoTBench speaks, `{"e": [...], "bn": "", "bt": 0}` with `sv` for text and `bv` for
booleans; in both forms numbers as text, and times in milli-, micro- or nanoseconds, told by their size.
"""

from riot_tasks.senml.encoding import encode, encode_record
from riot_tasks.senml.numbers import number, seconds
from riot_tasks.senml.resolving import Observation, decode, records

__all__ = ["Observation", "decode", "encode", "encode_record", "number", "records", "seconds"]
