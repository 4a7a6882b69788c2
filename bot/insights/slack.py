"""The insights window: what opens it, and every gesture in it. Each is written down before Slack is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.cases.views import card as case_card
from bot.datadog.insight_drafts import FieldProblem, InsightDraft
from bot.datadog.insight_recognition import Recognised, recognise
from bot.insights import openings as attach_starts
from bot.insights.attach_form import AttachForm, HandForm, Stage
from bot.insights.attach_form_store import Owner
from bot.insights.attach_jobs import AttachJob, Wanted, Work
from bot.insights.by_hand import by_hand
from bot.insights.opening_forms import Attaching
from bot.insights.openings import Beginning
from bot.insights.views import form as attach
from bot.insights.views import parts as attach_parts
from bot.insights.views.input import Entered, HandEntry, read_entered
from bot.investigations.views import conclusions
from bot.investigations.views import investigate_button as nudge
from bot.model import Place
from bot.services import Services
from bot.slack.blocks import Block
from bot.slack.interactions import Interaction, first_action, of_message, of_view, workspace_of

ATTACH_MESSAGE = "attach_message_to_case"
ATTACH_INSIGHTS = "attach_insights"


def register(app: AsyncApp, services: Services) -> None:
    attaching = services.attaching
    _register_openings(app, services, attaching)
    _register_picker(app, attaching)
    _register_gestures(app, attaching)
    _register_submissions(app, attaching)


# -- what opens it --------------------------------------------------------------------------------------------------


def _register_openings(app: AsyncApp, services: Services, attaching: Attaching) -> None:
    @app.action(conclusions.ATTACH)
    async def from_conclusions(ack: AsyncAck, body: dict[str, Any]) -> None:
        value = str(first_action(body).get("value") or "")
        await ack()
        investigation = await services.repository.get(int(value)) if value.isdigit() and len(value) < 16 else None
        if investigation is None:
            attach_starts.begin(attaching, of_message(body), Beginning())
        else:
            attaching.open_soon(of_message(body), attach_starts.of_investigation(attaching, investigation))

    @app.action(nudge.ATTACH)
    async def from_alert(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        alert = nudge.read_alert_value(str(first_action(body).get("value") or ""))
        attach_starts.begin(attaching, of_message(body), Beginning(subject=alert))

    @app.action(case_card.ATTACH)
    async def from_case(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction, value = await _gesture(services, body), str(first_action(body).get("value") or "")
        start = await attach_starts.of_case(attaching, interaction.place.workspace, value)
        if start is None:
            attach_starts.begin(attaching, interaction, Beginning())
        else:
            attaching.open_soon(interaction, start, on_top="view" in body)

    @app.action(attach.BEGIN)
    async def begin(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        words = str(first_action(body).get("value") or "")
        attach_starts.begin(attaching, of_message(body), Beginning(words))

    @app.shortcut(ATTACH_MESSAGE)
    async def attach_message(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction, message = of_message(body), body.get("message") or {}
        subject = await services.threads.subject_of_message(interaction.place, message)
        attach_starts.begin(attaching, interaction, Beginning.of_message(subject, message))

    @app.shortcut(ATTACH_INSIGHTS)
    async def attach_insights(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        attach_starts.begin(attaching, of_message(body), Beginning())


async def _gesture(services: Services, body: dict[str, Any]) -> Interaction:
    """On a card, or in the window that offers a thread's case, which knows its thread by its order."""
    if "view" not in body:
        return of_message(body)
    window = _window(body)
    order = await services.cases.requests.get(window.key, window.owner.workspace, window.owner.person)
    return of_view(body, order.place if order else Place(window.owner.workspace, ""))


