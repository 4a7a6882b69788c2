"""What was submitted in the insights window: written down before Slack is told, carried out by whoever claims it.

A retry takes the same row up again, so that one submit has one line in its thread, whatever it took.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases.repository import CaseRepository
from bot.datadog.case_model import Case, Insight
from bot.insights.attach_job_records import outcome_record, problem_record, read_outcome, read_problem
from bot.insights.outcome import BatchOutcome, InsightOutcome, Problem
from bot.insights.tables import ATTACHED, insight_submits
from bot.model import Place
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence
from bot.storage.outbox import NewPost, enqueue, show_anew

_HEAD_START = 0.3  # seconds: Slack's client shows the working view before the result may replace it
_UNRELEASED = 5.0  # seconds until it is carried out although whoever entered it never came to release it


class Work(StrEnum):
    ATTACH = "attach"
    REMOVE = "remove"


class CommentState(StrEnum):
    NONE = "none"
    OWED = "owed"
    SENDING = "sending"
    POSTED = "posted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A submit as the window gives it."""

    key: str  # the same for the same submit arriving twice
    draft_key: str
    view_id: str
    work: Work
    org: str
    place: Place
    person: str
    case_id: str
    case_key: str
    insights: tuple[Insight, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class AttachJob:
    id: int
    ref: str
    draft_key: str
    view_id: str
    work: Work
    org: str
    place: Place
    person: str
    case_id: str
    case_key: str
    outcome: InsightOutcome
    comment: str
    comment_state: CommentState
    comment_problem: Problem | None
    done: bool

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
    def __init__(self, database: Database, book: CaseRepository) -> None:
        self.database = database
        self._book = book

    async def enter(self, wanted: Wanted) -> AttachJob:
        """Writes it down; the same submit arriving again is the one that is there already."""
        everything = (BatchOutcome(1, open=wanted.insights, tried=False),) if wanted.insights else ()
        values = {
            "key": wanted.key,
            "ref": secrets.token_hex(4).upper(),
            "draft_key": wanted.draft_key,
            "view_id": wanted.view_id,
            "work": wanted.work,
            "org": wanted.org,
            "workspace": wanted.place.workspace,
            "channel": wanted.place.channel,
            "thread_ts": wanted.place.thread_ts,
            "person": wanted.person,
            "case_id": wanted.case_id,
            "case_key": wanted.case_key,
            "outcome": outcome_record(InsightOutcome(everything)),
            "comment": wanted.comment,
            "comment_state": CommentState.OWED if wanted.comment else CommentState.NONE,
            "state": "waiting",
            "created_at": self.database.now,
            "due_at": self.database.now + _UNRELEASED,
            "attempt": 0,
        }
        async with self.database.transaction() as connection:
            await connection.execute(self.database.insert_new(insight_submits).values(values))
            wake(connection, insight_submits, after=_UNRELEASED)
            query = select(insight_submits).where(insight_submits.c.key == wanted.key)
            return read_submit((await connection.execute(query)).one())

    async def release(self, submit_id: int) -> None:
        """The window is about to show that it is being worked on: it may begin."""
        table = insight_submits.c
        untouched = (table.id == submit_id) & (table.state == "waiting") & (table.attempt == 0)
        async with self.database.transaction() as connection:
            await connection.execute(
                update(insight_submits)
                .where(untouched, table.owner.is_(None))
                .values(due_at=self.database.now + _HEAD_START)
            )
            wake(connection, insight_submits, after=_HEAD_START)

    async def get(self, submit_id: int) -> AttachJob | None:
        async with self.database.transaction() as connection:
            row = (await connection.execute(select(insight_submits).where(insight_submits.c.id == submit_id))).first()
        return read_submit(row) if row else None

    async def retry(self, submit_id: int) -> bool:
        """What is open is sent again; False when it is under way already."""
        table = insight_submits.c
        async with self.database.transaction() as connection:
            taken_up = await connection.execute(
                update(insight_submits)
                .where(table.id == submit_id, table.state == "done")
                .values(state="waiting", due_at=self.database.now + _HEAD_START, owner=None, attempt=0)
            )
            await connection.execute(
                update(insight_submits)
                .where(table.id == submit_id, table.comment_state == CommentState.REFUSED)
                .values(comment_state=CommentState.OWED, comment_problem=None)
            )
            wake(connection, insight_submits, after=_HEAD_START)
        return bool(taken_up.rowcount)

    # -- under the fence of whoever carries it out --------------------------------------------------------------

    async def attached(self, fence: Fence, submit: AttachJob, before: int, case: Case | None) -> bool:
        """The insights are through; people see it on the case's card. `before` were done by an earlier try."""
        async with self.database.transaction() as connection:
            done = {"outcome": outcome_record(submit.outcome), **_named(case)}
            if not await fence.write(connection, insight_submits, **done):
                return False
            new = len(submit.outcome.done) - before
            if case is not None and new > 0:
                await self._note(connection, submit, case, _said(submit.work, new))
        return True

    async def _note(self, connection: AsyncConnection, submit: AttachJob, case: Case, said: str) -> None:
        row = await self._book.note(connection, submit.org, case)
        await self._book.belongs(connection, row.id, submit.place, submit.person, card=False)
        await self._book.did(connection, row.id, submit.place, submit.person, said)

    async def finish(self, fence: Fence, submit: AttachJob) -> bool:
        """Done for now; its thread is owed a line, or the line it has is brought up to date."""
        problem = problem_record(submit.comment_problem) if submit.comment_problem else None
        values = {"state": "done", "comment_state": submit.comment_state, "comment_problem": problem, "owner": None}
        async with self.database.transaction() as connection:
            if not await fence.write(connection, insight_submits, **values):
                return False
            place = submit.place
            if not place.thread_ts or not submit.changed_something:
                return True
            line = NewPost(
                key=f"{ATTACHED}:{submit.ref}:{submit.id}",
                kind=ATTACHED,
                thread_key=f"{ATTACHED}:{submit.ref}:{submit.id}",
                subject_id=submit.id,
                workspace=place.workspace,
                channel=place.channel,
                thread_ts=place.thread_ts,
                requester=submit.person,
            )
            if not await enqueue(self.database, connection, line):
                await show_anew(connection, ATTACHED, submit.id)
        return True


def _named(case: Case | None) -> dict[str, str]:
    return {"case_id": case.id, "case_key": case.key} if case else {}


def _said(work: Work, count: int) -> str:
    noun = f"{count:,} insight{'' if count == 1 else 's'}"
    return f"attached {noun}" if work is Work.ATTACH else f"removed {noun}"


def read_submit(row: Row[Any]) -> AttachJob:
    return AttachJob(
        id=row.id,
        ref=row.ref,
        draft_key=row.draft_key,
        view_id=row.view_id,
        work=Work(row.work),
        org=row.org,
        place=Place(row.workspace, row.channel, row.thread_ts),
        person=row.person,
        case_id=row.case_id,
        case_key=row.case_key,
        outcome=read_outcome(row.outcome),
        comment=row.comment,
        comment_state=CommentState(row.comment_state),
        comment_problem=read_problem(row.comment_problem),
        done=row.state == "done",
    )
