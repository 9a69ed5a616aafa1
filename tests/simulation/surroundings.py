"""What outlives a life: brokers, files, places of results, the disk, and the trace of it all."""

import asyncio
from random import Random

from riotd.messages import DeadLetter, Result
from tests.simulation.disk import SimulatedDisk
from tests.simulation.ends import Place
from tests.simulation.files import Lines
from tests.simulation.history import Histories
from tests.simulation.loop import SimulatedLoop
from tests.simulation.network import Broker
from tests.simulation.scenario import Feed, Scenario


class Surroundings:
    """A seed's world outside the daemon.

    Attributes:
        origins: by name of the source, who publishes.
        places: of results, in the order of the plan's outlets.
        letters: place of the dead letters.
        trace: what happened, in words.
    """

    def __init__(self, scenario: Scenario, random: Random) -> None:
        self.scenario = scenario
        self.origins = {feed.name or "source": _origin(feed, random) for feed in scenario.feeds}
        self.places: list[Place[Result]] = [Place(random, exact=True), Place(random, exact=False)]
        self.letters: Place[DeadLetter] = Place(random, exact=scenario.exact_letters)
        self.disk = SimulatedDisk(random)
        self.histories = Histories()
        self.trace: list[str] = []

    def all_said(self) -> bool:
        """Whether all there will ever be is acknowledged."""
        return all(origin.done for origin in self.origins.values())

    async def trouble(self, loop: SimulatedLoop) -> None:
        """Now and then, as long as messages come, the disk refuses for a while, or results can't arrive."""
        while self.scenario.trouble and not self.all_said():
            await asyncio.sleep(loop.random.expovariate(self.scenario.trouble))
            if self.all_said():
                return
            seconds = loop.random.choice((0.05, 0.5, 5.0))
            if loop.random.random() < 0.5:
                self.say(f"the disk refuses for {seconds} s")
                self.disk.refusing = loop.random.choice((0.3, 1.0))
                loop.call_later(seconds, self.disk.begin)
            else:
                self.say(f"a sink is away for {seconds} s")
                loop.random.choice((*self.places, self.letters)).down_until = loop.time() + seconds

    def say(self, what: str) -> None:
        """Add to the trace."""
        self.trace.append(what)


def _origin(feed: Feed, random: Random) -> Broker | Lines:
    if feed.kind == "file":
        return Lines(feed.publications)
    return Broker(random, feed.publications, window=feed.window, numbers=feed.numbers, qos=feed.qos)
