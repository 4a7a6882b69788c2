"""What was submitted in the window for insights: written down before Slack is told, carried out by whoever claims it.

A retry takes the same row up again, so that one job has one line in its thread, whatever it took.
"""

import secrets
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select, update

from bot.cases.repository import CaseRepository
from bot.datadog.cases import Case
from bot.datadog.trouble import Trouble
from bot.insights.sending import InsightOutcome
from bot.insights.tables import ATTACHED, insight_submits
from bot.model import Place
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence
from bot.storage.outbox import NewPost, enqueue, show_anew
from bot.storage.tables import known, newly_due, place_of, record
from bot.wording import INSIGHT, counted

_HEAD_START = 0.3  # seconds: Slack's client shows the working view before the result may replace it
_UNRELEASED = 5.0  # seconds until it is carried out although whoever entered it never came to release it


class AttachWork(StrEnum):
    ATTACH = "attach"
    REMOVE = "remove"

    @property
    def done(self) -> str:
        return "attached" if self is AttachWork.ATTACH else "removed"


class CommentState(StrEnum):
    NONE = "none"
    OWED = "owed"
    SENDING = "sending"
    POSTED = "posted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AttachJob:
    draft_key: str
    view_id: str
    work: AttachWork
    org: str
    place: Place
    person: str
    case_id: str
    case_key: str
    outcome: InsightOutcome
    comment: str = ""
    comment_state: CommentState = CommentState.NONE
    comment_problem: Trouble | None = None
    done: bool = False
    id: int = 0  # both are given when it is written down
    ref: str = ""

    @property
    def case_name(self) -> str:
        return self.case_key or self.case_id

    @property
    def complete(self) -> bool:
        return self.outcome.complete and not self.comment_left

    @property
    def comment_left(self) -> bool:
        return self.comment_state in {CommentState.OWED, CommentState.SENDING, CommentState.REFUSED}

    @property
    def can_retry(self) -> bool:
        return self.done and bool(self.outcome.open or self.comment_left)

    @property
    def links(self) -> int:
        """How many links the comment holds."""
        return self.comment.count("\n- ")

    @property
    def changed_something(self) -> bool:
        return bool(self.outcome.done) or self.comment_state is CommentState.POSTED


class AttachJobs:
    def __init__(self, database: Database, cases: CaseRepository) -> None:
        self.database = database
        self._cases = cases

    async def enter(self, key: str, job: AttachJob) -> AttachJob:
        """Writes it down; the same submit arriving again, which has the same key, is the one that is there already."""
        values = {
            **{name: getattr(job, name) for name in _SAME_IN_ROWS - {"id"}},
            **asdict(job.place),
            "key": key,
            "ref": secrets.token_hex(4).upper(),
            "work": job.work,
            "outcome": job.outcome.batches,
            "comment_state": CommentState.OWED if job.comment else CommentState.NONE,
            "state": "waiting",
            **newly_due(self.database.now, after=_UNRELEASED),
        }
        async with self.database.transaction() as connection:
            await connection.execute(self.database.insert_new(insight_submits).values(values))
            wake(connection, insight_submits, after=_UNRELEASED)
            query = select(insight_submits).where(insight_submits.c.key == key)
            return read_job((await connection.execute(query)).one())

    async def release(self, job_id: int) -> None:
        """The window is about to show that it is being worked on: it may begin."""
        table = insight_submits.c
        untouched = (table.id == job_id) & (table.state == "waiting") & (table.attempt == 0)
        async with self.database.transaction() as connection:
            await connection.execute(
                update(insight_submits)
                .where(untouched, table.owner.is_(None))
                .values(due_at=self.database.now + _HEAD_START)
            )
            wake(connection, insight_submits, after=_HEAD_START)

    async def get(self, job_id: int) -> AttachJob | None:
        """For who holds a row of ours that names it; what a window names goes through `get_in`."""
        return await self._one(insight_submits.c.id == job_id)

    async def get_in(self, workspace: str, job_id: int) -> AttachJob | None:
        return await self._one(and_(insight_submits.c.id == job_id, insight_submits.c.workspace == workspace))

    async def _one(self, condition: ColumnElement[bool]) -> AttachJob | None:
        row = await self.database.first(select(insight_submits).where(condition))
        return read_job(row) if row else None

    async def retry(self, job_id: int) -> bool:
        """What is open is sent again; False when it is under way already."""
        table = insight_submits.c
        async with self.database.transaction() as connection:
            taken_up = await connection.execute(
                update(insight_submits)
                .where(table.id == job_id, table.state == "done")
                .values(state="waiting", due_at=self.database.now + _HEAD_START, owner=None, attempt=0)
            )
            await connection.execute(
                update(insight_submits)
                .where(table.id == job_id, table.comment_state == CommentState.REFUSED)
                .values(comment_state=CommentState.OWED, comment_problem=None)
            )
            wake(connection, insight_submits, after=_HEAD_START)
        return bool(taken_up.rowcount)

    # -- under the fence of whoever carries it out --------------------------------------------------------------

    async def attached(self, fence: Fence, job: AttachJob, before: int, case: Case | None) -> bool:
        """The insights are through; people see it on the case's card. `before` were done by an earlier try."""
        async with self.database.transaction() as connection:
            named = {"case_id": case.id, "case_key": case.key} if case else {}
            if not await fence.write(connection, insight_submits, outcome=job.outcome.batches, **named):
                return False
            added = len(job.outcome.done) - before
            if case is not None and added > 0:
                row = await self._cases.note(connection, job.org, case)
                await self._cases.belongs(connection, row.id, job.place, job.person, card=False)
                said = f"{job.work.done} {counted(added, INSIGHT)}"
                await self._cases.did(connection, row.id, job.place, job.person, said)
        return True

    async def finish(self, fence: Fence, job: AttachJob) -> bool:
        """Done for now; its thread is owed a line, or the line it has is brought up to date."""
        comment = {"comment_state": job.comment_state, "comment_problem": job.comment_problem}
        async with self.database.transaction() as connection:
            if not await fence.write(connection, insight_submits, state="done", owner=None, **comment):
                return False
            if not job.place.thread_ts or not job.changed_something:
                return True
            line = NewPost(
                key=f"{ATTACHED}:{job.ref}:{job.id}",
                kind=ATTACHED,
                thread_key=f"{ATTACHED}:{job.ref}:{job.id}",
                subject_id=job.id,
                **asdict(job.place),
                requester=job.person,
            )
            if not await enqueue(self.database, connection, line):
                await show_anew(connection, ATTACHED, job.id)
        return True


def read_job(row: Row[Any]) -> AttachJob:
    return record(
        AttachJob,
        row,
        work=known(AttachWork, row.work),
        place=place_of(row),
        outcome=InsightOutcome(row.outcome),
        comment_state=known(CommentState, row.comment_state),
        done=row.state == "done",
    )


_SAME_IN_ROWS = {each.name for each in fields(AttachJob)} - {"work", "place", "outcome", "comment_state", "done"}
