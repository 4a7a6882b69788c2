"""Workspaces that leave: written down before Slack is told that we heard it, then carried out until it is done.

The events come in any order, twice, or late after a new install; so what counts is what Slack says about the token now.
"""

import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from slack_sdk.errors import SlackApiError
from sqlalchemy import Row, delete, select

from bot.slack.errors import CALL_ERRORS, trouble_of
from bot.slack.gates import Open
from bot.slack.listeners import Listeners
from bot.slack.payloads import Payload
from bot.storage.all_workers import Forget
from bot.storage.engine import Database, wake
from bot.storage.troubles import troubles
from bot.storage.workers import Tasks
from bot.workspaces.clients import InstalledWorkspaces
from bot.workspaces.repository import Installation, InstallationRepository
from bot.workspaces.tables import departures

logger = logging.getLogger(__name__)

UNINSTALLED, TOKENS_REVOKED = "app_uninstalled", "tokens_revoked"
SILENTLY = "silently"  # its tokens have been refused for long: whatever event Slack sent of it never got here
SILENT_AFTER = 7 * 86_400.0  # seconds
ACCESS_REVOKED, ACCESS_GRANTED = "team_access_revoked", "team_access_granted"
ASKED_AT_ONCE = 50
AT_ONCE = 20  # carried out a step: a stop waits for no more


@dataclass(frozen=True, slots=True)
class Departure:
    """One event about leaving, for one workspace."""

    key: str  # the same for an event that is told again
    kind: str
    team_id: str
    enterprise_id: str
    is_enterprise_install: bool
    happened_at: float


@dataclass(slots=True)
class Departures:
    database: Database
    records: InstallationRepository
    workspaces: InstalledWorkspaces
    on_uninstall: Sequence[Forget]
    welcome: Callable[[str], Coroutine[Any, Any, None]]
    tasks: Tasks
    _after: int = field(default=0, init=False)  # how far this round has come: what fails holds up no other
    _asked_to: str = field(default="", init=False)

    async def note(self, leaving: Sequence[Departure]) -> None:
        """They are in the database when this returns; an enterprise may take thousands of workspaces away at once."""
        if not leaving:
            return
        async with self.database.transaction() as connection:
            await connection.execute(self.database.insert_new(departures), [asdict(one) for one in leaving])
            wake(connection, departures)

    async def note_silent(self) -> None:
        """Whoever was removed while nobody here could hear of it. Slack is asked once more before anything goes."""
        homes = await self.records.homes_after(self._asked_to, ASKED_AT_ONCE)
        self._asked_to = homes[-1] if len(homes) == ASKED_AT_ONCE else ""
        for home in homes:
            with suppress(*CALL_ERRORS):  # its client notes when its token is refused
                bot_client = await self.workspaces.bot_client(home)
                await bot_client.client.auth_test() if bot_client else None
        gone = await self.records.gone_for(SILENT_AFTER)
        await self.note([_left_silently(one) for one in gone])

    async def granted(self, teams: Sequence[str], enterprise: str, at: float) -> None:
        """An enterprise lets its org-wide install into more of its workspaces."""
        await self.records.granted(teams, enterprise, at)
        self.tasks.spawn(self.welcome(enterprise), f"welcome to {enterprise}")

    async def step(self) -> float | None:
        """Carry out some of what was noted; the answer is when to go on, if there is more in this round or Slack says when.

        What fails stays noted and is tried again in the next round; doing it twice is harmless.
        """
        noted = select(departures).where(departures.c.id > self._after).order_by(departures.c.id).limit(AT_ONCE)
        rows = await self.database.all(noted)
        waits = [await self._guarded(row) for row in rows]
        more = len(rows) == AT_ONCE
        self._after = rows[-1].id if more else 0
        return 0.0 if more else min((wait for wait in waits if wait is not None), default=None)

    async def _guarded(self, row: Row[Any]) -> float | None:
        """One workspace's trouble must not keep another's tokens here."""
        whose = row.team_id or row.enterprise_id
        try:
            await self._carry_out(row)
        except SlackApiError as error:
            trouble = trouble_of(error)
            logger.info("%s of %s has to wait: Slack says %s", row.kind, whose, trouble.code)
            return trouble.wait
        except Exception as error:  # noqa: BLE001  it stays noted
            troubles.met("departures", error)
            logger.warning("%s of %s is not carried out yet", row.kind, whose)
            return None
        await self.database.write(delete(departures).where(departures.c.id == row.id))
        return None

    async def _carry_out(self, row: Row[Any]) -> None:
        if row.kind == ACCESS_REVOKED:
            await self._leave_enterprise(row)
            return
        home = row.enterprise_id if row.is_enterprise_install else row.team_id
        installation = await self.records.at(home or "")
        if installation is not None and not await self._forget_tokens(installation, row):
            logger.info("%s was told of %s, but it is installed there now", row.kind, home)
            return
        teams = await self.records.teams_of(home) if row.is_enterprise_install else []
        for team in sorted({*teams, row.team_id or ""} - {""}):
            await self.records.unlearn(team, row.happened_at)
            await self._forget(team)
        logger.info("%s: everything kept for %s is removed", row.kind, home)

    async def _leave_enterprise(self, row: Row[Any]) -> None:
        """The org-wide install stays; only this workspace is out."""
        if await self.records.unlearn(row.team_id, row.happened_at):
            self.workspaces.drop(row.enterprise_id)
            await self._forget(row.team_id)

    async def _forget_tokens(self, installation: Installation, row: Row[Any]) -> bool:
        if not await self._is_over(installation, row.kind, row.happened_at):
            return False
        removed = await self.records.remove(installation)
        self.workspaces.drop(installation.home)
        return removed or await self.records.at(installation.home) is None

    async def _is_over(self, installation: Installation, kind: str, happened_at: float) -> bool:
        installed = await self.workspaces.still_installed(installation)
        if installed is None and kind == SILENTLY:
            return False  # noted again later
        if installed is None:
            # Slack counts the event in whole seconds
            return happened_at + 1 >= installation.installed_at
        return not installed

    async def _forget(self, team: str) -> None:
        if await self.records.serves(team):
            return  # by an install of its own besides that of its enterprise, or by a new one
        for forget in self.on_uninstall:
            await forget(team)


