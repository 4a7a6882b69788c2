"""Carries out what was submitted in the insights window: insights first, then the links as one comment, then tells.

Insights have set semantics at Datadog: whoever finds work of a dead process does it again. A comment is looked for
before it is sent again.
"""

import logging
from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from bot.datadog.case_comments import CommentToPost
from bot.datadog.trouble import Trouble, TroubleKind
from bot.insights.attach_form_store import AttachFormStore, Owner
from bot.insights.attach_jobs import AttachJob, AttachJobs, CommentState, Work, read_submit
from bot.insights.outcome import BatchOutcome, Cause, InsightOutcome, Problem
from bot.insights.ports import InsightOrg, InsightOrgs, Teller
from bot.insights.sending import retry_attach, retry_remove
from bot.insights.tables import insight_submits
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.timing import Timing

logger = logging.getLogger(__name__)

_MOST_LOOKS = 4  # for a comment whose outcome is unknown
_CAUSES = {TroubleKind.NOT_FOUND: Cause.CASE_GONE, TroubleKind.REFUSED: Cause.BAD_REQUEST}


class AttachWorker(LeasedWorker):
    table = insight_submits
    slots = 8
    due = insight_submits.c.state == "waiting"
    under_way = insight_submits.c.comment_state == CommentState.SENDING
    keeps_lease = True  # hundreds of insights are many requests

    def __init__(
        self,
        submits: AttachJobs,
        shelf: AttachFormStore,
        orgs: InsightOrgs,
        teller: Teller,
        timing: Timing,
        *,
        owner: str,
    ) -> None:
        super().__init__(submits.database, timing, owner=owner)
        self._submits = submits
        self._shelf = shelf
        self._orgs = orgs
        self._teller = teller

    async def work(self, row: Row[Any], fence: Fence) -> None:
        submit = read_submit(row)
        org = await self._orgs.get(submit.org)
        attached = await self._insights(org, submit, fence)
        told = await self._comment(org, attached, fence, row) if attached else None
        if told is None or not await self._submits.finish(fence, told):
            return
        logger.info("insights %s: %d done, %d open", told.ref, len(told.outcome.done), len(told.outcome.open))
        await self._teller.finished(replace(told, done=True))

    async def _insights(self, org: InsightOrg | None, submit: AttachJob, fence: Fence) -> AttachJob | None:
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

    async def _sent(self, org: InsightOrg | None, submit: AttachJob) -> InsightOutcome:
        if org is None:
            problem = Problem(Cause.UNAUTHORIZED)
            nothing = BatchOutcome(1, open=submit.outcome.open, problem=problem, tried=False)
            return submit.outcome.followed_by(InsightOutcome((nothing,)))
        retry = retry_attach if submit.work is Work.ATTACH else retry_remove
        return await retry(org.cases, submit.case_id, submit.outcome)

    async def _comment(
        self, org: InsightOrg | None, submit: AttachJob, fence: Fence, row: Row[Any]
    ) -> AttachJob | None:
        """None when its outcome is open and looked at again later, or somebody else has the work now."""
        if submit.comment_state not in {CommentState.OWED, CommentState.SENDING}:
            return submit
        if org is None or any(problem.stops for problem in submit.outcome.problems):
            return submit
        comment = CommentToPost(submit.case_id, submit.comment, row.comment_sent_at)
        trouble = await org.comments.post_once(comment, about_to_send=lambda: self._about_to_comment(fence))
        if trouble is None:
            owner = Owner(submit.place.workspace, submit.person)
            await self._shelf.change(submit.draft_key, owner, lambda sheet: sheet.after_comment(submit.comment))
            return replace(submit, comment_state=CommentState.POSTED, comment_problem=None)
        if trouble.kind is not TroubleKind.UNCLEAR or row.attempt >= _MOST_LOOKS:
            return _comment_refused(submit, trouble)
        await self.put_off(fence, self._timing.settle)
        return None

    async def _about_to_comment(self, fence: Fence) -> bool:
        return await self.write(fence, comment_state=CommentState.SENDING, comment_sent_at=self._database.now)


def _comment_refused(submit: AttachJob, trouble: Trouble) -> AttachJob:
    cause = _CAUSES.get(trouble.kind) or Cause(trouble.kind)
    problem = Problem(cause, trouble.detail, trouble.permission, trouble.wait)
    return replace(submit, comment_state=CommentState.REFUSED, comment_problem=problem)
