"""Dead letters on disk: a capped, rotated store, its numbers, and what was sent again."""

from riotd.letters.encoding import decode_letter, encode_letter, fingerprint
from riotd.letters.reading import Letter, read_letters
from riotd.letters.replayed import Replayed
from riotd.letters.store import Store

__all__ = ["Letter", "Replayed", "Store", "decode_letter", "encode_letter", "fingerprint", "read_letters"]
