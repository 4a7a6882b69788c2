"""The record of who started what, where, by which rule, and what was refused: written in the transaction it is about, and
shown by `/bits audit`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Insert, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import (
    AlertRef,
    Ask,
    EarlierRun,
    EventRef,
    ExistingRun,
    MessageRef,
    MonitorRef,
    Question,
    Subject,
    ThreadRef,
)
from bot.rules.tables import audit
from bot.slack.blocks import Message, context, section, sentences
from bot.slack.text import channel_mention, code, cut_mrkdwn, escape, mention, moment, one_line
from bot.storage.engine import Database
from bot.storage.tables import record
from bot.wording import counted

_LONGEST = {"key": 255, "rule": 160, "what": 200, "budget": 160}  # that its columns take


class Decision(StrEnum):
    LOOKING_UP = "looking_up"
    STARTED = "started"
    JOINED = "joined"
    REFUSED = "refused"
    OVER_BUDGET = "over_budget"
    COOLING_DOWN = "cooling_down"
    CONFIRMED = "confirmed"  # started over budget by somebody who may
    NOT_FOUND = "not_found"
    RETURNED = "returned"  # Datadog started nothing, so the unit was given back
    RULES_CHANGED = "rules_changed"
    CASE_CREATED = "case_created"  # by a channel's rule
    CASE_NOT_CREATED = "case_not_created"
    CASE_CLOSED = "case_closed"
    CASE_NOT_CLOSED = "case_not_closed"
    OTHER = "other"  # noted by a newer version

    @classmethod
    def _missing_(cls, _value: object) -> "Decision":
        return cls.OTHER


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    workspace: str
    channel: str
    person: str
    source: str
    decision: Decision
    rule: str = ""
    what: str = ""
    budget: str = ""
    thread_ts: str = ""
    investigation_id: int | None = None
    at: float = 0.0  # when it was noted


def entry_of(
    ask: Ask, decision: Decision, *, rule: str = "", budget: str = "", investigation_id: int | None = None
) -> Entry:
    return Entry(
        **asdict(ask.place),
        key=ask.key,
        person=ask.requester,
        source=ask.source,
        decision=decision,
        rule=rule,
        what=name_of(ask.subject),
        budget=budget,
        investigation_id=investigation_id,
    )


async def note(database: Database, connection: AsyncConnection, entry: Entry) -> None:
    """Once a key: what becomes of an ask later replaces what was written when it came."""
    cut = {name: getattr(entry, name)[:most] for name, most in _LONGEST.items()}
    await connection.execute(database.once(_noted), {**_told(entry), **cut, **database.at_moment})


def _noted(database: Database) -> Insert:
    columns = [each.name for each in fields(Entry)]
    return database.upserts(audit, columns, key=("key",)).values(at=database.moment)


def _told(entry: Entry) -> dict[str, Any]:
    return {each.name: getattr(entry, each.name) for each in fields(entry) if each.name != "at"}


async def note_return(database: Database, connection: AsyncConnection, investigation_id: int) -> None:
    """What a start had cost was given back."""
    started = select(audit).where(audit.c.investigation_id == investigation_id).order_by(audit.c.id).limit(1)
    row = (await connection.execute(started)).first()
    if row is not None:
        key = f"returned:{investigation_id}"
        await note(database, connection, replace(_entry(row), key=key, decision=Decision.RETURNED, rule="", budget=""))


async def note_not_found(connection: AsyncConnection, key: str) -> None:
    """The alert an ask named could not be found, so nothing was started."""
    await connection.execute(update(audit).where(audit.c.key == key[:255]).values(decision=Decision.NOT_FOUND))


def name_of(subject: Subject) -> str:
    match subject:
        case AlertRef() | MonitorRef():
            name = subject.monitor_name or f"monitor {subject.monitor_id}"
            return f"{name} on {subject.group}" if subject.group else name
        case EventRef(event_id):
            return f"event {event_id}"
        case Question():
            return "a question"  # people's words stay in the thread they were asked in
        case ExistingRun(run):
            return f"followed {run}"
        case ThreadRef() | MessageRef():
            return "the thread's alert"
        case EarlierRun(number):
            return f"another run of {number}"


class AuditTrail:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, workspace: str, *, channel: str = "", limit: int = 15) -> list[Entry]:
        """Of one channel, or of the whole workspace; the newest first."""
        query = select(audit).where(audit.c.workspace == workspace).order_by(audit.c.at.desc(), audit.c.id.desc())
        if channel:
            query = query.where(audit.c.channel == channel)
        return [_entry(row) for row in await self._database.all(query.limit(limit))]


def _entry(row: Row[Any]) -> Entry:
    return record(Entry, row, decision=Decision(row.decision))


# -- in words -------------------------------------------------------------------------------------------------------

_WORDS = {
    Decision.LOOKING_UP: "asked, being looked up",
    Decision.STARTED: "started",
    Decision.JOINED: "joined one that was there",
    Decision.REFUSED: "refused",
    Decision.OVER_BUDGET: "refused, over budget",
    Decision.COOLING_DOWN: "not started, cooling down",
    Decision.CONFIRMED: "started over budget",
    Decision.NOT_FOUND: "not started, no alert found",
    Decision.RETURNED: "cost given back, nothing was started",
    Decision.RULES_CHANGED: "rules changed",
    Decision.CASE_CREATED: "case created",
    Decision.CASE_NOT_CREATED: "case not created",
    Decision.CASE_CLOSED: "case closed",
    Decision.CASE_NOT_CLOSED: "case not closed",
    Decision.OTHER: "decided by a newer version of this app",
}
_ROOM = 2_800
_LONGEST_LINE = 600


def audit_message(entries: Sequence[Entry], refs: Mapping[int, str], *, kept_days: int, channel: str = "") -> Message:
    """`channel` when only that channel's are shown; `refs` are those of the investigations, by number."""
    where = f"in {channel_mention(channel)}" if channel else "in this workspace"
    if not entries:
        return sentences(f"Nothing has been started or refused {where} yet.")
    title = f"The last starts and refusals {where}"
    told = _fitting([_line(entry, refs, with_channel=not channel) for entry in entries])
    plain = "\n".join(told)[:3_000].rpartition("\n")[0] or told[0]
    kept = context(f"Newest first. Kept for {counted(kept_days, 'day')}.")
    return Message(f"{title}:\n{plain}", [section(f"*{title}*"), *(section(part) for part in told), kept])


def _line(entry: Entry, refs: Mapping[int, str], *, with_channel: bool) -> str:
    ref = refs.get(entry.investigation_id or 0)
    who = mention(entry.person) if entry.person else "automatically"
    parts = [
        f"{moment(entry.at, '{date_short_pretty} {time}')} {who}: *{_WORDS[entry.decision]}*",
        escape(one_line(entry.what, 120)),
        f"by {entry.source}",
        f"rule: {escape(one_line(entry.rule, 120))}" if entry.rule else "",
        escape(entry.budget),
        f"ref {code(ref, 60)}" if ref else "",
        f"in {channel_mention(entry.channel)}" if with_channel and entry.channel else "",
    ]
    return cut_mrkdwn("• " + " · ".join(part for part in parts if part), _LONGEST_LINE)


def _fitting(lines: Sequence[str]) -> list[str]:
    """As many lines as fit into a section each."""
    parts: list[str] = []
    for line in lines:
        if parts and len(parts[-1]) + len(line) < _ROOM:
            parts[-1] = f"{parts[-1]}\n{line}"
        else:
            parts.append(line)
    return parts
