"""Tables of what we know of cases: as last seen, which threads they belong to, who did what, and cases still to be made."""

from sqlalchemy import (
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
    or_,
)

from bot.cases.escalation_model import ACTIVE, EscalationForm
from bot.cases.model import CaseContent, CaseFacts, CaseNotes, CaseSource
from bot.datadog.escalations import Created
from bot.datadog.trouble import Trouble
from bot.model import Adapter
from bot.orgs.tables import of_its_orgs
from bot.storage.retention import DAY, AtUninstall, Kept, Life, Lives, Part, keep
from bot.storage.tables import RowId, TypedJson, claimable, index_of_some, messages, metadata, placed

CASE_CARD = "case_card"  # kind of deliveries; they show a row of `cases`
CASE_COMMENT = "case_comment"  # the same, of `case_comments`

cases = Table(
    "cases",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("org", String(64), nullable=False),
    Column("case_id", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("shown", TypedJson(Adapter(CaseFacts)), nullable=False),  # what a card shows of it
    Column("modified_at", Float, nullable=True),  # Datadog's own time: an older answer never overwrites a newer one
    Column("version", Integer, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("unseen", TypedJson(Adapter(Trouble)), nullable=True),  # why its card does not follow Datadog just now
    UniqueConstraint("org", "case_id"),
    Index("cases_key", "org", "key"),
    Index("cases_age", "seen_at"),
)

case_places = Table(
    "case_places",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_row", RowId, ForeignKey("cases.id"), nullable=False),
    *placed(),  # without a thread: in the channel, its card opens the thread
    Column("requester", String(32), nullable=False),
    Column("touched_at", Float, nullable=False),
    UniqueConstraint("case_row", "workspace", "channel", "thread_ts"),
    Index("case_places_thread", "workspace", "channel", "thread_ts"),
    Index("case_places_channel", "workspace", "channel", "touched_at"),
    Index("case_places_person", "workspace", "requester", "touched_at"),
)

case_acts = Table(
    "case_acts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),  # the same for a retry of the same click
    Column("case_row", RowId, ForeignKey("cases.id"), nullable=False),
    *placed(),
    Column("person", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("author", String(200), nullable=True),  # of a comment, as it was sent
    Column("batch", String(255), nullable=True),  # what was done to several cases in one gesture
    Column("view_id", String(64), nullable=True),  # of the window that shows how the batch stands
    Column("said", Text, nullable=False),  # what the card says of it, once done
    Column("state", String(16), nullable=False),  # waiting | sending | done | refused
    Column("problem", TypedJson(Adapter(Trouble)), nullable=True),
    Column("begun_at", Float, nullable=True),
    Column("done_at", Float, nullable=True),
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("owner", String(64), nullable=True),
    Column("attempt", Integer, nullable=False),
    Index("case_acts_due", "state", "due_at"),
    Index("case_acts_case", "case_row"),
    Index("case_acts_batch", "batch"),
    Index("case_acts_by", "workspace", "person", "created_at"),
)

case_orders = Table(
    "case_orders",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # random; all that a form carries with it
    Column("ref", String(16), nullable=False, unique=True),  # stands in the case's description: how we know it again
    Column("org", String(64), nullable=False),
    *placed(),
    Column("requester", String(32), nullable=False),
    Column("source", TypedJson(Adapter(CaseSource)), nullable=False),  # what it is opened from
    Column("wanted", TypedJson(Adapter(CaseContent)), nullable=True),  # the form as submitted
    Column("state", String(16), nullable=False),  # draft | ordered | creating | created | done | refused | uncertain
    Column("told", Boolean, nullable=False),  # whether the person has been told of this state
    Column("view_id", String(64), nullable=True),
    Column("assignee_id", String(64), nullable=True),
    Column("case_row", RowId, nullable=True),
    Column("comment", String(16), nullable=False),  # owed | sending | done
    Column("notes", TypedJson(Adapter(CaseNotes)), nullable=False),  # what did not work beside the case itself
    Column("problem", TypedJson(Adapter(Trouble)), nullable=True),
    Column("retry_at", Float, nullable=True),
    Column("begun_at", Float, nullable=True),  # when it was first sent
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("owner", String(64), nullable=True),
    Column("attempt", Integer, nullable=False),
    Index("case_orders_due", "state", "due_at"),
    Index("case_orders_thread", "workspace", "channel", "thread_ts"),
    Index("case_orders_channel", "workspace", "channel", "id"),
    Index("case_orders_person", "workspace", "requester", "id"),
)
index_of_some("case_orders_untold", case_orders.c.state, case_orders.c.due_at, only=~case_orders.c.told)

case_follows = Table(
    "case_follows",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_row", RowId, ForeignKey("cases.id"), nullable=False),
    Column("org", String(64), nullable=False),
    Column("changed_at", Float, nullable=False),  # when something last happened to it, here or in Datadog
    Column("looked_at", Float, nullable=True),
    Column("comments", Integer, nullable=True),  # as many as need not be told any more
    Column("comment_id", String(64), nullable=True),  # the newest of them, where they were read
    Column("comment_at", Float, nullable=True),  # and when that was made, by Datadog's clock
    Column("hinted_at", Float, nullable=True),  # when Datadog last said that some case has changed
    Column("not_before", Float, nullable=True),  # whatever Datadog says
    Column("created_at", Float, nullable=False),
    *claimable(),
    UniqueConstraint("case_row"),
    Index("case_follows_due", "due_at"),
    Index("case_follows_org", "org"),
)

case_comments = Table(
    "case_comments",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(96), nullable=False, unique=True),  # of the comment, in a place
    Column("case_row", RowId, nullable=False),
    *placed(),
    Column("author", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("case_comments_age", "created_at"),
)

case_escalations = Table(
    "case_escalations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),  # the same for a retry of the same submit
    Column("ref", String(16), nullable=False, unique=True),
    Column("case_row", RowId, ForeignKey("cases.id"), nullable=False),
    *placed(),
    Column("person", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("form", TypedJson(Adapter(EscalationForm)), nullable=False),
    Column("state", String(16), nullable=False),  # ordered | sending | made | done | refused | uncertain
    Column("made", TypedJson(Adapter(Created)), nullable=True),
    Column("problem", TypedJson(Adapter(Trouble)), nullable=True),
    Column("begun_at", Float, nullable=True),  # when it was first sent
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("owner", String(64), nullable=True),
    Column("attempt", Integer, nullable=False),
    Index("case_escalations_due", "state", "due_at"),
    Index("case_escalations_case", "case_row", "kind"),
)


# -- how long they live -----------------------------------------------------------------------------------------


def _only_it_knows(workspace: str) -> ColumnElement[bool]:
    """Cases of an organisation that others use too, but that no thread and nobody of another workspace has to do with."""
    placed, acted = (exists().where(table.c.case_row == cases.c.id) for table in (case_places, case_acts))
    here = or_(placed.where(case_places.c.workspace == workspace), acted.where(case_acts.c.workspace == workspace))
    elsewhere = or_(placed.where(case_places.c.workspace != workspace), acted.where(case_acts.c.workspace != workspace))
    return or_(and_(here, ~elsewhere), of_its_orgs(cases)(workspace))


keep(
    cases,
    [Life(Kept.CASES, cases.c.seen_at)],
    holds="cases as last seen in Datadog",
    at_uninstall=_only_it_knows,
    parts=[
        Part(case_places.c.case_row, since=case_places.c.touched_at),
        Part(
            case_acts.c.case_row, since=case_acts.c.created_at, unfinished=case_acts.c.state.in_(["waiting", "sending"])
        ),
        Part(case_follows.c.case_row),
        Part(
            case_escalations.c.case_row,
            since=case_escalations.c.created_at,
            unfinished=case_escalations.c.state.in_(ACTIVE),
        ),
        messages(CASE_CARD),
    ],
)
keep(
    case_follows,
    Lives.WITH_ANOTHER,
    holds="which open cases with a card are looked at in Datadog, and when",
    at_uninstall=of_its_orgs(case_follows),
)
keep(
    case_comments,
    [Life(Kept.DELIVERIES, case_comments.c.created_at)],
    holds="comments made in Datadog that came as replies under a case's card",
    at_uninstall=AtUninstall.DELETED,
    parts=[messages(CASE_COMMENT)],
)
keep(case_places, Lives.WITH_ANOTHER, holds="which threads belong to a case", at_uninstall=AtUninstall.DELETED)
keep(case_acts, Lives.WITH_ANOTHER, holds="what people did with a case", at_uninstall=AtUninstall.DELETED)
keep(
    case_escalations,
    Lives.WITH_ANOTHER,
    holds="what a case was escalated to, and what became of it",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    case_orders,
    [
        Life(DAY, case_orders.c.due_at, case_orders.c.state == "draft"),  # a form stands open no longer than that
        # what was chosen last in a channel is proposed again
        Life(
            Kept.CASES,
            case_orders.c.due_at,
            and_(case_orders.c.state.in_(["done", "refused", "uncertain"]), case_orders.c.told),
        ),
    ],
    holds="forms for a new case, and what became of them",
    at_uninstall=AtUninstall.DELETED,
)
