"""The window for insights: what opens it, by click or by word, and everything done in it. Each gesture is written down before
Slack is told."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.cases import card as case_card
from bot.cases.form import WORK_ON_CASES, case_refusal
from bot.cases.requests import CaseRequests
from bot.cases.views import case_unknown_here
from bot.datadog.insight_recognition import by_hand, recognise
from bot.datadog.insights import InsightDraft
from bot.datadog.links import case_named
from bot.insights import form_views as views
from bot.insights.attach_form import AttachForm, AttachFormStore, FormStage, HandForm, Owner
from bot.insights.attach_jobs import AttachJob, AttachJobs, AttachWork
from bot.insights.form_views import Entered
from bot.insights.opening import ATTACH_FROM, AttachOpening, Beginning
from bot.insights.picker import CasePicker
from bot.insights.sending import not_sent
from bot.insights.windows import AttachWindows
from bot.investigations import answers, conclusions_view, subject_view
from bot.investigations.message_alerts import ThreadReader
from bot.investigations.repository import InvestigationRepository
from bot.model import Place
from bot.orgs.questions import OrgQuestions
from bot.slack.blocks import Block
from bot.slack.commands import Command, invalid, unquoted
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Handler, Listeners, Submitted
from bot.slack.text import code
from bot.wording import CASE, DATADOG, INSIGHTS

ATTACH_MESSAGE = "attach_message_to_case"
ATTACH_INSIGHTS = "attach_insights"


@dataclass(frozen=True, slots=True)
class AttachButtons:
    """Whatever opens the window. That takes no part of the time in which Slack wants its answer."""

    opening: AttachOpening
    investigations: InvestigationRepository
    case_requests: CaseRequests
    threads: ThreadReader

    def register(self, on: Listeners) -> None:
        judged = Judged("the window, before it opens")
        on.action(conclusions_view.ATTACH, self.from_conclusions, judged)
        on.action(subject_view.ATTACH, self.from_alert, judged)
        on.action(case_card.ATTACH, self.from_case, judged)
        on.action(views.BEGIN, self.from_words, judged)
        on.shortcut(ATTACH_MESSAGE, self.from_message, judged)
        on.shortcut(ATTACH_INSIGHTS, self.from_words, judged)

    async def from_conclusions(self, click: Interaction) -> After:
        async def begin() -> None:
            investigation = await self.investigations.get_in(click.workspace, click.number)
            if investigation is None:
                await self.opening.replies.tell(click.place, click.person, answers.gone())
            else:
                await self.opening.begin_with_investigation(click, investigation)

        return begin()

    async def from_alert(self, click: Interaction) -> After:
        return self.opening.begin(click, Beginning(subject=subject_view.read_alert_value(click.value)))

    async def from_case(self, click: Interaction) -> After:
        """On a card, or in the window that offers a thread's case, which knows its thread by its request."""

        async def begin() -> None:
            in_window = bool(click.view)
            request = await self.case_requests.get(click.metadata, click.workspace, click.person) if in_window else None
            at = click.at(request.place.channel, request.place.thread_ts) if request else click
            case = await self.opening.cases.get_in(click.workspace, click.number)
            if case is None:
                await self.opening.replies.tell(at.place, at.person, case_unknown_here())
            else:
                await self.opening.begin_with_case(at, case)

        return begin()

    async def from_words(self, click: Interaction) -> After:
        """Those of a button; a shortcut has none."""
        return self.opening.begin(click, Beginning(click.value))

    async def from_message(self, shortcut: Interaction) -> After:
        async def begin() -> None:
            subject = await self.threads.subject_of_message(shortcut.place, shortcut.message)
            await self.opening.begin(shortcut, Beginning.of_message(subject, shortcut.message))

        return begin()


Step = Callable[[AttachForm, Entered, str], AttachForm]  # from what is kept, what was entered, and the button's value
Answer = Callable[[Interaction, AttachForm], Awaitable[Submitted]]