def _register_picker(app: AsyncApp, attaching: Attaching) -> None:
    @app.options(attach.CASE_PICKED)
    async def offer_cases(ack: AsyncAck, body: dict[str, Any]) -> None:
        window = _window(body)
        sheet = await attaching.shelf.get(window.key, window.owner)
        if sheet is None:
            await ack(options=[])
            return
        offer = await attaching.picker.offer(
            sheet.org,
            str(body.get("value") or ""),
            place=sheet.place,
            person=window.owner.person,
            home=attaching.home(sheet.org),
        )
        await ack(options=attach.case_options(offer))


# -- gestures in it -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Window:
    """Which window a gesture was made in, and what stands in its fields."""

    key: str
    owner: Owner
    view_id: str
    view: Mapping[str, Any]

    @property
    def is_form(self) -> bool:
        """Other windows have none of its fields, which is not the same as empty ones."""
        return self.view.get("callback_id") == attach_parts.CALLBACK_FORM

    @property
    def entered(self) -> Entered:
        return read_entered(self.view)


def _window(body: Mapping[str, Any]) -> _Window:
    view = body.get("view") or {}
    person = str((body.get("user") or {}).get("id") or "")
    owner = Owner(workspace_of(dict(body)), person)
    return _Window(str(view.get("private_metadata") or ""), owner, str(view.get("id") or ""), view)


Step = Callable[[AttachForm, Entered, str], AttachForm]


def _register_gestures(app: AsyncApp, attaching: Attaching) -> None:
    def on(action_id: str, step: Step, *, fills: bool = False) -> None:
        @app.action(action_id)
        async def interaction(ack: AsyncAck, body: dict[str, Any]) -> None:
            value = str(first_action(body).get("value") or "")
            await _act(attaching, _window(body), step, value, fills=fills, ack=ack)

    for action_id in (attach_parts.CHOSEN, attach.COMMENT, attach_parts.REFRESH):
        on(action_id, _as_it_is)
    on(attach_parts.LEAVING, _as_it_is)
    on(attach.CASE_PICKED, _as_it_is, fills=True)
    on(attach.ADD, lambda sheet, entered, _: sheet.with_pasted(_recognised(attaching, sheet, entered)), fills=True)
    on(attach.BY_HAND, _toggle_hand)
    on(attach.ADD_BY_HAND, lambda sheet, entered, _: _by_hand(attaching, sheet, entered), fills=True)
    on(attach.FORGET, lambda sheet, _, __: sheet.without_set_aside())
    on(attach.REMOVE, lambda sheet, _, __: sheet.choosing(), fills=True)
    on(attach_parts.BACK, lambda sheet, _, __: sheet.back(), fills=True)


async def _act(attaching: Attaching, window: _Window, step: Step, value: str, *, fills: bool, ack: AsyncAck) -> None:
    """One gesture: what stands in the fields is kept, the step is taken, the window drawn anew."""
    entered = window.entered

    def change(sheet: AttachForm) -> AttachForm:
        return step(_noted(sheet, entered) if window.is_form else sheet, entered, value)

    await attaching.shelf.change(window.key, window.owner, change)
    await ack()
    attaching.tasks.spawn(_show(attaching, window, fills=fills), "insights window")


async def _show(attaching: Attaching, window: _Window, *, fills: bool) -> None:
    await attaching.screen.show(window.key, window.owner, window.view_id)
    if fills:
        attaching.fill_soon(window.key, window.owner, window.view_id)


def _noted(sheet: AttachForm, entered: Entered) -> AttachForm:
    if sheet.stage is not Stage.FORM:
        return sheet
    noted = sheet.noting(chosen=entered.chosen, among=entered.among, comment=entered.comment)
    if entered.picked_hint:
        return replace(noted, case_round=noted.case_round + 1)  # a fresh field: the hint is not left standing in it
    return noted.with_case(entered.case) if entered.case else noted


def _as_it_is(sheet: AttachForm, _entered: Entered, _value: str) -> AttachForm:
    return sheet


