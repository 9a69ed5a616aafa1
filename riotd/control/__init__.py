"""A running daemon's ear: requests and answers over a socket that only its own user can reach.

A request is a JSON object on a line of its own, `{"do": "status"}`, an answer too: `{"answer": …}` or `{"error": "…"}`.
"""

from riotd.control.client import Asker, NotRunningError
from riotd.control.server import Control, Handler, RefusedError
from riotd.control.sockets import own_place, places

__all__ = ["Asker", "Control", "Handler", "NotRunningError", "RefusedError", "own_place", "places"]
