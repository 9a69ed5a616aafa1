"""The life of the daemon: start, watch, reload, drain, abort; signals and exit codes."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from typing import Any, Final

from riotd import __version__
from riotd.config import Config
from riotd.control import Control, own_place
from riotd.errors import ConfigError, RiotdError
from riotd.notify import Notifier
from riotd.wiring import Service

log = logging.getLogger("riotd")

DONE: Final = 0
FAILED: Final = 1

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_MOMENT = 0.2
"""Seconds in which a state folder says that it is none of ours."""
_DRAIN_SHARE = 0.75
"""Of the grace, for draining; the rest is for leaving in order."""


class Supervisor:
    """Runs one service until it ends, is told to, or fails.

    SIGTERM or SIGINT drains: nothing more is taken in, what is in flight is finished and acknowledged. A second one,
    or the end of the grace, aborts: what is left stays unacknowledged, and is said. SIGHUP loads the config again.

    Args:
        service: what to run.
        reload: loads the config anew; raises ConfigError.
        notifier: systemd's ear.
    """

    def __init__(self, service: Service, *, reload: Callable[[], Config], notifier: Notifier) -> None:
        self._service = service
        self._reload = reload
        self._notifier = notifier
        self._signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
        self._stack = AsyncExitStack()
        self._phase = "starting"
        self.ready = asyncio.Event()

    async def run(self) -> int:
        """The whole life; the exit code."""
        with self._captured():
            life = asyncio.create_task(self._live(), name="life")
            ear = asyncio.create_task(self._listen(life), name="signals")
            try:
                await asyncio.wait({life})
            finally:
                ear.cancel()
            return self._verdict(life)

    def _verdict(self, life: "asyncio.Task[None]") -> int:
        ledger = self._service.pump.ledger
        self._close_books()
        if life.cancelled():
            if ledger.in_flight:
                log.error("stopped with %d messages unacknowledged", ledger.in_flight)
            return FAILED if ledger.in_flight or self.ready.is_set() else DONE
        error = life.exception()
        if error is None:
            return DONE
        for one in _leaves(error):
            if not isinstance(one, RiotdError):
                raise error  # a bug: the trace is for us, the restart is systemd's
            log.error("%s", one)
        return FAILED

    def _close_books(self) -> None:
        """Say the ledger, in all and by the ways messages came where there are several, and what does not add up."""
        pump = self._service.pump
        books, alarms = pump.ledger.report(pump.waiting), pump.audit()
        rows = books["sources"]
        for row in rows if len(rows) > 1 else ():
            log.info("%s %s: %s", row["source"], row["filter"] or "(by no filter)", _sum(row))
        log.info("%s%s", _sum(books), f", {books['replayed']} of them again" if books["replayed"] else "")
        for alarm in alarms:
            log.error("at the end: %s", alarm)

    async def _live(self) -> None:
        service = self._service
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            self._stack = stack
            keeper = service.keeper
            await self._awaken(stack)
            self._capture()  # again: ray.init takes SIGTERM for itself
            questions = {"status": self._status, "scaling": service.orders.scaling}
            commands = service.commands(questions)
            await service.publishers.enter(stack)
            await stack.enter_async_context(service.outputs)
            before = await service.resume()
            await stack.enter_async_context(service.source)
            await service.begin()
            beside = [group.create_task(self._watch(), name="watchdog")]
            beside.append(group.create_task(service.orders.run(), name="orders"))
            if service.reporter is not None:
                beside.append(group.create_task(service.reporter.run(), name="reporter"))
            self._phase = "running"
            place = own_place(service.config.name)
            await stack.enter_async_context(Control(place, {**questions, "scale": service.orders.scale}))
            if commands is not None:
                await stack.enter_async_context(commands)
                beside.append(group.create_task(commands.run(), name="commands"))
            self.ready.set()  # now that it also answers
            self._notifier.ready()
            log.info("%s is running: %s", service.config.name, _summary(service))
            if keeper is not None:
                beside.append(group.create_task(keeper.run(service.pump), name="snapshots"))
            await service.pump.run(before)
            for task in beside:
                task.cancel()
            if keeper is not None:
                await keeper.finish(service.pump.last_cut)
            if service.reporter is not None:
                service.reporter.publish()

    async def _awaken(self, stack: AsyncExitStack) -> None:
        """Open the state while the engine starts, for either may take seconds."""
        engine, keeper = self._service.engine, self._service.keeper
        await self._service.size()
        if keeper is None:
            await stack.enter_async_context(engine)
            return
        opening = asyncio.create_task(keeper.open(), name="state")
        await asyncio.wait({opening}, timeout=_MOMENT)
        try:
            if not (opening.done() and opening.exception()):  # most often, that the folder is another daemon's
                await stack.enter_async_context(engine)
        finally:
            await opening
            stack.push_async_callback(keeper.leave)

    async def _listen(self, life: "asyncio.Task[None]") -> None:
        """Act on signals, until the life is over."""
        while True:
            number = await self._signals.get()
            if number is signal.SIGHUP:
                await self._change()
            else:
                break
        self._phase = "draining"
        self._notifier.stopping()
        if not self.ready.is_set():
            log.info("%s while starting: leaving", number.name)
            life.cancel()
            return
        grace = self._service.config.grace
        log.info("%s: draining, at most %gs; once more to leave at once", number.name, grace * _DRAIN_SHARE)
        again = asyncio.create_task(self._second(), name="second signal")
        try:
            await asyncio.wait_for(self._service.pump.stop(), grace * _DRAIN_SHARE / 2)
            await asyncio.wait({life, again}, timeout=grace * _DRAIN_SHARE, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            log.warning("the source did not stop in time")
        finally:
            again.cancel()
        if not life.done():
            log.error("leaving with work undone")
            life.cancel()

    async def _second(self) -> None:
        while await self._signals.get() is signal.SIGHUP:
            log.info("SIGHUP while draining: nothing to reload for")

    async def _change(self) -> None:
        """SIGHUP: check the file, and go over to it if it is right."""
        if not self.ready.is_set():
            log.info("SIGHUP while starting: the file was only just read")
            return
        self._notifier.reloading()
        try:
            config = await asyncio.to_thread(self._reload)
            live, fixed = await self._service.change(config, self._stack)
        except ConfigError as error:
            for mistake in error.mistakes:
                log.error("%s", mistake)  # noqa: TRY400 - the user's mistake, no trace
            log.error("reload refused: running on as before")  # noqa: TRY400
        else:
            log.info("reloaded: %s", ", ".join(live) or "nothing has changed")
            if fixed:
                log.warning("not changed until a restart: %s", ", ".join(fixed))
        self._notifier.ready()

    async def _watch(self) -> None:
        """Feed systemd's watchdog on progress or honest idleness: never while the engine owes an answer in vain.

        An engine that deals with a hung task by itself is given the time for it.
        """
        interval = self._notifier.watchdog_interval
        if interval is None:
            return
        service = self._service
        longest = max(interval, 2 * service.engine.deadline)
        before, since_answer = (-1, service.engine.signs()), 0.0
        while True:
            await asyncio.sleep(interval / 4)
            pump = service.pump
            now = (pump.answered, service.engine.signs())
            since_answer = 0.0 if now != before or not pump.in_engine else since_answer + interval / 4
            before = now
            if since_answer < longest:
                self._notifier.watchdog()

    async def _status(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        """What `riotd status` shows: the statistics as they are, the window of whoever reports left as it is."""
        service = self._service
        who = {"name": service.config.name, "pid": os.getpid(), "version": __version__, "file": service.config.file}
        return {**who, "phase": self._phase, "report": service.report(look=service.reporter is not None)}

    @contextmanager
    def _captured(self) -> Iterator[None]:
        self._capture()
        try:
            yield
        finally:
            loop = asyncio.get_running_loop()
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _capture(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signals.put_nowait, number)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The single errors in a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _sum(books: Mapping[str, int]) -> str:
    return f"received {books['received']} = settled {books['settled']} + in flight {books['in_flight']}"


def _summary(service: Service) -> str:
    config = service.config
    stages = " → ".join(stage.id for stage in service.plan.stages)
    sources = ", ".join(inlet.name or inlet.block.type for inlet in config.inlets)
    return f"{sources} → {stages} → {', '.join(config.sinks)} ({config.engine.type}, {service.rescaler.shards})"
