"""Tables of alerts that come in by themselves: what Datadog told us, the cycles it makes, and what follows from them."""

from typing import Annotated

from pydantic import Field
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    and_,
    exists,
    or_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.model import Cycle, Notice
from bot.datadog.trouble import Trouble
from bot.investigations.tables import OFFER
from bot.model import Adapter, AlertRef, MonitorRef
from bot.orgs.tables import of_its_orgs
from bot.rules.model import AlertFacts
from bot.storage.engine import Database
from bot.storage.retention import AtUninstall, Kept, Life, keep
from bot.storage.tables import (
    RowId,
    TypedJson,
    claimable,
    deliveries,
    index_of_some,
    literally,
    messages,
    metadata,
    placed,
)

ALERT_CARD = "alert_card"  # kind of deliveries; they show a row of `alert_cycles`
NUDGE = OFFER  # the same, of `alert_messages`
RECOVERED = "recovered"  # to one person; of `alert_cycles`
RULE_CASE = "rule_case"  # what a rule did about a case; of `alert_cases`
NEW, SORTED, UNROUTED = "new", "sorted", "unrouted"  # states of notices

_SUBJECT: Adapter[AlertRef | MonitorRef] = Adapter(
    Annotated[AlertRef | MonitorRef, Field(union_mode="left_to_right")]  # only an alert has an event
)

alert_notices = Table(
    "alert_notices",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # the same for a notification that comes twice
    Column("org", String(64), nullable=False),
    Column("content", TypedJson(Adapter(Notice)), nullable=False),
    Column("state", String(16), nullable=False),
    Column("received_at", Float, nullable=False),
    *claimable(),
    Index("alert_notices_due", "state", "due_at"),
    Index("alert_notices_age", "received_at"),
)

alert_cycles = Table(
    "alert_cycles",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),  # in the keys of what is posted
    Column("org", String(64), nullable=False),
    Column("identity", String(64), nullable=False),
    Column("generation", Integer, nullable=False),  # counts up where Datadog names no cycle; else 0
    Column("content", TypedJson(Adapter(Cycle)), nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("muted_until", Float, nullable=True),
    Column("muted_by", String(32), nullable=False),
    Column("downtime_id", String(64), nullable=False),
    Column("unmuted_by", String(32), nullable=False),
    Column(
        "muted_in", String(32), nullable=True
    ),  # the workspace in which they said so: elsewhere nobody knows their id
    Column("unmuted_in", String(32), nullable=True),
    Column("taken_by", String(32), nullable=True),  # who is on it
    Column("taken_in", String(32), nullable=True),
    Column("taken_at", Float, nullable=True),
    UniqueConstraint("org", "identity", "generation"),
    Index("alert_cycles_muted", "muted_until"),
    Index("alert_cycles_age", "changed_at"),
)

