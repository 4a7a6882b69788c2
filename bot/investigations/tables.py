"""Tables of investigations: what was asked, each run, which threads wait for it, whose turn it is to look, and votes."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    exists,
    func,
    not_,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datadog.investigations import Conclusion
from bot.datadog.trouble import Trouble
from bot.investigations.model import State
from bot.model import SUBJECTS, Adapter, AlertRef, Place
from bot.orgs.tables import of_its_orgs
from bot.rules.tables import charges
from bot.storage.engine import Database, wake
from bot.storage.retention import DAY, HOUR, AtUninstall, Kept, Life, Lives, Part, keep
from bot.storage.tables import (
    RowId,
    TypedJson,
    at,
    claimable,
    deliveries,
    index_of_some,
    literally,
    messages,
    metadata,
    placed,
)

CARD, CONCLUSIONS = "card", "conclusions"  # kinds of deliveries that show an investigation
EXPIRED = "expired"  # what conclusions become whose investigation is watched again
EARLIER = "earlier"  # the kind of a reply that brings an earlier investigation's answer to another thread
SHARED = "shared"  # of a message that shows a row of `shares`

OFFER = "nudge"  # the kind of the message with buttons under an alert of Datadog's own

RECEIVED, WAITING = "received", "waiting"
STILL_TRYING = "still_trying"  # the problem of an ask that waits: who asked has heard that it takes longer
LOOK_UPS = "look-ups"  # what `wake` is called with when an ask waits for one
LISTED_FOR = DAY  # a start waits less for its run to show
HELD_FOR = HOUR  # how long "Start anyway" stands

asks = Table(
    "asks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("org", String(64), nullable=False),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("thread_ts", String(32), nullable=False),
    Column("requester", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("subject", TypedJson(SUBJECTS), nullable=False),
    Column("state", String(16), nullable=False),  # received | waiting for a look-up | done | refused
    Column("investigation_id", RowId, nullable=True),
    Column("problem", String(32), nullable=True),
    Column("created_at", Float, nullable=False),
    *claimable(),
    Index("asks_due", "state", "due_at"),
)

investigations = Table(
    "investigations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("org", String(64), nullable=False),
    Column("subject_key", String(160), nullable=False),
    Column("run", Integer, nullable=False),
    Column("subject", TypedJson(SUBJECTS), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("requested_by", String(32), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float, nullable=True),
    Column("deadline_at", Float, nullable=True),
    Column("finished_at", Float, nullable=True),
    Column("retry_at", Float, nullable=True),
    Column("monitor_id", BigInteger, nullable=True),
    Column("before_ids", JSON, nullable=True),
    Column("datadog_id", String(64), nullable=True),
    Column("adopted", Boolean, nullable=False),
    Column("presumed", Boolean, nullable=False),
    Column("url", Text, nullable=True),
    Column("title", Text, nullable=True),
    Column("status", String(64), nullable=True),
    Column("verdict", String(16), nullable=True),
    Column("conclusions", TypedJson(Adapter(tuple[Conclusion, ...])), nullable=True),
    Column("failure", TypedJson(Adapter(Trouble)), nullable=True),
    *claimable(),
    UniqueConstraint("org", "subject_key", "run"),
    Index("investigations_due", "state", "due_at"),
    Index("investigations_datadog", "org", "datadog_id"),
    Index("investigations_started", "org", "started_at"),
    Index("investigations_ended", "org", "state", "finished_at"),
    Index("investigations_of_monitor", "org", "monitor_id", "created_at"),
)

# nobody knows whether they were started, and their run may still show
LOOKED_FOR = and_(literally(investigations.c.state, State.UNCERTAIN), investigations.c.deadline_at.is_not(None))
index_of_some("investigations_looked_for", investigations.c.state, investigations.c.due_at, only=LOOKED_FOR)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("investigation_id", RowId, ForeignKey("investigations.id"), nullable=False),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("thread_ts", String(32), nullable=False),  # empty: asked in the channel, the card opens the thread
    Column("requester", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("investigation_id", "workspace", "channel", "thread_ts"),
    Index("subscribers_thread", "workspace", "channel", "thread_ts"),
    Index("subscribers_asked", "workspace", "requester", "id"),
    Index("subscribers_channel", "workspace", "channel", "created_at"),
)

left_starts = Table(
    "left_starts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("org", String(64), nullable=False),
    Column("monitor_id", BigInteger, nullable=True),
    Column("datadog_id", String(64), nullable=True),  # none: it may have been started, or may not
    Column("before_ids", JSON, nullable=True),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float, nullable=True),
    Index("left_starts_org", "org", "created_at"),
    Index("left_starts_age", "created_at"),
)

seen_alerts = Table(
    "sightings",
    metadata,
    Column("workspace", String(32), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("ts", String(32), primary_key=True),
    Column("alert", TypedJson(Adapter(AlertRef)), nullable=True),
    Column("run", String(64), nullable=True),
    Column("seen_at", Float, nullable=False),
    Index("sightings_age", "seen_at"),
)

poll_turns = Table(
    "poll_turns",
    metadata,
    Column("org", String(64), primary_key=True),
    Column("next_at", Float, nullable=False),
    Column("slow_at", Float, nullable=False),
)

votes = Table(
    "votes",
    metadata,
    Column("investigation_id", RowId, ForeignKey("investigations.id"), primary_key=True),
    Column("workspace", String(32), primary_key=True),
    Column("voter", String(32), primary_key=True),
    Column("helpful", Boolean, nullable=False),
    Column("voted_at", Float, nullable=False),
    Column("cause", Text, nullable=True),  # what it really was, as who found it wrong has said
)

shares = Table(
    "shares",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(128), nullable=False, unique=True),  # of the window that was submitted
    Column("ref", String(16), nullable=False, unique=True),  # in the key of what is posted
    Column("investigation_id", RowId, nullable=False),
    *placed(),  # the thread it was shared from
    Column("person", String(32), nullable=False),
    Column("target", String(32), nullable=False),  # the channel
    Column("note", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("shares_age", "created_at"),
    Index("shares_of_answer", "investigation_id"),
)

held_asks = Table(
    "held_asks",
    metadata,
    Column("ask_id", RowId, primary_key=True, autoincrement=False),
    Column("workspace", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("subject", TypedJson(SUBJECTS), nullable=False),  # found by now, where the ask only named a monitor
    Column("after_run", Integer, nullable=True),
    Column("held_at", Float, nullable=False),
    Index("held_asks_age", "held_at"),
)


def offer_key(place: Place) -> str:
    """Of that message's delivery: the first status card of its thread takes its place."""
    return f"{OFFER}:{place.workspace}:{place.channel}:{place.thread_ts}"