@dataclass(frozen=True, slots=True)
class AttachFormListeners:
    """What is done in the open window."""

    opening: AttachOpening
    forms: AttachFormStore
    jobs: AttachJobs
    windows: AttachWindows
    picker: CasePicker

    def register(self, on: Listeners) -> None:
        may = replace(WORK_ON_CASES, where=self._place)
        on.options(views.CASE_PICKED, self.offer_cases, may)
        for action_id in (views.CHOSEN, views.COMMENT, views.REFRESH, views.LEAVING):
            on.action(action_id, self._gesture(_as_it_is), may)
        on.action(views.BY_HAND, self._gesture(_toggle_hand), may)
        on.action(views.FORGET, self._gesture(lambda form, _, __: form.without_set_aside()), may)
        on.action(views.CASE_PICKED, self._gesture(_as_it_is, looks_up=True), may)
        on.action(views.ADD, self._gesture(self._with_pasted, looks_up=True), may)
        on.action(views.ADD_BY_HAND, self._gesture(self._with_hand, looks_up=True), may)
        on.action(views.REMOVE, self._gesture(lambda form, _, __: form.choosing(), looks_up=True), may)
        on.action(views.BACK, self._gesture(lambda form, _, __: form.back(), looks_up=True), may)
        judged = Judged("the window, which keeps what was entered")
        on.submission(views.CALLBACK_FORM, self._submission(self._attach), judged)
        on.submission(views.CALLBACK_REMOVAL, self._submission(self._removal_chosen), judged)
        on.submission(views.CALLBACK_CONFIRM, self._submission(self._removal_confirmed), judged)
        on.submission(views.CALLBACK_RESULT, self._submission(self._retry), judged)

    async def _place(self, interaction: Interaction) -> Place:
        form = await self.forms.get(interaction.metadata, _owner(interaction))
        return form.place if form else interaction.place

    async def offer_cases(self, search: Interaction) -> list[Block]:
        form = await self.forms.get(search.metadata, _owner(search))
        if form is None:
            return []
        home = self.opening.location(form.org)
        offer = await self.picker.offer(form.org, search.text, place=form.place, person=search.person, home=home)
        return views.case_options(offer)

    # -- gestures -----------------------------------------------------------------------------------------------

    def _gesture(self, step: Step, *, looks_up: bool = False) -> Handler:
        """What stands in the fields is kept, the step is taken, the window drawn anew."""

        async def handle(click: Interaction) -> After:
            entered = Entered(click.view)
            # other windows have none of its fields, which is not the same as empty ones
            is_form = click.view.get("callback_id") == views.CALLBACK_FORM

            def change(form: AttachForm) -> AttachForm:
                return step(_noted(form, entered) if is_form else form, entered, click.value)

            await self.forms.change(click.metadata, _owner(click), change)
            return self._show(click, looks_up=looks_up)

        return handle

    async def _show(self, click: Interaction, *, looks_up: bool) -> None:
        await self.windows.show(click.metadata, _owner(click), click.view_id)
        if looks_up:
            await self._look_up(click)

    async def _look_up(self, gesture: Interaction) -> None:
        await self.windows.look_up(gesture.metadata, _owner(gesture), gesture.view_id)

    def _with_pasted(self, form: AttachForm, entered: Entered, _value: str = "") -> AttachForm:
        return form.with_pasted(recognise(entered.typed(views.PASTED), self.opening.location(form.org)))

    def _with_hand(self, form: AttachForm, entered: Entered, _value: str = "") -> AttachForm:
        checked = self._checked(form, entered)
        if isinstance(checked, InsightDraft):
            return form.with_hand_draft(checked)
        return form.with_hand_problems(checked.values())

    def _checked(self, form: AttachForm, entered: Entered) -> InsightDraft | dict[str, str]:
        kind, ref = entered.choice(views.HAND_TYPE), entered.typed(views.HAND_REF)
        return by_hand(kind, ref, entered.typed(views.HAND_ID), self.opening.location(form.org))

    # -- submissions --------------------------------------------------------------------------------------------

    def _submission(self, answer: Answer) -> Callable[[Interaction], Awaitable[Submitted]]:
        async def handle(submission: Interaction) -> Submitted:
            form = await self.forms.get(submission.metadata, _owner(submission))
            if form is None:
                answered = Submitted(view=views.expired_view())
            else:
                answered = await self._refused(submission, form) or await answer(submission, form)
            if answered.view is not None:
                self.windows.replaced(submission.view_id)
            return answered

        return handle

    async def _attach(self, submission: Interaction, form: AttachForm) -> Submitted:
        if form.stage is FormStage.SUBMITTED:  # the same submission once more
            return await self._stands(submission, form)
        entered = Entered(submission.view)
        if problems := self._hand_problems(form, entered):
            return Submitted(errors=problems)
        changed = await self.forms.change(
            submission.metadata, _owner(submission), lambda now: self._with_all_entered(_noted(now, entered), entered)
        )
        if changed is None:
            return Submitted(view=views.expired_view())
        if len(changed.insights.set_aside) > len(form.insights.set_aside):
            # something pasted can't be attached: that is to be read before the window is gone
            return replace(await self._stands(submission, changed), after=self._look_up(submission))
        if errors := _errors(changed, entered):
            return Submitted(errors=errors)
        return await self._enter(submission, changed, AttachWork.ATTACH)

    async def _refused(self, submission: Interaction, form: AttachForm) -> Submitted | None:
        """For somebody whose rights went away while the window was open: what was entered waits behind the reason."""
        refusal = await case_refusal(self.opening.permissions, form.place, submission.person)
        if refusal is None:
            return None
        entered = Entered(submission.view)
        await self.forms.change(
            submission.metadata, _owner(submission), lambda now: self._with_all_entered(_noted(now, entered), entered)
        )
        return Submitted(view=views.refused_view(submission.metadata, refusal))

    async def _stands(self, submission: Interaction, form: AttachForm) -> Submitted:
        return Submitted(view=await self.windows.view_of(form, submission.metadata))

    def _hand_problems(self, form: AttachForm, entered: Entered) -> dict[str, str]:
        """Under the fields of the section by hand, if somebody began to fill it in."""
        checked = self._checked(form, entered) if entered.has_hand_entry else {}
        if isinstance(checked, InsightDraft):
            return {}
        fields = {"type": views.HAND_TYPE, "ref": views.HAND_REF, "resource_id": views.HAND_ID}
        return {entered.block_id(fields[name]): problem for name, problem in checked.items()}

    def _with_all_entered(self, form: AttachForm, entered: Entered) -> AttachForm:
        """What was pasted or typed but not yet added is meant too."""
        if entered.text(views.PASTED):
            pasted = self._with_pasted(form, entered)
            new = len(pasted.insights.set_aside) - len(form.insights.set_aside)
            told = "Not all of what you pasted can be attached: see below, then press Attach again."
            form = replace(pasted, notice=told if new else "")
        return self._with_hand(form, entered) if entered.has_hand_entry else form

    async def _enter(self, submission: Interaction, form: AttachForm, work: AttachWork) -> Submitted:
        """Written down; from here on it is carried out whatever happens to us or to the window."""
        case, key, owner = form.case, submission.metadata, _owner(submission)
        if case is None:
            return await self._stands(submission, form)
        attach = work is AttachWork.ATTACH
        insights = tuple(line.insight for line in form.insights.to_send) if attach else form.to_remove
        job = await self.jobs.enter(
            f"{key}:{form.submits}",
            AttachJob(
                draft_key=key,
                view_id=submission.view_id,
                work=work,
                org=form.org,
                place=form.place,
                person=submission.person,
                case_id=case.id,
                case_key=case.key,
                outcome=not_sent(insights),
                comment=form.comment_text if attach else "",
            ),
        )
        await self.forms.change(key, owner, lambda now: now if now.submit_id == job.id else now.submitted(job.id))
        await self.jobs.release(job.id)
        return Submitted(view=self.windows.view_of_job(job))

    async def _removal_chosen(self, submission: Interaction, form: AttachForm) -> Submitted:
        entered = Entered(submission.view)
        leaving = {handle for handle, _ in form.removable}.intersection(entered.choices(views.LEAVING))
        if not leaving:
            return Submitted(errors={entered.block_id(views.LEAVING): "Choose at least one."})
        changed = await self.forms.change(submission.metadata, _owner(submission), lambda now: now.confirming(leaving))
        return await self._stands(submission, changed or form)

    async def _removal_confirmed(self, submission: Interaction, form: AttachForm) -> Submitted:
        if form.stage is not FormStage.CONFIRMING or not form.to_remove:
            return await self._stands(submission, form)
        return await self._enter(submission, form, AttachWork.REMOVE)

    async def _retry(self, submission: Interaction, form: AttachForm) -> Submitted:
        job = await self.jobs.get_in(form.place.workspace, form.submit_id)
        if job is None:
            return await self._stands(submission, form)
        await self.jobs.retry(job.id)
        return Submitted(view=self.windows.view_of_job(replace(job, done=False)))


