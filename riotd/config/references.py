"""What `after:` and `from:` may name: stages, `<stage>/<output>`, sources."""

from collections.abc import Mapping, Sequence

import msgspec

from riotd import catalog
from riotd.config.wording import meant


class Names(msgspec.Struct, frozen=True):
    """The names of a file.

    Attributes:
        tasks: of the stages, by their ids.
        sources: names of the sources.
    """

    tasks: Mapping[str, str]
    sources: Sequence[str] = ()

    def after(self, name: str) -> tuple[str, str] | None:
        """What is wrong with it as something to take from, and the remedy; None if nothing is."""
        stage, slash, _ = name.partition("/")
        if name in self.sources:
            return None
        if slash and stage in self.sources:
            return f"{stage!r} is a source, and has no outputs beside its messages", f"write {stage!r}"
        if stage not in self.tasks:
            kind = "stage or source" if self.sources else "stage"
            return f"there is no {kind} {stage!r}", meant(stage, [*self.tasks, *self.sources])
        return self._output(name)

    def wanted(self, name: str) -> tuple[str, str] | None:
        """The same of what a sink takes from."""
        stage = name.partition("/")[0]
        if stage in self.sources and stage not in self.tasks:
            return f"{stage!r} is a source, no stage", "put a stage with the task noop between them"
        if stage not in self.tasks:
            return f"there is no stage {stage!r}", meant(stage, list(self.tasks))
        return self._output(name)

    def _output(self, name: str) -> tuple[str, str] | None:
        stage, slash, output = name.partition("/")
        if not slash:
            return None
        try:
            asides = catalog.find(self.tasks[stage]).asides
        except (catalog.TaskNotFound, catalog.BrokenTask):
            return None  # a mistake of the stage's already
        if output in asides:
            return None
        remedy = meant(output, asides) if asides else f"its task has but the main one: write {stage!r}"
        return f"{stage!r} has no output {output!r}", remedy