async def show_answers_anew(connection: AsyncConnection, place: Place) -> None:
    """Something that answers in this thread lead to has changed; also in a thread that hangs under a card of ours."""
    table, card = deliveries.c, deliveries.alias()
    asked = select(subscribers.c.investigation_id).where(at(subscribers, place))
    opened = select(card.c.subject_id).where(
        card.c.channel == place.channel, card.c.ts == place.thread_ts, card.c.kind == CARD
    )
    here = and_(table.workspace == place.workspace, table.channel == place.channel, table.ts.is_not(None))
    of_runs = and_(table.kind == CONCLUSIONS, table.subject_id.in_(union(asked, opened)))
    for answers in (of_runs, and_(table.kind == EARLIER, table.thread_ts == place.thread_ts)):
        shown = update(deliveries).where(answers, here).values(wanted=table.wanted + 1)
        if (await connection.execute(shown)).rowcount:
            wake(connection, deliveries)


# -- how long they live -----------------------------------------------------------------------------------------


def _theirs(workspace: str) -> ColumnElement[bool]:
    """What nobody else awaits, too, also while it runs: whoever works on it finds no row to write to."""
    here = exists().where(subscribers.c.investigation_id == investigations.c.id)
    only_it_awaits = and_(
        here.where(subscribers.c.workspace == workspace), ~here.where(subscribers.c.workspace != workspace)
    )
    return or_(only_it_awaits, of_its_orgs(investigations)(workspace))