def _owner(interaction: Interaction) -> Owner:
    return Owner(interaction.workspace, interaction.person)


def _noted(form: AttachForm, entered: Entered) -> AttachForm:
    if form.stage is not FormStage.FORM:
        return form
    noted = form.noting(
        chosen=entered.choices(views.CHOSEN),
        among=entered.offered(views.CHOSEN),
        comment=bool(entered.choices(views.COMMENT)),
    )
    if entered.picked and entered.case is None:
        # a hint of the picker is not left standing: a fresh field
        return replace(noted, case_round=noted.case_round + 1)
    return noted.with_case(entered.case) if entered.case else noted


def _as_it_is(form: AttachForm, _entered: Entered, _value: str) -> AttachForm:
    return form


def _toggle_hand(form: AttachForm, _entered: Entered, value: str) -> AttachForm:
    """Shown, hidden, or started with a piece that only lacks its id."""
    if value == "hide":
        return form.with_hand_form(None)
    number = value.removeprefix("piece:")
    pieces = form.insights.set_aside
    if number.isdigit() and int(number) < len(pieces):
        piece = pieces[int(number)]
        return form.with_hand_form(HandForm(piece.type, piece.ref))
    return form.with_hand_form(HandForm())


def _errors(form: AttachForm, entered: Entered) -> dict[str, str]:
    if form.case is None or entered.case is None:
        return {entered.block_id(views.CASE_PICKED): "Choose a case from the list."}
    if form.insights.to_send or form.comment_text:
        return {}
    block_id = entered.block_id(views.PASTED)
    if form.insights.on_case:
        return {block_id: "All of them are on the case already. Add something new, or press Cancel."}
    return {block_id: "Nothing is chosen to be attached. Paste a link, or choose from the list below."}


# -- what can be typed --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AttachCommands:
    opening: AttachOpening

    def commands(self) -> tuple[Command[str]]:
        usage = ((f"[{CASE} key or link]", f"attach {DATADOG} links to a {CASE} as {INSIGHTS}"),)
        return (Command("attach", usage, read_attach, self.attach),)

    def go_on_after(self, questions: OrgQuestions) -> None:
        questions.when_answered(ATTACH_FROM, self.resume)

    async def attach(self, typed: Interaction, words: str) -> After:
        if words and not case_named(words):
            return invalid(f"{code(words, 80)} is no case. Give its key, like CASEM-42, or its link.")
        if not typed.trigger_id:
            return views.begin_message(words)
        return self.opening.begin(typed, Beginning(words))

    async def resume(self, answer: Interaction, beginning: Beginning, org: str) -> After:
        return self.opening.begin(answer, beginning, org=org)


def read_attach(rest: str) -> str:
    """The words that name the case; they may be empty."""
    words = re.sub(r"^(?:insights?\s+)?(?:to\s+)?", "", unquoted(rest), flags=re.IGNORECASE)
    return unquoted(words).removeprefix("#")
