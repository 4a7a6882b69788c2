"""Cases: the form and its ways in, the card's buttons and selects, and the shortcut on a message."""

import json
import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.cases import form as case_forms
from bot.cases.actions import CaseAction
from bot.cases.choices import search_projects
from bot.cases.known import CaseActionKind, KnownCase
from bot.cases.requests import CaseRequest, Source
from bot.cases.views import answers as case_answers
from bot.cases.views import card as case_card
from bot.cases.views import modal as case_modal
from bot.datadog.case_model import PRIORITIES
from bot.datadog.errors import DatadogError
from bot.investigations.message_alerts import find_alert, message_text
from bot.investigations.views import conclusions
from bot.investigations.views import investigate_button as nudge
from bot.model import Place
from bot.services import Services
from bot.slack.interactions import Interaction, first_action, of_message, of_view, workspace_of
from bot.slack.message import Message
from bot.slack.modals import open_modal
from bot.slack.text import one_line

CREATE_FROM_MESSAGE = "create_case_from_message"


def register(app: AsyncApp, services: Services) -> None:
    _register_ways_in(app, services)
    _register_form(app, services)
    _register_order(app, services)
    _register_card(app, services)
    _register_comment(app, services)


# -- ways in --------------------------------------------------------------------------------------------------------


def _register_ways_in(app: AsyncApp, services: Services) -> None:
    def opens(interaction: Interaction, source: Source) -> None:
        services.tasks.spawn(case_forms.open_case_form(services, interaction, source), "case form")

    @app.action(conclusions.CREATE_CASE)
    async def from_conclusions(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.tasks.spawn(_from_conclusions(services, body), "case form")

    @app.action(nudge.CREATE_CASE)
    async def from_alert(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction = of_message(body)
        alert = nudge.read_alert_value(_value(body))
        services.tasks.spawn(_from_alert(services, interaction, Source(alert=alert)), "case form")

    @app.shortcut(CREATE_FROM_MESSAGE)
    async def from_message(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        source = source_of(body.get("message") or {})
        services.tasks.spawn(_from_alert(services, of_message(body), source), "case form")

    @app.action(case_answers.NEW)
    async def new(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        title = _value(body)
        opens(of_message(body), Source(title="" if title == "-" else title))


async def _from_conclusions(services: Services, body: dict[str, Any]) -> None:
    interaction, investigation = of_message(body), await services.repository.get(_number(_value(body)))
    source = Source(investigation=investigation.id, alert=investigation.alert) if investigation else Source()
    await case_forms.open_case_form(services, interaction, source)


async def _from_alert(services: Services, interaction: Interaction, source: Source) -> None:
    """What the thread has found out about it already goes into the case too."""
    place = interaction.place
    known = await services.repository.latest_in_thread(place.workspace, place.channel, place.thread_ts)
    if known is not None:
        alert = source.alert or known.alert
        source = Source(known.id, alert, source.title, source.words, source.permalink)
    await case_forms.open_case_form(services, interaction, source)


def source_of(message: dict[str, Any]) -> Source:
    """What a message is about. A test notification's ids may belong to nothing, so only its words count."""
    found, words = find_alert(message), message_text(message)
    title = (found.title if found else "") or one_line(words.split("\n", 1)[0], 200)
    return Source(alert=found.subject if found and not found.test else None, title=title, words=words)


# -- the form -------------------------------------------------------------------------------------------------------


def _register_form(app: AsyncApp, services: Services) -> None:
    @app.options(case_modal.PROJECT)
    async def projects(ack: AsyncAck, body: dict[str, Any]) -> None:
        order = await _order(services, body)
        try:
            catalogs = services.cases.catalogs
            catalog = (catalogs.known(order.org) or await catalogs.get(order.org)) if order else None
        except DatadogError:
            catalog = None
        found = search_projects(catalog.projects, str(body.get("value") or "")) if catalog else ()
        await ack(options=[case_modal.project_option(each) for each in found])

    @app.action(re.compile(f"^({case_modal.PROJECT}|{case_modal.TYPE})$"))
    async def chosen(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        order = await _order(services, body)
        if order is not None:
            services.tasks.spawn(case_forms.redraw(services, order, body["view"]), "case form redrawn")

    @app.view(case_modal.FORM)
    async def submitted(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        order = await _order(services, body)
        if order is None:
            await ack(response_action="update", view=case_forms.lost_view(_key(body)))
            return
        filled = case_modal.read_form(view)
        problems = case_modal.problems_of(filled, services.cases.catalogs.known(order.org), view)
        if problems:
            await ack(response_action="errors", errors=problems)
            return
        shown = await case_forms.submitted(services, order, filled, str(view["id"]))
        await ack(response_action="update", view=shown)


def _register_order(app: AsyncApp, services: Services) -> None:
    front = services.cases.front

    async def in_its_window(body: dict[str, Any], work: Any) -> None:
        order = await _order(services, body)
        if order is None:
            await _lost(services, body)
        else:
            services.tasks.spawn(work(order), "case form")

    @app.action(re.compile(f"^({case_modal.ANOTHER}|{case_modal.RELOAD})$"))
    async def show_form(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await in_its_window(body, lambda order: case_forms.show_form(services, order, _view_id(body)))

    @app.action(case_modal.ANYWAY)
    async def anyway(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()

        async def place(order: CaseRequest) -> None:
            shown = await case_forms.submitted_anyway(services, order, _view_id(body))
            await front.update(order.place.workspace, _view_id(body), shown)

        await in_its_window(body, place)

    @app.action(case_answers.RETRY)
    async def retry(ack: AsyncAck, body: dict[str, Any]) -> None:
        order = await _order(services, body)
        told = await case_forms.order_again(services, order, _view_id(body)) if order else None
        await ack()
        if order is None or told is None:
            await _lost(services, body)
        elif view_id := _view_id(body):
            await front.update(order.place.workspace, view_id, case_modal.told_view(order.key, told))
        else:
            _tell(services, of_message(body), told.message)

    @app.action(case_answers.EDIT)
    async def edit(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await in_its_window(body, lambda order: _edit(services, body, order))


async def _edit(services: Services, body: dict[str, Any], order: CaseRequest) -> None:
    await services.cases.orders.edit_again(order)
    order = await services.cases.orders.by_id(order.id) or order
    if view_id := _view_id(body):
        await case_forms.show_form(services, order, view_id)
    else:
        await case_forms.open_prepared(services, of_message(body), order)


async def _order(services: Services, body: dict[str, Any]) -> CaseRequest | None:
    """The order a window or a button belongs to: her own only."""
    person = str((body.get("user") or {}).get("id") or "")
    return await services.cases.orders.get(_key(body), workspace_of(body), person)


def _key(body: dict[str, Any]) -> str:
    view = body.get("view") or {}
    return str(view.get("private_metadata") or _value(body))


async def _lost(services: Services, body: dict[str, Any]) -> None:
    if view_id := _view_id(body):
        await services.cases.front.update(workspace_of(body), view_id, case_forms.lost_view(_key(body)))
    else:
        _tell(services, of_message(body), case_answers.form_lost())


# -- the card -------------------------------------------------------------------------------------------------------


def _register_card(app: AsyncApp, services: Services) -> None:
    @app.action(case_card.STATUS)
    async def status(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _take(services, body, CaseActionKind.STATUS, _selected(body))
        await ack()

    @app.action(case_card.PRIORITY)
    async def priority(ack: AsyncAck, body: dict[str, Any]) -> None:
        if _selected(body) in PRIORITIES:
            await _take(services, body, CaseActionKind.PRIORITY, _selected(body))
        await ack()

    @app.action(case_card.ASSIGN)
    async def assign(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _take(services, body, CaseActionKind.ASSIGN, "")
        await ack()

    @app.action(case_answers.ACT_AGAIN)
    async def again(ack: AsyncAck, body: dict[str, Any]) -> None:
        interaction = of_message(body)
        if refusal := await case_forms.may_not_work_on_cases(services, interaction.place, interaction.person):
            await ack()
            _tell(services, interaction, refusal)
            return
        taken = await services.cases.acts.take_again(
            _number(_value(body)), interaction.place.workspace, interaction.person, interaction.key
        )
        await ack()
        services.replies.remember(interaction.place, interaction.person, interaction.response_url)
        if not taken:
            _tell(services, interaction, case_answers.case_unknown_here())


async def _take(services: Services, body: dict[str, Any], kind: CaseActionKind, value: str) -> None:
    """Written down before Slack is told that we have it."""
    interaction, known = of_message(body), await _case_of(services, body)
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    if refusal := await case_forms.may_not_work_on_cases(services, interaction.place, interaction.person):
        _tell(services, interaction, refusal)
    elif known is None:
        _tell(services, interaction, case_answers.case_unknown_here())
    elif value or kind is CaseActionKind.ASSIGN:
        await services.cases.acts.take(
            CaseAction(interaction.key, known.id, interaction.place, interaction.person, kind, value)
        )


async def _case_of(services: Services, body: dict[str, Any]) -> KnownCase | None:
    action = first_action(body)
    row = _number(_value(body)) or case_card.row_of_block(str(action.get("block_id") or ""))
    return await services.cases.book.get_in(workspace_of(body), row)


def _register_comment(app: AsyncApp, services: Services) -> None:
    @app.action(case_card.COMMENT)
    async def write(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        services.tasks.spawn(_open_comment(services, body, client), "comment window")

    @app.view(case_modal.COMMENT_FORM)
    async def written(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        told = json.loads(view["private_metadata"])
        place = Place(workspace_of(body), str(told["channel"]), str(told["thread_ts"]))
        interaction, comment = of_view(body, place), case_modal.read_comment(view)
        known = await services.cases.book.get_in(place.workspace, int(told["case"]))
        if not comment or known is None:
            problem = "Write something one can read." if not comment else "I no longer know this case."
            await ack(response_action="errors", errors={case_modal.COMMENT: problem})
            return
        if refusal := await case_forms.may_not_work_on_cases(services, place, interaction.person):
            refused = case_answers.comment_not_allowed(refusal, comment)
            await ack(response_action="update", view=case_modal.told_view("", refused, title="Add comment"))
            return
        act = CaseAction(interaction.key, known.id, place, interaction.person, CaseActionKind.COMMENT, comment)
        await services.cases.acts.take(act)
        await ack()


async def _open_comment(services: Services, body: dict[str, Any], client: AsyncWebClient) -> None:
    interaction, known = of_message(body), await _case_of(services, body)
    if refusal := await case_forms.may_not_work_on_cases(services, interaction.place, interaction.person):
        _tell(services, interaction, refusal)
        return
    if known is None:
        _tell(services, interaction, case_answers.case_unknown_here())
        return
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    told = json.dumps(
        {"case": known.id, "channel": interaction.place.channel, "thread_ts": interaction.place.thread_ts}
    )
    await open_modal(services.replies, client, interaction, case_modal.comment_view(known, told))


def _selected(body: dict[str, Any]) -> str:
    return str((first_action(body).get("selected_option") or {}).get("value") or "")


def _value(body: dict[str, Any]) -> str:
    return str(first_action(body).get("value") or "")


def _view_id(body: dict[str, Any]) -> str:
    return str((body.get("view") or {}).get("id") or "")


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0


def _tell(services: Services, interaction: Interaction, message: Message) -> None:
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    services.tasks.spawn(services.replies.tell(interaction.place, interaction.person, message), "answer to a gesture")
