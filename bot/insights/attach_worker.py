"""Carries out what was submitted in the insights window: insights first, then the links as one comment, then tells.

Insights have set semantics at Datadog: whoever finds work of a dead process does it again. A comment is looked for
before it is sent again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from bot.cases.comments import CommentToPost, Posted, post_once
from bot.cases.trouble import Trouble, Why
from bot.datadog.orgs import ConnectedOrg
from bot.insights.attach_form_store import AttachFormStore, Owner
from bot.insights.attach_jobs import AttachJob, AttachJobs, AttachWork, CommentState, read_job
from bot.insights.sending import BatchOutcome, Cause, InsightOutcome, Problem, send_open
from bot.insights.tables import insight_submits
from bot.insights.windows import AttachWindows
from bot.orgs.repository import OrgRepository
from bot.storage.leases import Fence, Leases
from bot.storage.timing import Timing
from bot.storage.workers import Tasks

logger = logging.getLogger(__name__)

SLOTS = 8
_TIDY_EVERY = 900.0
_MOST_LOOKS = 4  # for a comment whose outcome is unknown
_CAUSES = {Why.NOT_FOUND: Cause.CASE_GONE, Why.REFUSED: Cause.BAD_REQUEST, Why.NO_ORG: Cause.UNAUTHORIZED}


class AttachWorker:
    def __init__(
        self,
        submits: AttachJobs,
        shelf: AttachFormStore,
        orgs: OrgRepository,
        windows: AttachWindows,
        timing: Timing,
        *,
        owner: str,
        wake: Callable[[], None],
    ) -> None:
        self._submits = submits
        self._shelf = shelf
        self._orgs = orgs
        self._windows = windows
        self._timing = timing
        self._leases = Leases(submits.database, insight_submits, owner=owner, lease=timing.lease)
        self._wake = wake
        self._tasks = Tasks()
        self._tidied = 0.0

    async def step(self) -> float | None:
        free = SLOTS - len(self._tasks)
        if free > 0:
            for row in await self._leases.claim(insight_submits.c.state == "waiting", free):
                self._tasks.spawn(self._carry_out(row), f"insights {row.ref}")
        await self._tidy()
        return None

    async def _tidy(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._tidied > _TIDY_EVERY:
            self._tidied = now
            await self._shelf.clear()
            await self._submits.clear()

    async def recover(self) -> None:
        sending = insight_submits.c.comment_state == CommentState.SENDING
        await self._leases.settle_old(~sending, 0)
        await self._leases.settle_old(sending, self._timing.settle)

    async def close(self, within: float) -> None:
        await self._tasks.finish(within)
        await self._leases.hand_back(insight_submits.c.comment_state == CommentState.SENDING, self._timing.settle)

    # -- one submit ---------------------------------------------------------------------------------------------

    async def _carry_out(self, row: Row[Any]) -> None:
        fence, submit = self._leases.fence(row), read_job(row)
        async with self._keeping(fence):
            org = await self._orgs.get(submit.org)
            attached = await self._insights(org, submit, fence)
            told = await self._comment(org, attached, fence, row) if attached else None
            if told is None or not await self._submits.finish(fence, told):
                return
        logger.info("insights %s: %d done, %d open", told.ref, len(told.outcome.done), len(told.outcome.open))
        self._wake()
        await self._windows.finished(replace(told, done=True))

    @asynccontextmanager
    async def _keeping(self, fence: Fence) -> AsyncIterator[None]:
        """Many requests may take longer than one lease: it is renewed while they run."""
        renewing = asyncio.create_task(self._renew(fence))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, fence: Fence) -> None:
        while True:
            await asyncio.sleep(self._timing.lease / 3)
            await self._submits.write(fence, due_at=self._submits.database.now + self._timing.lease)

    async def _insights(self, org: ConnectedOrg | None, submit: AttachJob, fence: Fence) -> AttachJob | None:
        """None when somebody else has the work now."""
        if not submit.outcome.open:
            return submit
        outcome = await self._sent(org, submit)
        case = outcome.case
        tried = replace(submit, outcome=outcome)
        if case is not None:
            tried = replace(tried, case_id=case.id, case_key=case.key)
        if not await self._submits.attached(fence, tried, len(submit.outcome.done), case):
            return None
        if case is not None:
            owner = Owner(submit.place.workspace, submit.person)
            await self._shelf.change(submit.draft_key, owner, lambda sheet: sheet.after_submit(case))
        return tried

    async def _sent(self, org: ConnectedOrg | None, submit: AttachJob) -> InsightOutcome:
        if org is None:
            problem = Problem(Cause.UNAUTHORIZED)
            nothing = BatchOutcome(1, open=submit.outcome.open, problem=problem, tried=False)
            return submit.outcome.followed_by(InsightOutcome((nothing,)))
        call = org.cases.add_insights if submit.work is AttachWork.ATTACH else org.cases.remove_insights
        return await send_open(call, submit.case_id, submit.outcome)

    async def _comment(
        self, org: ConnectedOrg | None, submit: AttachJob, fence: Fence, row: Row[Any]
    ) -> AttachJob | None:
        """None when its outcome is open and looked at again later, or somebody else has the work now."""
        if submit.comment_state not in {CommentState.OWED, CommentState.SENDING}:
            return submit
        if org is None or any(problem.stops for problem in submit.outcome.problems):
            return submit
        comment = CommentToPost(submit.case_id, submit.comment, row.comment_sent_at)
        posted = await post_once(org, comment, about_to_send=lambda: self._about_to_comment(fence))
        if isinstance(posted, Trouble):
            return _comment_refused(submit, posted)
        if posted is Posted.DONE:
            owner = Owner(submit.place.workspace, submit.person)
            await self._shelf.change(submit.draft_key, owner, lambda sheet: sheet.after_comment(submit.comment))
            return replace(submit, comment_state=CommentState.POSTED, comment_problem=None)
        if row.attempt >= _MOST_LOOKS:
            return _comment_refused(submit, Trouble(Why.UNCLEAR))
        await self._submits.write(fence, due_at=self._submits.database.now + self._timing.settle, owner=None)
        return None

    async def _about_to_comment(self, fence: Fence) -> bool:
        now = self._submits.database.now
        return await self._submits.write(fence, comment_state=CommentState.SENDING, comment_sent_at=now)


def _comment_refused(submit: AttachJob, trouble: Trouble) -> AttachJob:
    cause = _CAUSES.get(trouble.why) or Cause(trouble.why)
    problem = Problem(cause, trouble.detail, trouble.permission, trouble.wait)
    return replace(submit, comment_state=CommentState.REFUSED, comment_problem=problem)