def _toggle_hand(sheet: AttachForm, _entered: Entered, value: str) -> AttachForm:
    """Shown, hidden, or started with a piece that only lacks its id."""
    if value == "hide":
        return sheet.with_hand_form(None)
    number = value.removeprefix("piece:")
    pieces = sheet.insights.set_aside
    if number.isdigit() and int(number) < len(pieces):
        piece = pieces[int(number)]
        return sheet.with_hand_form(HandForm(piece.type, piece.ref))
    return sheet.with_hand_form(HandForm())


def _recognised(attaching: Attaching, sheet: AttachForm, entered: Entered) -> Recognised:
    home = attaching.home(sheet.org)
    return recognise(entered.pasted, site=home.site, subdomain=home.subdomain)


def _by_hand(attaching: Attaching, sheet: AttachForm, entered: Entered) -> AttachForm:
    checked = _checked(attaching, sheet, entered.hand)
    if isinstance(checked, InsightDraft):
        return sheet.with_hand_draft(checked)
    return sheet.with_hand_problems(problem.problem for problem in checked)


def _checked(attaching: Attaching, sheet: AttachForm, hand: HandEntry) -> InsightDraft | tuple[FieldProblem, ...]:
    home = attaching.home(sheet.org)
    return by_hand(hand.type, hand.ref, hand.id, site=home.site, subdomain=home.subdomain)


# -- submissions ----------------------------------------------------------------------------------------------------


def _register_submissions(app: AsyncApp, attaching: Attaching) -> None:
    def on(callback_id: str, answer: Callable[[Attaching, _Window, AttachForm], Any]) -> None:
        @app.view(callback_id)
        async def submitted(ack: AsyncAck, body: dict[str, Any]) -> None:
            window = _window(body)
            sheet = await attaching.shelf.get(window.key, window.owner)
            if sheet is None:
                await ack(response_action="update", view=attach_parts.expired_view())
                return
            answered = await answer(attaching, window, sheet)
            if "view" in answered:
                attaching.screen.replaced(window.view_id)
            await ack(**answered)

    on(attach_parts.CALLBACK_FORM, _form_submitted)
    on(attach_parts.CALLBACK_REMOVAL, _removal_chosen)
    on(attach_parts.CALLBACK_CONFIRM, _removal_confirmed)
    on(attach_parts.CALLBACK_RESULT, _retried)


Answer = dict[str, Any]


def _replaced_by(view: Block) -> Answer:
    return {"response_action": "update", "view": view}


async def _form_submitted(attaching: Attaching, window: _Window, sheet: AttachForm) -> Answer:
    if sheet.stage is Stage.SUBMITTED:  # the same submit once more
        return _replaced_by(await attaching.screen.view_of(sheet, window.key))
    entered = window.entered
    if problems := _hand_problems(attaching, sheet, entered):
        return {"response_action": "errors", "errors": problems}
    changed = await attaching.shelf.change(
        window.key, window.owner, lambda now: _with_all_entered(attaching, _noted(now, entered), entered)
    )
    if changed is None:
        return _replaced_by(attach_parts.expired_view())
    if len(changed.insights.set_aside) > len(sheet.insights.set_aside):
        # something pasted can't be attached: that is to be read before the window is gone
        attaching.fill_soon(window.key, window.owner, window.view_id)
        return _replaced_by(await attaching.screen.view_of(changed, window.key))
    if errors := _errors(changed, entered):
        return {"response_action": "errors", "errors": errors}
    return await _ordered(attaching, window, changed, Work.ATTACH)


def _hand_problems(attaching: Attaching, sheet: AttachForm, entered: Entered) -> dict[str, str]:
    """Under the fields of the section by hand, if somebody began to fill it in."""
    if entered.hand.is_empty:
        return {}
    checked = _checked(attaching, sheet, entered.hand)
    if isinstance(checked, InsightDraft):
        return {}
    fields = {"type": attach.HAND_TYPE, "ref": attach.HAND_REF, "resource_id": attach.HAND_ID}
    return {entered.blocks[fields[problem.field]]: problem.problem for problem in checked}


