"""The control socket: who may ask, what is answered, and that nobody who asks holds anybody up."""

import asyncio
import os
import socket
import stat
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from riotd.control import Asker, Control, NotRunningError, RefusedError, own_place, places, server

LOGGER = "riotd.control.server"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket, however long the test's name is."""
    with tempfile.TemporaryDirectory(prefix="riotd-test-") as path:
        yield Path(path)


async def echo(request: Mapping[str, Any]) -> Any:
    """What was asked."""
    return dict(request)


async def refuse(_request: Mapping[str, Any]) -> Any:
    """Refuse."""
    raise RefusedError("there is one shard only")


async def fail(_request: Mapping[str, Any]) -> Any:
    """Have a mistake."""
    return {}["no such key"]


HANDLERS = {"status": echo, "scale": refuse, "broken": fail}


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[Path]:
    async with Control(path, HANDLERS):
        yield path


@asynccontextmanager
async def client(path: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def raw(path: Path, data: bytes) -> bytes:
    """All that is said to these bytes, until it hangs up."""
    async with client(path) as (reader, writer):
        writer.write(data)
        writer.write_eof()
        return await reader.read()


def asked(path: Path, *whats: str) -> list[Any]:
    with Asker([path]) as asker:
        return [asker.ask(what, n=1) for what in whats]


class TestAnswers:
    async def test_each_request_has_its_own(self, folder: Path) -> None:
        """Several requests of one connection are answered in order, each by the handler it names."""
        async with listening(folder / "x.sock") as path:
            answers = await asyncio.to_thread(asked, path, "status", "status")
        assert answers == [{"do": "status", "n": 1}] * 2

    async def test_a_refusal_says_why(self, folder: Path) -> None:
        """What a handler refuses comes to the asker with the handler's words."""
        async with listening(folder / "x.sock") as path:
            with pytest.raises(RefusedError, match="there is one shard only"):
                await asyncio.to_thread(asked, path, "scale")

    @pytest.mark.parametrize(
        "line", [b'{"do": "dance"}', b'{"do": 7}', b"{}", b"[1]", b'"status"', b"no json", b"\xff"]
    )
    async def test_nonsense_is_answered_clearly(self, folder: Path, line: bytes) -> None:
        """A request that is none is answered with what would be one, and the connection lives on."""
        async with listening(folder / "x.sock") as path:
            said = (await raw(path, line + b'\n{"do":"status"}\n')).splitlines()
        assert said[0].startswith(b'{"error":"a request is ')
        assert said[1] == b'{"answer":{"do":"status"}}'

    async def test_a_request_without_end_is_cut_off(self, folder: Path) -> None:
        """More than 64 KiB without a line's end is too much; nothing is kept of it."""
        async with listening(folder / "x.sock") as path:
            assert await raw(path, b"x" * 200_000) == b'{"error":"a request has at most 65536 bytes"}\n'

    async def test_a_mistake_of_ours_cuts_off_its_client_only(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A handler that fails is in the log with its trace; others are answered as before."""
        async with listening(folder / "x.sock") as path:
            assert await raw(path, b'{"do":"broken"}\n') == b""
            assert await asyncio.to_thread(asked, path, "status")
        (record,) = [record for record in caplog.records if record.name == LOGGER]
        assert record.exc_info is not None
        assert record.exc_info[0] is KeyError


class TestClients:
    async def test_one_that_hangs_holds_up_nobody(self, folder: Path) -> None:
        """While one client says half a request and another does not read, a third is answered; and we can leave."""
        async with listening(folder / "x.sock") as path:
            half, deaf = [socket.socket(socket.AF_UNIX) for _ in range(2)]
            for client in (half, deaf):
                client.connect(str(path))
            half.sendall(b'{"do": ')
            deaf.sendall(b'{"do": "status"}\n' * 1000)
            assert await asyncio.to_thread(asked, path, "status")
        for client in (half, deaf):
            client.close()

    async def test_one_that_takes_too_long_is_let_go(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who says nothing for the time there is for it is hung up on."""
        monkeypatch.setattr(server, "_IDLE", 0.05)
        async with listening(folder / "x.sock") as path, client(path) as (reader, _):
            assert await asyncio.wait_for(reader.read(), 10) == b""

    async def test_one_too_many_is_told(self, folder: Path) -> None:
        """The number of clients is bounded; who comes when it is reached is told, and may come again later."""
        async with listening(folder / "x.sock") as path, AsyncExitStack() as stack:
            for _ in range(15):
                await stack.enter_async_context(client(path))
            async with client(path) as (reader, writer):
                writer.write(b'{"do":"status"}\n')
                await reader.readline()  # so all before it are in, too
                assert b"16 clients already" in await raw(path, b'{"do":"status"}\n')
            while b"already" in await raw(path, b'{"do":"status"}\n'):
                pass


class TestPlace:
    async def test_only_its_user_can_reach_it(self, folder: Path) -> None:
        """The socket is the user's alone, and so is the folder that was made for it."""
        async with listening(folder / "new" / "x.sock") as path:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert not path.exists()

    async def test_what_a_dead_daemon_left_is_replaced(self, folder: Path) -> None:
        """A socket that nobody listens at is in nobody's way."""
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(folder / "x.sock"))
        dead.close()
        with pytest.raises(NotRunningError, match="nobody listens"):
            asked(folder / "x.sock", "status")
        async with listening(folder / "x.sock") as path:
            assert await asyncio.to_thread(asked, path, "status")

    async def test_a_living_one_keeps_its_own(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A second daemon of the same name goes on without, says so, and leaves the first one's socket alone."""
        async with listening(folder / "x.sock") as path:
            async with listening(path):
                assert await asyncio.to_thread(asked, path, "status")
            assert await asyncio.to_thread(asked, path, "status")
        (record,) = [record for record in caplog.records if record.name == LOGGER]
        assert "another daemon of this name" in record.getMessage()

    @pytest.mark.parametrize("mode", [0o777, 0o720])
    async def test_a_folder_that_others_can_write_to_is_not_used(
        self, folder: Path, mode: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Among everybody's temporary files somebody else may have made the folder: then there is no socket."""
        (folder / "open").mkdir()
        (folder / "open").chmod(mode)
        async with listening(folder / "open" / "x.sock") as path:
            assert not path.exists()
        assert "others can write" in caplog.text

    async def test_a_link_is_not_used(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A link in the place of the folder may lead anywhere: then there is no socket."""
        (folder / "real").mkdir(mode=0o700)
        (folder / "link").symlink_to(folder / "real")
        async with listening(folder / "link" / "x.sock"):
            assert not (folder / "real" / "x.sock").exists()
        assert "others can write" in caplog.text

    def test_follows_systemd_then_the_session_then_the_user(self, folder: Path) -> None:
        """$RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR where it is there, else a folder of the user's own."""
        systemd = {"RUNTIME_DIRECTORY": "/run/riotd/a:/run/b", "XDG_RUNTIME_DIR": str(folder)}
        assert own_place("city", systemd) == Path("/run/riotd/a/city.sock")
        assert own_place("city", {"XDG_RUNTIME_DIR": str(folder)}) == folder / "riotd" / "city.sock"
        last = own_place("city", {"XDG_RUNTIME_DIR": str(folder / "gone")})
        assert last.parent == Path(tempfile.gettempdir()) / f"riotd-{os.getuid()}"

    def test_is_never_too_long(self, folder: Path) -> None:
        """A name too long for a socket's path is shortened, the same for who listens and who asks; so is the way."""
        deep = folder / ("d" * 100)
        deep.mkdir()
        assert own_place("n" * 200, {"XDG_RUNTIME_DIR": str(folder)}).parent == folder / "riotd"
        assert own_place("n" * 200, {}) != own_place("n" * 201, {})
        for name in ("city", "n" * 200):
            path = own_place(name, {"XDG_RUNTIME_DIR": str(deep)})
            assert len(os.fsencode(path)) <= 107
            assert path in places(name, {"XDG_RUNTIME_DIR": str(deep)})

    def test_is_looked_for_in_the_units_folders_too(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An administrator's shell has no $RUNTIME_DIRECTORY: the folders of all instances are looked into."""
        monkeypatch.setattr("riotd.control.sockets._SYSTEMD", folder)
        (folder / "etl").mkdir()
        assert folder / "etl" / "city.sock" in places("city", {})


async def test_a_daemon_that_goes_is_not_running(folder: Path) -> None:
    """Who asks on when the daemon has left is told so, not left waiting."""
    asked_once, left = threading.Event(), threading.Event()

    def ask_twice() -> None:
        with Asker([folder / "elsewhere.sock", folder / "x.sock"]) as asker:
            asker.ask("status")
            asked_once.set()
            left.wait(30)
            asker.ask("status")

    async with listening(folder / "x.sock"):
        asking = asyncio.create_task(asyncio.to_thread(ask_twice))
        assert await asyncio.to_thread(asked_once.wait, 30)
    left.set()
    with pytest.raises(NotRunningError, match="the daemon has gone"):
        await asking
