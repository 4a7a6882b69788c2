"""How long Slack told us to leave a method alone in a workspace: kept for every replica, so that nobody asks before that."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlalchemy import ColumnElement, Row, Select, exists, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.slack.errors import DEFAULT_WAIT
from bot.storage.engine import Database
from bot.storage.leases import reached
from bot.storage.tables import told_waits
from bot.storage.troubles import troubles
from bot.storage.workers import FAR

logger = logging.getLogger(__name__)

POST = "chat.postMessage"  # about one a second is each channel's limit; those of other methods are the workspace's
LONG = 5.0  # seconds: told for longer in two channels, it is the workspace that has to wait
LONGEST = FAR / 2
CAREFUL = 60.0  # seconds after a wait in which calls go one after the other, so that only one finds out if it goes on
TURN = 2.0


@dataclass(eq=False, slots=True)
class _Wait:
    until: float = -math.inf  # by our own clock
    is_long: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Waits:
    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._told: dict[tuple[str, str, str], _Wait] = {}  # by workspace, method and channel

    def left(self, workspace: str, method: str, channel: str = "") -> float:
        """Seconds until this may be called; 0 where it may be now."""
        now = self._clock()
        return max((wait.until - now for wait in self._of(workspace, method, channel) if wait.until > now), default=0.0)

    @asynccontextmanager
    async def turn(self, workspace: str, method: str, channel: str = "") -> AsyncIterator[None]:
        """To make the call in. Raises what Slack would answer, where it has told us already."""

        def refuse_if_told() -> None:
            if left := self.left(workspace, method, channel):
                raise slow_down(method, left)

        refuse_if_told()
        told = self._of(workspace, method, channel)
        if not told:
            yield
            return
        turn = told[0].turn
        try:
            async with asyncio.timeout(TURN):
                await turn.acquire()
        except TimeoutError:
            raise slow_down(method, DEFAULT_WAIT) from None
        try:
            refuse_if_told()
            yield
        finally:
            turn.release()

    async def told(self, workspace: str, method: str, channel: str, seconds: float) -> None:
        """Slack says that this may not be called for so long."""
        seconds, channel = min(seconds, LONGEST), channel if method == POST else ""
        if channel and seconds > LONG and (self._of(workspace, POST, "") or self._waits_elsewhere(workspace, channel)):
            channel = ""
        if not self._note(workspace, method, channel, seconds):
            return
        logger.warning("%s rests for %.0f s in %s %s, as Slack asks", method, seconds, workspace, channel)
        key = {"workspace": workspace, "method": method, "channel": channel}
        values = {**key, "until": self._database.now + seconds}
        try:
            await self._database.write(self._database.upsert(told_waits, values, key=tuple(key)))
        except Exception as error:  # noqa: BLE001  it holds here all the same
            troubles.met("waits told to other replicas", error)

    def _waits_elsewhere(self, workspace: str, channel: str) -> bool:
        now = self._clock()
        return any(
            wait.is_long and wait.until > now and of == workspace and where not in {"", channel}
            for (of, method, where), wait in self._told.items()
            if method == POST
        )

    def _note(self, workspace: str, method: str, channel: str, seconds: float) -> bool:
        """False when it is nothing new."""
        now = self._clock()
        wait = self._told.setdefault((workspace, method, channel), _Wait())
        if now + seconds < wait.until + DEFAULT_WAIT:
            return False
        wait.until, wait.is_long = now + seconds, seconds > LONG
        self._told = {key: each for key, each in self._told.items() if each.until + CAREFUL > now}
        return True

    def _of(self, workspace: str, method: str, channel: str) -> list[_Wait]:
        """What was told lately, for the whole workspace first."""
        now = self._clock()
        keys = ((workspace, method, ""), (workspace, method, channel))
        told = (self._told.get(key) for key in dict.fromkeys(keys))
        return [wait for wait in told if wait is not None and wait.until + CAREFUL > now]

    # -- what other replicas were told --------------------------------------------------------------------------

    def unread(self) -> Select[float]:
        """Nothing where nobody waits; as the sweep asks all who work."""
        return select(literal(0.0)).where(exists().where(self._running()))

    async def learn(self) -> None:
        self._read(await self._database.all(self._query()))

    async def learn_with(self, connection: AsyncConnection) -> None:
        self._read((await connection.execute(self._query())).all())

    def _query(self) -> Select[tuple[str, str, str, float]]:
        table = told_waits.c
        left = (table.until - self._database.now).label("left")
        return select(table.workspace, table.method, table.channel, left).where(self._running())

    def _running(self) -> ColumnElement[bool]:
        return ~reached(told_waits.c.until, self._database.now, FAR)

    def _read(self, rows: Iterable[Row[tuple[str, str, str, float]]]) -> None:
        for row in rows:
            self._note(row.workspace, row.method, row.channel, row.left)


def slow_down(method: str, seconds: float) -> SlackApiError:
    """Slack's own words for it, without asking again."""
    answer = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url=method,
        req_args={},
        data={"ok": False, "error": "ratelimited"},
        headers={"Retry-After": f"{seconds:.3f}"},
        status_code=429,
    )
    return SlackApiError(f"{method} has to wait, as Slack told us", answer)  # type: ignore[no-untyped-call]
