"""`/bits status`: today's budget, what runs, the channel's rules and whether all is well, from our own books only."""

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, ScalarSelect, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.repository import CycleRepository
from bot.investigations.model import Investigation, State
from bot.investigations.records import asked_for_in, read_investigation
from bot.investigations.subject_view import subject_name
from bot.investigations.tables import investigations, subscribers
from bot.investigations.vote_book import votes_on
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.rules import no_start
from bot.rules.budget import Budget, Usage, used_words
from bot.rules.model import ChannelRules
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import NotAllowed, Permissions
from bot.rules.repository import RuleRepository
from bot.rules.rule_words import rule_lines
from bot.slack.blocks import Block, Message, context, divider, section
from bot.slack.commands import Command
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.replies import Replies
from bot.slack.text import code, escape, moment
from bot.storage.engine import Database
from bot.storage.outbox import REFUSED
from bot.storage.tables import deliveries, literally
from bot.wording import COMMAND, DATADOG, INVESTIGATIONS, counted

LATELY = 24 * 3600.0
MONTH = 30 * LATELY
MOST_ANSWERS = 200
UNDER_WAY = (State.REQUESTED, State.TRIGGERING, State.RUNNING)
_NO_TROUBLE = ("workspace_gone", "nothing_to_show")  # refused, but nobody misses them
_TROUBLES = {
    "unauthorized": "it does not accept my keys",
    "forbidden": "my key lacks a permission",
    "rate_limited": "it let me in too rarely",
    "not_reached": "it could not be reached",
    "unclear": "it could not be reached",
    "no_org": "none is connected",
}


@dataclass(frozen=True, slots=True)
class JudgedAnswers:
    """What people think of their latest answers: of a month, and of no more than `MOST_ANSWERS`."""

    right: int
    wrong: int
    unrated: int


@dataclass(frozen=True, slots=True)
class WorkspaceHealth:
    running: int  # in the whole workspace
    running_here: tuple[Investigation, ...]
    refused_posts: int  # in the last day
    datadog_answered_at: float | None = None
    datadog_refused_at: float | None = None
    datadog_trouble: str = ""
    judged: JudgedAnswers | None = None
    connected: bool = True  # whether there is a Datadog organisation to ask


class HealthReader:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, place: Place, org: str) -> WorkspaceHealth:
        async with self._database.transaction() as connection:
            answered_at = await self._answered_at(connection, org)
            refused_at, trouble = await self._trouble(connection, org, since=answered_at or 0.0)
            return WorkspaceHealth(
                running=await self._running(connection, place.workspace),
                running_here=await self._running_here(connection, place),
                refused_posts=await self._refused(connection, place.workspace),
                judged=await self._judged(connection, place.workspace, org),
                datadog_answered_at=answered_at,
                datadog_refused_at=refused_at,
                datadog_trouble=trouble,
                connected=bool(org),
            )

    async def _running(self, connection: AsyncConnection, workspace: str) -> int:
        query = select(func.count()).where(_runs_for(subscribers.c.workspace == workspace))
        return int((await connection.execute(query)).scalar_one())

    async def _running_here(self, connection: AsyncConnection, place: Place) -> tuple[Investigation, ...]:
        here = and_(subscribers.c.workspace == place.workspace, subscribers.c.channel == place.channel)
        query = select(investigations).where(_runs_for(here)).order_by(investigations.c.id.desc()).limit(5)
        rows = await connection.execute(query)
        return tuple(read_investigation(row) for row in rows.all())

    async def _refused(self, connection: AsyncConnection, workspace: str) -> int:
        table = deliveries.c
        query = select(func.count()).where(
            table.workspace == workspace,
            literally(table.state, REFUSED),
            table.ts.is_(None),
            table.problem.is_not(None),
            table.problem.not_in(_NO_TROUBLE),
            table.created_at > self._database.now - LATELY,
        )
        return int((await connection.execute(query)).scalar_one())

    async def _answered_at(self, connection: AsyncConnection, org: str) -> float | None:
        """When Datadog last took a start or told us an end."""
        table = investigations.c
        taken = and_(table.org == org, table.datadog_id.is_not(None))
        times = (
            _latest(table.started_at, taken),
            _latest(table.finished_at, and_(taken, table.state == State.CONCLUDED)),
        )
        return max((float(time) for time in (await connection.execute(select(*times))).one() if time), default=None)

    async def _judged(self, connection: AsyncConnection, workspace: str, org: str) -> JudgedAnswers:
        table = investigations.c
        answered = (
            select(table.id)
            .where(table.org == org, literally(table.state, State.CONCLUDED), asked_for_in(workspace))
            .where(table.finished_at > self._database.now - MONTH)
            .order_by(table.finished_at.desc())
            .limit(MOST_ANSWERS)
        )
        ids = (await connection.execute(answered)).scalars().all()
        judged = (await votes_on(connection, workspace, ids)).values()
        right, wrong = sum(each.is_right for each in judged), sum(each.is_wrong for each in judged)
        return JudgedAnswers(right, wrong, len(ids) - right - wrong)

    async def _trouble(self, connection: AsyncConnection, org: str, *, since: float) -> tuple[float | None, str]:
        """The last start since then that Datadog did not take, and why."""
        table = investigations.c
        query = (
            select(investigations)
            .where(
                table.org == org,
                table.state == State.FAILED,
                table.datadog_id.is_(None),
                table.finished_at > since,
            )
            .order_by(table.finished_at.desc())
            .limit(1)
        )
        row = (await connection.execute(query)).first()
        if row is None:
            return None, ""
        return row.finished_at, str(row.failure.kind) if row.failure else ""


