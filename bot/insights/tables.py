"""Tables of the window for insights: what an open one holds, and what was submitted and has to be carried out."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from bot.datadog.trouble import Trouble
from bot.insights.sending import BatchOutcome
from bot.model import Adapter
from bot.storage.retention import HOUR, AtUninstall, Kept, Life, keep
from bot.storage.tables import RowId, TypedJson, claimable, messages, metadata, placed

ATTACHED = "attached"  # kind of deliveries; they show a row of `insight_submits`
FORM_LIVES = 2 * HOUR  # without use

_OUTCOME: Adapter[tuple[BatchOutcome, ...]] = Adapter(tuple[BatchOutcome, ...])

insight_drafts = Table(
    "insight_drafts",
    metadata,
    Column("key", String(64), primary_key=True),  # random; of use only to the person it was made for
    Column("workspace", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("used_at", Float, nullable=False),
    Index("insight_drafts_age", "used_at"),
)

insight_submits = Table(
    "insight_submits",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(96), nullable=False, unique=True),  # the same for a submit that arrives twice
    Column("ref", String(16), nullable=False, unique=True),
    Column("draft_key", String(64), nullable=False),
    Column("view_id", String(64), nullable=False),
    Column("work", String(16), nullable=False),  # attach | remove
    Column("org", String(64), nullable=False),
    *placed(),
    Column("person", String(32), nullable=False),
    Column("case_id", String(64), nullable=False),
    Column("case_key", String(64), nullable=False),
    Column("outcome", TypedJson(_OUTCOME), nullable=False),  # what is done, refused and open; at first all is open
    Column("comment", Text, nullable=False),
    Column("comment_state", String(16), nullable=False),  # none | owed | sending | posted | refused
    Column("comment_author", String(200), nullable=True),  # as it was sent
    Column("comment_sent_at", Float, nullable=True),  # from then on it may stand there
    Column("comment_problem", TypedJson(Adapter(Trouble)), nullable=True),
    Column("state", String(16), nullable=False),  # waiting | done
    Column("created_at", Float, nullable=False),
    *claimable(),
    Index("insight_submits_due", "state", "due_at"),
)

keep(
    insight_drafts,
    [Life(FORM_LIVES, insight_drafts.c.used_at)],
    holds="windows for insights that somebody has open",
    at_uninstall=AtUninstall.DELETED,
)
keep(
    insight_submits,
    # till then it can be tried again
    [Life(Kept.INSIGHTS, insight_submits.c.due_at, insight_submits.c.state == "done")],
    holds="insights to be attached or removed, and what became of them",
    at_uninstall=AtUninstall.DELETED,
    parts=[messages(ATTACHED)],
)
