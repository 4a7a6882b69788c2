"""Keeps the open windows showing what their forms hold, whoever changed them and however many at once; tells what
became of a job: in its window, in its thread, or to the person alone."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import ClassVar
from weakref import WeakValueDictionary

from bot.datadog.cases import Case
from bot.datadog.insights import Incidents, look_up_labels
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import TroubleKind, or_trouble
from bot.insights.attach_form import AttachForm, AttachFormStore, CaseChoice, FormStage, Owner
from bot.insights.attach_jobs import AttachJob, AttachJobs
from bot.insights.form_views import attach_view, confirm_view, expired_view, removal_view
from bot.insights.result_views import line_message, result_view, told_directly, working_view
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.slack.blocks import Block, Message, sentences
from bot.slack.errors import CALL_ERRORS, error_code, posting_sentence
from bot.slack.poster import Urgency
from bot.slack.replies import Modals, Replies
from bot.storage.outbox import Delivery
from bot.wording import APP, CASE, DATADOG

logger = logging.getLogger(__name__)

_MOST_HASHES = 2_000
_NAMES_A_ROUND = 50  # requests; the next gesture asks for more
_CASE_PATIENCE = 5.0  # seconds in the background: nobody waits, but a window may be closed by then


@dataclass(eq=False, repr=False)
class AttachWindows:
    forms: AttachFormStore
    jobs: AttachJobs
    orgs: OrgRepository
    modals: Modals
    replies: Replies
    _hashes: OrderedDict[str, str] = field(default_factory=OrderedDict, init=False)
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary, init=False)

    # -- drawing ------------------------------------------------------------------------------------------------

    async def view_of(self, form: AttachForm, key: str) -> Block:
        """The window for what the form holds now."""
        if form.stage is FormStage.CHOOSING:
            return removal_view(form, key)
        if form.stage is FormStage.CONFIRMING:
            return confirm_view(form, key)
        submitted = form.stage is FormStage.SUBMITTED
        job = await self.jobs.get_in(form.place.workspace, form.submit_id) if submitted else None
        return self.view_of_job(job) if job else attach_view(form, key)

    def view_of_job(self, job: AttachJob) -> Block:
        return result_view(job, self.orgs.app_url(job.org)) if job.done else working_view(job)

    def opened(self, view: Block) -> None:
        """Which version of a window Slack shows, for updates that must not overwrite a newer one."""
        view_id = str(view.get("id") or "")
        self._hashes.pop(view_id, None)
        self._hashes[view_id] = str(view.get("hash") or "")
        while len(self._hashes) > _MOST_HASHES:
            self._hashes.popitem(last=False)

    def replaced(self, view_id: str) -> None:
        """By an answer to a submission, of which Slack tells no version."""
        self._hashes.pop(view_id, None)

    async def show(self, key: str, owner: Owner, view_id: str) -> bool:
        """Draws the window anew, over a newer one too; False when it is not open any more."""
        turn = self._turns.setdefault(view_id, asyncio.Lock())
        async with turn:
            for _ in range(2):
                try:
                    await self._draw(key, owner, view_id)
                except CALL_ERRORS as error:
                    reason = error_code(error)
                    if reason != "hash_conflict":
                        logger.info("a window could not be updated: %s", reason)
                        return False
                    self.replaced(view_id)
                else:
                    return True
        return False

    async def _draw(self, key: str, owner: Owner, view_id: str) -> None:
        form = await self.forms.get(key, owner)
        view = await self.view_of(form, key) if form else expired_view()
        known = self._hashes.get(view_id) or None
        self.opened(await self.modals.draw(owner.workspace, view_id, view, view_hash=known))

    # -- what is looked up in the background --------------------------------------------------------------------

    async def look_up(self, key: str, owner: Owner, view_id: str) -> None:
        """What makes the window readable: names, and what the case has."""
        form = await self.forms.get(key, owner)
        org = await self.orgs.get(form.org, owner.workspace) if form else None
        if form is not None and org is not None:
            await asyncio.gather(
                self._names(org, form, key, owner, view_id), self._case_facts(org, form, key, owner, view_id)
            )

    async def _names(self, org: ConnectedOrg, form: AttachForm, key: str, owner: Owner, view_id: str) -> None:
        unnamed = form.unnamed[:_NAMES_A_ROUND]
        if not unnamed:
            return
        labels = await look_up_labels(unnamed, monitors=org.monitors, incidents=Incidents(org.client))
        await self.forms.change(key, owner, lambda now: now.with_labels(labels, unnamed))
        if labels:
            await self.show(key, owner, view_id)

    async def _case_facts(self, org: ConnectedOrg, form: AttachForm, key: str, owner: Owner, view_id: str) -> None:
        """The case's title and what it has already."""
        if form.case is None or form.held is not None:
            return
        case = await or_trouble(org.cases.get(form.case.id), _CASE_PATIENCE)
        if isinstance(case, Case):
            await self.forms.change(key, owner, lambda now: now.with_case_facts(case))
        elif case.kind is TroubleKind.NOT_FOUND:
            await self._no_such_case(form.case, key, owner)
        else:
            logger.info("a chosen case could not be read: %s", case.kind)
            return
        await self.show(key, owner, view_id)

    async def _no_such_case(self, case: CaseChoice, key: str, owner: Owner) -> None:
        notice = f"{DATADOG} has no {CASE} {case.name[:80]}, or {APP}'s key may not see it. Choose another one."

        def without(now: AttachForm) -> AttachForm:
            return now.without_case(notice) if now.case and now.case.id == case.id else now

        await self.forms.change(key, owner, without)

    # -- what became of a job -----------------------------------------------------------------------------------

    async def finished(self, job: AttachJob) -> None:
        """Shows it in the job's window; in words to the person if that is closed and nothing else tells of it."""
        owner = Owner(job.place.workspace, job.person)
        form = await self.forms.get(job.draft_key, owner)
        shows_it = form is not None and form.stage is FormStage.SUBMITTED and form.submit_id == job.id
        if shows_it and await self.show(job.draft_key, owner, job.view_id):
            return
        if not job.complete or not job.place.thread_ts:
            await self.replies.tell(job.place, job.person, told_directly(job, self.orgs.app_url(job.org)))


@dataclass(frozen=True, slots=True)
class AttachedLines:
    """The one line a thread gets when insights were attached, as the poster asks for it."""

    urgency: ClassVar[Urgency] = Urgency.CARD

    jobs: AttachJobs
    orgs: OrgRepository
    replies: Replies

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        job = await self.jobs.get(delivery.post.subject_id)
        if job is None or not job.changed_something:
            return None
        if await self.orgs.withholds(job.org, delivery.post.workspace):
            return None
        return line_message(job, self.orgs.app_url(job.org), may_repeat=may_repeat)

    async def refused(self, delivery: Delivery, code: str) -> None:
        """The work is done all the same; whoever did it hears that the thread was not told."""
        job, post = await self.jobs.get(delivery.post.subject_id), delivery.post
        if job is None:
            return
        line = line_message(job, self.orgs.app_url(job.org))
        place = Place(post.workspace, post.channel, post.thread_ts)
        why = posting_sentence(code, channel=post.channel)
        await self.replies.tell(place, post.requester, sentences("I could not tell the thread.", why, line.text))