def _runs_for(whom: ColumnElement[bool]) -> ColumnElement[bool]:
    asked = exists().where(subscribers.c.investigation_id == investigations.c.id, whom)
    return and_(investigations.c.state.in_(UNDER_WAY), asked)


def _latest(time: Column[float], which: ColumnElement[bool]) -> ScalarSelect[float]:
    return select(time).where(which, time.is_not(None)).order_by(time.desc()).limit(1).scalar_subquery()


# -- the command ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatusCommand:
    permissions: Permissions
    rules: RuleRepository
    budget: Budget
    health: HealthReader
    which_org: WhichOrg
    orgs: OrgRepository
    cycles: CycleRepository
    replies: Replies

    def commands(self) -> tuple[Command[str]]:
        usage = (("", "today's budget, what is running, this channel's rules, and whether all is well"),)
        return (Command("status", usage, str, self.run),)

    async def run(self, typed: Interaction, _words: str) -> After:
        return self._tell(typed.place, typed.person)

    async def _tell(self, place: Place, person: str) -> None:
        await self.replies.tell(place, person, await self._message(place, person))

    async def _message(self, place: Place, person: str) -> Message:
        verdict = await self.permissions.may_look(place, person)
        if isinstance(verdict, NotAllowed):
            return no_start.refused(verdict, doing=f"see {INVESTIGATIONS} here")
        status = ChannelStatus(
            rules=await self.rules.of(place.workspace, place.channel),
            usage=await self.budget.usage(place),
            health=await self.health.of(place, await self.which_org.usual(place)),
            unrouted=await self._unrouted(place.workspace) if await self.permissions.is_admin(place, person) else 0,
        )
        return status_message(status)

    async def _unrouted(self, workspace: str) -> int:
        """Alerts of the last day that reached this workspace's organisations and no channel."""
        orgs = [entry.id for entry in await self.orgs.of_workspace(workspace)]
        return await self.cycles.unrouted(orgs, LATELY)


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    rules: ChannelRules
    usage: Usage
    health: WorkspaceHealth
    unrouted: int = 0  # webhook alerts of the last day that no channel took; 0 for whoever can't change that


def status_message(status: ChannelStatus) -> Message:
    budget = _budget(status.usage)
    health = ["Database: answers", *health_lines(status.health), *_unrouted(status.unrouted)]
    running = f"*Running*: {counted(status.health.running, 'investigation')} in this workspace"
    answers = _judged(status.health.judged)
    top = "\n".join([budget, running, *answers])
    return Message("\n".join([top, *health]), [section(top), *_here(status.health), *_rules(status), context(*health)])


def _judged(judged: JudgedAnswers | None) -> list[str]:
    if judged is None or not (count := judged.right + judged.wrong + judged.unrated):
        return []
    of = f"the last {MOST_ANSWERS} answers" if count >= MOST_ANSWERS else "answers of 30 days"
    return [f"*How people judged {of}*: {judged.right} right, {judged.wrong} wrong, {judged.unrated} unrated"]


def _budget(usage: Usage) -> str:
    limits = usage.limits
    parts = [
        f"workspace {used_words(usage.workspace, limits.workspace)}",
        f"this channel {used_words(usage.channel, limits.channel)}",
    ]
    if limits.automatic is not None:
        parts.append(f"automatically {used_words(usage.automatic, limits.automatic)}")
    return f"*Budget today* ({no_start.RESETS}): {', '.join(parts)}"


def _here(health: WorkspaceHealth) -> list[Block]:
    lines = [f"• {_running(each)}" for each in health.running_here]
    return [section("\n".join(["In this channel:", *lines]))] if lines else []


def _running(running: Investigation) -> str:
    since = moment(running.started_at or running.created_at)
    return f"{escape(subject_name(running))}, {running.state} since {since}, ref {code(running.ref, 60)}"


def _rules(status: ChannelStatus) -> list[Block]:
    origin = "from the rules file" if status.rules.from_file else f"change them with `{COMMAND} settings`"
    lines = [f"• {line}" for line in rule_lines(status.rules)]
    return [divider(), section("\n".join([f"*Rules of this channel* ({origin}):", *lines]))]


def _unrouted(alerts: int) -> list[str]:
    if not alerts:
        return []
    what = f"{counted(alerts, 'notification')} of {DATADOG}'s webhook in the last day reached no channel"
    return [f"Alerts: {what}; `{COMMAND} settings` in a channel says what comes there"]


def health_lines(health: WorkspaceHealth) -> tuple[str, str]:
    """mrkdwn; for status and for Home."""
    posts = health.refused_posts
    refused = (
        f"{counted(posts, 'delivery error')} in 24 h: a channel refused what I posted"
        if posts
        else "no delivery errors in 24 h"
    )
    return f"{DATADOG}: {_datadog(health)}", f"Slack: {refused}"


def _datadog(health: WorkspaceHealth) -> str:
    if not health.connected:
        return f"no organisation is connected; a workspace admin can: `{COMMAND} connect`"
    answered, refused = health.datadog_answered_at, health.datadog_refused_at
    good = f"last answered {_when(answered)}" if answered else ""
    if refused and refused > (answered or 0):
        why = _TROUBLES.get(health.datadog_trouble, "it refused the start")
        bad = f"refused {_when(refused)}: {why}"
        return f"{bad}; {good}" if good else bad
    return good or f"not asked for {INVESTIGATIONS} yet"


def _when(timestamp: float) -> str:
    return moment(timestamp, "{date_short_pretty} {time}")