def _with_all_entered(attaching: Attaching, sheet: AttachForm, entered: Entered) -> AttachForm:
    """What was pasted or typed but not yet added is meant too."""
    if entered.pasted.strip():
        pasted = sheet.with_pasted(_recognised(attaching, sheet, entered))
        new = len(pasted.insights.set_aside) - len(sheet.insights.set_aside)
        told = "Not all of what you pasted can be attached: see below, then press Attach again."
        sheet = replace(pasted, notice=told if new else "")
    if not entered.hand.is_empty:
        sheet = _by_hand(attaching, sheet, entered)
    return sheet


def _errors(sheet: AttachForm, entered: Entered) -> dict[str, str]:
    if sheet.case is None or entered.case is None:
        return {entered.blocks.get(attach.CASE_PICKED, attach.case_block(sheet)): "Choose a case from the list."}
    if sheet.insights.to_send or sheet.comment_text:
        return {}
    block = entered.blocks.get(attach.PASTED, attach.paste_block(sheet))
    if sheet.insights.on_case:
        return {block: "All of them are on the case already. Add something new, or press Cancel."}
    return {block: "Nothing is chosen to be attached. Paste a link, or choose from the list below."}


async def _ordered(attaching: Attaching, window: _Window, sheet: AttachForm, work: Work) -> Answer:
    """Written down; from here on it is carried out whatever happens to us or to the window."""
    case = sheet.case
    if case is None:
        return _replaced_by(await attaching.screen.view_of(sheet, window.key))
    if refusal := await attaching.refusal(sheet.place, window.owner.person):
        return _replaced_by(attach_parts.refused_view(window.key, refusal))
    attach_it = work is Work.ATTACH
    submit = await attaching.submits.enter(
        Wanted(
            key=f"{window.key}:{sheet.submits}",
            draft_key=window.key,
            view_id=window.view_id,
            work=work,
            org=sheet.org,
            place=sheet.place,
            person=window.owner.person,
            case_id=case.id,
            case_key=case.key,
            insights=tuple(draft.insight for draft in sheet.insights.to_send) if attach_it else sheet.to_remove,
            comment=sheet.comment_text if attach_it else "",
        )
    )
    await attaching.shelf.change(window.key, window.owner, lambda now: _submitted(now, submit))
    await attaching.submits.release(submit.id)
    return _replaced_by(attaching.screen.view_of_submit(submit))


def _submitted(sheet: AttachForm, submit: AttachJob) -> AttachForm:
    return sheet if sheet.submit_id == submit.id else sheet.submitted(submit.id)


async def _removal_chosen(attaching: Attaching, window: _Window, sheet: AttachForm) -> Answer:
    entered = window.entered
    offered = {handle for handle, _ in sheet.removable}
    leaving = offered.intersection(entered.leaving)
    if not leaving:
        block = entered.blocks.get(attach_parts.LEAVING, "")
        return {"response_action": "errors", "errors": {block: "Choose at least one."}}
    changed = await attaching.shelf.change(window.key, window.owner, lambda now: now.confirming(leaving))
    return _replaced_by(await attaching.screen.view_of(changed or sheet, window.key))


async def _removal_confirmed(attaching: Attaching, window: _Window, sheet: AttachForm) -> Answer:
    if sheet.stage is not Stage.CONFIRMING or not sheet.to_remove:
        return _replaced_by(await attaching.screen.view_of(sheet, window.key))
    return await _ordered(attaching, window, sheet, Work.REMOVE)


async def _retried(attaching: Attaching, window: _Window, sheet: AttachForm) -> Answer:
    submit = await attaching.submits.get(sheet.submit_id)
    if submit is None:
        return _replaced_by(await attaching.screen.view_of(sheet, window.key))
    if refusal := await attaching.refusal(sheet.place, window.owner.person):
        return _replaced_by(attach_parts.refused_view(window.key, refusal))
    await attaching.submits.retry(submit.id)
    return _replaced_by(attaching.screen.view_of_submit(replace(submit, done=False)))