async def _name_nobody_of_it(connection: AsyncConnection, workspace: str) -> None:
    """What others await as well goes on, as asked for by the first of them."""
    its_own = and_(
        subscribers.c.investigation_id == investigations.c.id,
        subscribers.c.workspace == workspace,
        subscribers.c.requester == investigations.c.requested_by,
    )
    others = select(subscribers.c.requester).where(
        subscribers.c.investigation_id == investigations.c.id, subscribers.c.workspace != workspace
    )
    first = others.order_by(subscribers.c.id).limit(1).scalar_subquery()
    named = update(investigations).where(exists().where(its_own))
    await connection.execute(named.values(requested_by=func.coalesce(first, "")))


async def _before_leaving(database: Database, connection: AsyncConnection, workspace: str) -> None:
    await _name_nobody_of_it(connection, workspace)
    await _know_its_runs(database, connection, workspace)


async def _know_its_runs(database: Database, connection: AsyncConnection, workspace: str) -> None:
    """Datadog goes on listing them for all who share the organisation: another's start must not take one for its own."""
    table = investigations.c
    same = [column.name for column in left_starts.c if column is not left_starts.c.id]
    may_show = or_(table.datadog_id.is_not(None), table.state == State.TRIGGERING, LOOKED_FOR)
    goes = and_(_theirs(workspace), not_(of_its_orgs(investigations)(workspace)))
    late = select(*(table[name] for name in same)).where(goes, may_show, table.created_at > database.now - LISTED_FOR)
    await connection.execute(left_starts.insert().from_select(same, late))


# by `due_at`, which has an index: in what is finished it stays at the last time somebody worked on it
keep(
    asks,  # only for a gesture that arrives twice, and for what is held
    [Life(Kept.ASKS, asks.c.due_at, asks.c.state.in_(["done", "refused"]))],
    holds="what people asked for, with their question",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    held_asks,
    [Life(HELD_FOR, held_asks.c.held_at)],
    holds="what waits for somebody to confirm the cost",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    investigations,
    [
        Life(
            Kept.CONCLUSIONS,
            investigations.c.due_at,
            investigations.c.state.in_([state for state in State if state.finished]),
        )
    ],
    holds="investigations: what is investigated, how it stands, its conclusions",
    at_uninstall=_theirs,
    parts=[
        Part(subscribers.c.investigation_id, since=subscribers.c.created_at),
        Part(votes.c.investigation_id),
        Part(charges.c.investigation_id),
        messages(CARD, CONCLUSIONS, EXPIRED, EARLIER, done_after=Kept.DELIVERIES),
    ],
    before_uninstall=_before_leaving,
)
keep(
    left_starts,
    [Life(LISTED_FOR, left_starts.c.created_at)],
    holds="ids of runs that were started for a workspace which has left, so that nobody takes them for its own",
    at_uninstall=AtUninstall.NOBODYS,
)
keep(
    subscribers,
    Lives.WITH_ANOTHER,
    holds="which thread awaits an investigation, and who asked",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    shares,
    [Life(Kept.DELIVERIES, shares.c.created_at)],
    holds="who shared an answer to which channel, with their note",
    at_uninstall=AtUninstall.DELETED,
    parts=[messages(SHARED)],
)
keep(
    votes,
    Lives.WITH_ANOTHER,
    holds="who found conclusions right or wrong, and what the cause really was",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    seen_alerts,
    [Life(Kept.SEEN_ALERTS, seen_alerts.c.seen_at)],
    holds="alerts recognised in messages of a channel",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    poll_turns,  # one an organisation
    Lives.UNTIL_TAKEN_AWAY,
    holds="when each organisation's running investigations are looked at next",
    at_uninstall=of_its_orgs(poll_turns),
)
