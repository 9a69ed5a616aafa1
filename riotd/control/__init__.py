"""A running daemon's ear: requests and answers over a socket that only its own user can reach.

A request is a JSON object on a line of its own, `{"do": "status"}`, an answer too: `{"answer": …}` or `{"error": "…"}`.
"""

from riotd.control.client import Asker, NotRunningError
from riotd.control.places import own_place, places
from riotd.control.server import Control, Handler, RefusedError

__all__ = ["Asker", "Control", "Handler", "NotRunningError", "RefusedError", "own_place", "places"]