alert_watchers = Table(  # who wants to hear of the recovery; gone once they are told
    "alert_watchers",
    metadata,
    Column("cycle_id", RowId, primary_key=True, autoincrement=False),
    Column("workspace", String(32), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("created_at", Float, nullable=False),
    Index("alert_watchers_age", "created_at"),
)

alert_messages = Table(
    "alert_messages",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("ts", String(32), nullable=False),
    Column("subject", TypedJson(_SUBJECT), nullable=False),  # as it was first seen
    Column("seen_at", Float, nullable=False),
    UniqueConstraint("workspace", "channel", "ts"),
    Index("alert_messages_age", "seen_at"),
)

alert_starts = Table(
    "alert_starts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(160), nullable=False, unique=True),
    Column("org", String(64), nullable=False),
    *placed(),  # without a thread: under the card, once it stands
    Column("cycle_id", RowId, nullable=True),
    Column("alert", TypedJson(Adapter(AlertRef)), nullable=False),
    Column("facts", TypedJson(Adapter(AlertFacts)), nullable=False),
    Column("state", String(16), nullable=False),  # wanted | decided
    Column("decision", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    *claimable(),
    Index("alert_starts_due", "state", "due_at"),
)

alert_mutes = Table(
    "alert_mutes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(96), nullable=False, unique=True),  # the same for a click that arrives twice
    Column("work", String(16), nullable=False),  # mute | unmute
    Column("cycle_id", RowId, nullable=False),
    Column("org", String(64), nullable=False),
    *placed(),
    Column("person", String(32), nullable=False),
    Column("person_name", String(80), nullable=False),
    Column("monitor_id", BigInteger, nullable=False),
    Column("until", Float, nullable=True),
    Column("state", String(16), nullable=False),  # asked | sending | done | refused | unclear
    Column("created_at", Float, nullable=False),
    *claimable(),
    Index("alert_mutes_due", "state", "due_at"),
    Index("alert_mutes_cycle", "cycle_id"),
)

alert_cases = Table(  # what a channel's rule makes of an alert: a case, and its end
    "alert_cases",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("cycle_id", RowId, nullable=False),
    Column("org", String(64), nullable=False),
    *placed(),  # without a thread until its card stands
    Column("monitor_id", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # expecting | waiting | ordered | watching | closing | done
    Column("roused", Boolean, nullable=False),  # what it expects or watches for has happened
    Column("made_for", RowId, nullable=True, unique=True),  # the cycle, in the one row that makes its case
    Column("slot", String(128), nullable=True, unique=True),  # which of the day's cases of its monitor it is
    Column("order_id", RowId, nullable=True),  # the request for the case
    Column("case_row", RowId, nullable=True),
    Column("may_close", Boolean, nullable=False),  # the alert had not recovered before
    Column("rule", String(160), nullable=False),  # in words, as it was then
    Column("outcome", String(24), nullable=False),
    Column("problem", TypedJson(Adapter(Trouble)), nullable=True),
    Column("created_at", Float, nullable=False),
    *claimable(),
    UniqueConstraint("cycle_id", "workspace", "channel"),
    Index("alert_cases_age", "created_at"),
)
index_of_some(
    "alert_cases_open", alert_cases.c.state, alert_cases.c.due_at, only=~literally(alert_cases.c.state, "done")
)


# -- how long they live -----------------------------------------------------------------------------------------


def _only_it_shows(workspace: str) -> ColumnElement[bool]:
    card = exists().where(deliveries.c.kind == ALERT_CARD, deliveries.c.subject_id == alert_cycles.c.id)
    only_here = and_(card.where(deliveries.c.workspace == workspace), ~card.where(deliveries.c.workspace != workspace))
    return or_(only_here, of_its_orgs(alert_cycles)(workspace))


async def _name_nobody_of_it(_database: Database, connection: AsyncConnection, workspace: str) -> None:
    """The cards of others still say that an alert is muted, but not by whom, unless it was one of their own."""
    here = exists().where(
        deliveries.c.kind == ALERT_CARD,
        deliveries.c.subject_id == alert_cycles.c.id,
        deliveries.c.workspace == workspace,
    )
    for name in ("muted_by", "unmuted_by"):
        of_others = exists().where(
            alert_mutes.c.cycle_id == alert_cycles.c.id,
            alert_mutes.c.person == alert_cycles.c[name],
            alert_mutes.c.workspace != workspace,
        )
        named = and_(alert_cycles.c[name] != "", here, ~of_others)
        await connection.execute(update(alert_cycles).where(named).values({name: ""}))
    taken = alert_cycles.c.taken_in == workspace
    await connection.execute(update(alert_cycles).where(taken).values(taken_by=None, taken_in=None, taken_at=None))


keep(
    alert_notices,  # those of the settings' organisation are the operator's own, and name no workspace
    [Life(Kept.WEBHOOK, alert_notices.c.due_at, alert_notices.c.state.in_([SORTED, UNROUTED]))],
    holds="notifications of Datadog's webhook",
    at_uninstall=of_its_orgs(alert_notices),
)
keep(
    alert_cycles,
    [Life(Kept.ALERTS, alert_cycles.c.changed_at)],
    holds="alerts with a card, and what Datadog said of them",
    at_uninstall=_only_it_shows,
    parts=[messages(ALERT_CARD, RECOVERED)],
    before_uninstall=_name_nobody_of_it,
)
keep(
    alert_watchers,
    [Life(Kept.ALERTS, alert_watchers.c.created_at)],
    holds="who wants to hear of an alert's recovery",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    alert_messages,
    [Life(Kept.ALERTS, alert_messages.c.seen_at)],
    holds="alerts of Datadog's own messages that have buttons of ours",
    at_uninstall=AtUninstall.DELETED,
    parts=[messages(NUDGE, done_after=Kept.DELIVERIES)],
)
keep(
    alert_starts,  # wanted ones too: no channel has taken their card
    [Life(Kept.WEBHOOK, alert_starts.c.due_at, alert_starts.c.state.in_(["wanted", "decided"]))],
    holds="investigations that should start by themselves, and what was decided",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    alert_cases,
    [Life(Kept.ALERTS, alert_cases.c.created_at)],
    holds="alerts of which a channel's rule makes a case, and what became of that",
    at_uninstall=AtUninstall.DELETED,
    parts=[messages(RULE_CASE)],
)
keep(
    alert_mutes,
    [Life(Kept.WEBHOOK, alert_mutes.c.due_at, alert_mutes.c.state.in_(["done", "refused", "unclear"]))],
    holds="who muted or unmuted an alert",
    at_uninstall=AtUninstall.DELETED,
)
