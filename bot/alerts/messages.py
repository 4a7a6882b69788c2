"""Datadog's own messages in channels that want something under them: one reply with buttons, and perhaps a start by itself.

What a message first showed counts; Datadog edits its messages.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from bot.alerts.ports import Chooser
from bot.alerts.starts import Starts
from bot.alerts.tables import NUDGE, alert_messages
from bot.model import AlertRef, MonitorRef, Place
from bot.rules.model import AlertFacts, AlertFilter, ChannelRules
from bot.storage.engine import Database
from bot.storage.outbox import NewPost, enqueue


@dataclass(frozen=True, slots=True)
class Nudge:
    place: Place
    subject: AlertRef | MonitorRef


class AlertMessages:
    def __init__(self, database: Database, chooser: Chooser, starts: Starts) -> None:
        self._database = database
        self._chooser = chooser
        self._starts = starts

    async def noticed(self, place: Place, subject: AlertRef | MonitorRef, transition: str, rules: ChannelRules) -> bool:
        """Written down before Slack is told that we heard; False when the message was known already.

        `place.thread_ts` is the message itself.
        """
        facts = _facts(subject, transition)
        to_start = subject if isinstance(subject, AlertRef) and _may_start(rules, facts) else None
        org = await self._chooser.choose(place, subject.host) if to_start else ""
        async with self._database.transaction() as connection:
            inserted = await connection.execute(
                self._database.insert_new(alert_messages)
                .values(
                    workspace=place.workspace,
                    channel=place.channel,
                    ts=place.thread_ts,
                    subject=asdict(subject),
                    seen_at=self._database.now,
                )
                .returning(alert_messages.c.id)
            )
            row_id = inserted.scalar()
            if row_id is None:
                return False
            if rules.nudge:
                await enqueue(self._database, connection, _new_post(row_id, place))
            if to_start:
                # one that can't be told now is looked for once more when the start is decided
                await self._starts.want(connection, org if isinstance(org, str) else "", place, to_start, facts)
        return True

    async def get(self, row_id: int) -> Nudge | None:
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(alert_messages).where(alert_messages.c.id == row_id))).first()
        if row is None:
            return None
        return Nudge(Place(row.workspace, row.channel, row.ts), _read_subject(row.subject))


def _new_post(row_id: int, place: Place) -> NewPost:
    return NewPost(
        key=f"{NUDGE}:{place.workspace}:{place.channel}:{place.thread_ts}",
        kind=NUDGE,
        thread_key=f"{NUDGE}:{row_id}",
        subject_id=row_id,
        workspace=place.workspace,
        channel=place.channel,
        thread_ts=place.thread_ts,
    )


def _facts(subject: AlertRef | MonitorRef, transition: str) -> AlertFacts:
    tags = frozenset(part.strip() for part in subject.group.split(",") if ":" in part)
    return AlertFacts(subject.monitor_id, subject.group, tags=tags, transition=transition)


def _may_start(rules: ChannelRules, facts: AlertFacts) -> bool:
    """As far as a message tells; its monitor's tags and priority are looked up later."""
    wanted = rules.auto
    return wanted is not None and AlertFilter(monitors=wanted.monitors, transitions=wanted.transitions).matches(facts)


def _read_subject(record: dict[str, Any]) -> AlertRef | MonitorRef:
    return AlertRef(**record) if "event_id" in record else MonitorRef(**record)
