"""The network between a bot and its PostgreSQL, for tests in which it breaks."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Line:
    """The network between a bot and its PostgreSQL; it can go dead with everything that is connected over it."""

    database_url: str
    _ends: list[asyncio.StreamWriter] = field(default_factory=list)
    _is_dead: set[int] = field(default_factory=set)
    _carrying: list[asyncio.Task[None]] = field(default_factory=list)
    opened: int = 0
    is_black_hole: bool = False

    async def start(self) -> str:
        match = re.fullmatch(r"(.*?)@/(\w+)\?host=(.*)", self.database_url)
        assert match, self.database_url
        who, name, folder = match.groups()
        self._socket = f"{folder}/.s.PGSQL.5432"
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"{who}@127.0.0.1:{port}/{name}"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.opened = self.opened + 1
        there, back = await asyncio.open_unix_connection(self._socket)
        self._ends += [writer, back]
        self._carrying += [asyncio.create_task(self._carry(number, *way)) for way in ((reader, back), (there, writer))]

    async def _carry(self, number: int, from_: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await from_.read(65536):
                if number in self._is_dead or self.is_black_hole:
                    await asyncio.Event().wait()
                to.write(data)
        to.close()

    def goes_dead(self) -> None:
        """What is connected hears nothing any more, not even that it is over; a new connection works."""
        self._is_dead |= set(range(1, self.opened + 1))

    def swallows_everything(self) -> None:
        """From now on, over new connections, too."""
        self.is_black_hole = True

    async def stop(self) -> None:
        self._server.close()
        for end in self._ends:
            end.transport.abort()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
