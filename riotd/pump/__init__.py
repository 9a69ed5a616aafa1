"""Source → batches → engine → sinks → acknowledgement: what moves messages, whatever is in them."""

from riotd.pump.books import Before, Books, Regime
from riotd.pump.outgoing import Ends
from riotd.pump.pump import Pump

__all__ = ["Before", "Books", "Ends", "Pump", "Regime"]
