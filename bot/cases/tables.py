"""Tables of what we know of cases: as last seen, which threads they belong to, who did what, and cases still to be made."""

from pydantic import TypeAdapter
from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from bot.cases.model import CaseContent, CaseFacts, CaseNotes, CaseSource
from bot.datadog.trouble import Trouble
from bot.storage.tables import RowId, metadata
from bot.storage.typed_json import TypedJson

cases = Table(
    "cases",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("org", String(64), nullable=False),
    Column("case_id", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("shown", TypedJson(TypeAdapter(CaseFacts)), nullable=False),  # what a card shows of it
    Column("modified_at", Float, nullable=True),  # Datadog's own time: an older answer never overwrites a newer one
    Column("version", Integer, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("seen_at", Float, nullable=False),
    UniqueConstraint("org", "case_id"),
    Index("cases_key", "org", "key"),
)

case_places = Table(
    "case_places",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_row", RowId, ForeignKey("cases.id"), nullable=False),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("thread_ts", String(32), nullable=False),  # empty: in the channel, its card opens the thread
    Column("requester", String(32), nullable=False),
    Column("touched_at", Float, nullable=False),
    UniqueConstraint("case_row", "workspace", "channel", "thread_ts"),
    Index("case_places_thread", "workspace", "channel", "thread_ts"),
)

case_acts = Table(
    "case_acts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),  # the same for a retry of the same click
    Column("case_row", RowId, ForeignKey("cases.id"), nullable=False),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("thread_ts", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("said", Text, nullable=False),  # what the card says of it, once done
    Column("state", String(16), nullable=False),  # waiting | sending | done | refused
    Column("problem", TypedJson(TypeAdapter(Trouble)), nullable=True),
    Column("begun_at", Float, nullable=True),
    Column("done_at", Float, nullable=True),
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("owner", String(64), nullable=True),
    Column("attempt", Integer, nullable=False),
    Index("case_acts_due", "state", "due_at"),
    Index("case_acts_case", "case_row"),
    Index("case_acts_person", "workspace", "person"),
)

case_orders = Table(
    "case_orders",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # random; all that a form carries with it
    Column("ref", String(16), nullable=False, unique=True),  # stands in the case's description: how we know it again
    Column("org", String(64), nullable=False),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("thread_ts", String(32), nullable=False),
    Column("requester", String(32), nullable=False),
    Column("source", TypedJson(TypeAdapter(CaseSource)), nullable=False),  # what it is opened from
    Column("wanted", TypedJson(TypeAdapter(CaseContent)), nullable=True),  # the form as submitted
    Column("state", String(16), nullable=False),  # draft | ordered | creating | created | done | refused | uncertain
    Column("told", Boolean, nullable=False),  # whether the person has been told of this state
    Column("view_id", String(64), nullable=True),
    Column("assignee_id", String(64), nullable=True),
    Column("case_row", RowId, nullable=True),
    Column("comment", String(16), nullable=False),  # owed | sending | done
    Column("notes", TypedJson(TypeAdapter(CaseNotes)), nullable=False),  # what did not work beside the case itself
    Column("problem", TypedJson(TypeAdapter(Trouble)), nullable=True),
    Column("retry_at", Float, nullable=True),
    Column("begun_at", Float, nullable=True),  # when it was first sent
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("owner", String(64), nullable=True),
    Column("attempt", Integer, nullable=False),
    Index("case_orders_due", "state", "due_at"),
    Index("case_orders_thread", "workspace", "channel", "thread_ts"),
)