# -- what Slack tells ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkspaceEvents:
    """Installs that come and go."""

    departures: Departures | None  # none with the one workspace of the settings

    def register(self, on: Listeners) -> None:
        told = Open("Slack itself tells it")
        for kind in (UNINSTALLED, TOKENS_REVOKED, ACCESS_REVOKED):
            on.event(kind, self.left, told)
        on.event(ACCESS_GRANTED, self.let_in, told)

    async def left(self, body: Payload) -> None:
        leaving = departures_in(body)
        if self.departures is not None:
            await self.departures.note(leaving)
        elif leaving:
            told = "%s: Slack has taken SLACK_BOT_TOKEN out of service; install the app again"
            logger.error(told, leaving[0].kind)

    async def let_in(self, body: Payload) -> None:
        teams, enterprise = _teams(body["event"]), _enterprise(body)
        if self.departures is not None and teams and enterprise:
            await self.departures.granted(teams, enterprise, _time(body))


def departures_in(body: Payload) -> list[Departure]:
    event, authorization = body["event"], _authorization(body)
    return [
        Departure(
            key=f"{body.get('event_id', '')}:{team}",
            kind=str(event["type"]),
            team_id=team,
            enterprise_id=_enterprise(body),
            is_enterprise_install=bool(authorization.get("is_enterprise_install") or body.get("is_enterprise_install")),
            happened_at=_time(body),
        )
        for team in _leaving(event, str(body.get("team_id") or ""))
    ]


def _left_silently(one: Installation) -> Departure:
    return Departure(
        f"{SILENTLY}:{one.home}:{one.generation}",
        SILENTLY,
        one.team_id,
        one.enterprise_id,
        one.org_wide,
        one.installed_at,
    )


def _leaving(event: Payload, team: str) -> list[str]:
    if event["type"] == ACCESS_REVOKED:
        return _teams(event)
    # people's own tokens are none of ours
    is_over = event["type"] == UNINSTALLED or bool((event.get("tokens") or {}).get("bot"))
    return [team] if is_over else []


def _teams(event: Payload) -> list[str]:
    return [str(team) for team in event.get("team_ids") or ()]


def _enterprise(body: Payload) -> str:
    return str(body.get("enterprise_id") or _authorization(body).get("enterprise_id") or "")


def _authorization(body: Payload) -> Payload:
    """Whose install the event is sent to."""
    return dict((body.get("authorizations") or [{}])[0])


def _time(body: Payload) -> float:
    return float(body.get("event_time") or 0)
