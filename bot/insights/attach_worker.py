"""Carries out what was submitted in the insights window: insights first, then the links as one comment, then tells.

Insights have set semantics at Datadog: whoever finds work of a dead process does it again. A comment is looked for
before it is sent again.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind
from bot.insights.attach_form import AttachFormStore, Owner
from bot.insights.attach_jobs import AttachJob, AttachJobs, AttachWork, CommentState, read_job
from bot.insights.sending import BatchOutcome, InsightOutcome, plain_refusal, send_open, stops
from bot.insights.tables import insight_submits
from bot.insights.windows import AttachWindows
from bot.orgs.repository import OrgRepository
from bot.slack.people import People
from bot.storage.leases import Fence, LeasedWorker
from bot.wording import said_in_slack

logger = logging.getLogger(__name__)

_MOST_LOOKS = 4  # for a comment whose outcome is unknown


@dataclass(eq=False)
class AttachWorker(LeasedWorker):
    table = insight_submits
    slots = 8
    due = insight_submits.c.state == "waiting"
    under_way = insight_submits.c.comment_state == CommentState.SENDING
    keeps_lease = True  # hundreds of insights are many requests

    jobs: AttachJobs
    forms: AttachFormStore
    orgs: OrgRepository
    windows: AttachWindows
    people: People

    async def work(self, row: Row[Any], fence: Fence) -> None:
        job = read_job(row)
        org = await self.orgs.get(job.org, job.place.workspace)
        attached = await self._insights(org, job, fence)
        told = await self._comment(org, attached, fence, row) if attached else None
        if told is None or not await self.jobs.finish(fence, told):
            return
        logger.info("insights %s: %d done, %d open", told.ref, len(told.outcome.done), len(told.outcome.open))
        await self.windows.finished(replace(told, done=True))

    async def _insights(self, org: ConnectedOrg | None, job: AttachJob, fence: Fence) -> AttachJob | None:
        """None when somebody else has the work now."""
        if not job.outcome.open:
            return job
        outcome = await self._sent(org, job)
        case = outcome.case
        tried = replace(job, outcome=outcome)
        if case is not None:
            tried = replace(tried, case_id=case.id, case_key=case.key)
        if not await self.jobs.attached(fence, tried, len(job.outcome.done), case):
            return None
        if case is not None:
            owner = Owner(job.place.workspace, job.person)
            await self.forms.change(job.draft_key, owner, lambda form: form.after_submit(case))
        return tried

    async def _sent(self, org: ConnectedOrg | None, job: AttachJob) -> InsightOutcome:
        if org is None:
            problem = Trouble(TroubleKind.NO_ORG)
            nothing = BatchOutcome(1, open=job.outcome.open, problem=problem, tried=False)
            return job.outcome.followed_by(InsightOutcome((nothing,)))
        call = org.cases.add_insights if job.work is AttachWork.ATTACH else org.cases.remove_insights
        return await send_open(call, job.case_id, job.outcome)

    async def _comment(self, org: ConnectedOrg | None, job: AttachJob, fence: Fence, row: Row[Any]) -> AttachJob | None:
        """None when its outcome is open and looked at again later, or somebody else has the work now."""
        if job.comment_state not in {CommentState.OWED, CommentState.SENDING}:
            return job
        if org is None or any(stops(problem) for problem in job.outcome.problems):
            return job
        author = row.comment_author or await self.people.name(job.place.workspace, job.person)
        nameless = row.comment_sent_at is not None and not row.comment_author  # sent so by an earlier version
        sent: dict[str, Any] = {"comment_state": CommentState.SENDING, "comment_sent_at": self._database.now}
        trouble = await org.cases.comment_once(
            job.case_id,
            job.comment if nameless else said_in_slack(author, job.comment),
            sent_before=row.comment_sent_at,
            about_to_send=lambda: self.write(fence, comment_author=None if nameless else author, **sent),
        )
        if trouble is None:
            owner = Owner(job.place.workspace, job.person)
            await self.forms.change(job.draft_key, owner, lambda form: form.after_comment(job.comment))
            return replace(job, comment_state=CommentState.POSTED, comment_problem=None)
        if trouble.kind is not TroubleKind.UNCLEAR or row.attempt >= _MOST_LOOKS:
            return replace(job, comment_state=CommentState.REFUSED, comment_problem=plain_refusal(trouble))
        await self.put_off(fence, self._timing.settle)
        return None
