"""The form of a new case: opened at once from what we know, filled in as soon as the rest is there, ordered on submit."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from bot.cases.catalog import Catalog
from bot.cases.choices import first_status
from bot.cases.commands import CASE_FORM, WaitingForm
from bot.cases.draft import CaseDraft, alert_insights, comment_for, draft_case
from bot.cases.people import datadog_user
from bot.cases.requests import CaseRequest, CaseRequestState, Source, Wanted
from bot.cases.trouble import Trouble, Why, trouble_of
from bot.cases.views import answers as case_answers
from bot.cases.views import modal as case_modal
from bot.cases.views.answers import Told, explain, order_told
from bot.cases.views.modal import Filled, Form
from bot.datadog.case_model import Person, Project
from bot.datadog.errors import DatadogError
from bot.datadog.monitors import Monitor
from bot.datadog.sites import SITES, Location, locate
from bot.investigations.model import Investigation
from bot.model import AlertRef, MonitorRef, Place
from bot.orgs.answers import org_words
from bot.orgs.model import DEFAULT, NoneConnected
from bot.rules.org_choice import host_of
from bot.services import Services
from bot.slack.blocks import Block
from bot.slack.interactions import Interaction
from bot.slack.message import Message
from bot.slack.modals import open_modal
from bot.slack.text import cut

AT_ONCE = 0.7  # seconds: what takes longer is waited for behind a loading window; the right to open one lives 3 s
CATALOG_WAIT = 12.0
EXTRAS_WAIT = 2.5  # for what is only convenient: a priority, a permalink, an assignee
_WORDS_KEPT = 1_500


async def open_case_form(services: Services, interaction: Interaction, source: Source, *, org: str = "") -> None:
    """A thread that has a case already offers that one first."""
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    if refusal := await may_not_work_on_cases(services, interaction.place, interaction.person):
        await services.replies.tell(interaction.place, interaction.person, refusal)
        return
    existing = await services.cases.book.of_thread(interaction.place)
    org = org or (existing.org if existing else "") or await _org_of_investigation(services, source)
    order = await services.cases.orders.draft(org, interaction.place, interaction.person, source)
    if existing is not None:
        view = case_modal.offer_view(order.key, existing, services.app_url(existing.org))
        await _open(services, interaction, view)
    else:
        await open_order(services, interaction, order, order.org or await _org_chosen(services, interaction, order))


async def open_order(services: Services, interaction: Interaction, order: CaseRequest, org: str) -> None:
    """Goes on with a form once its organisation is known; empty while it is not."""
    if not org:
        return
    if org != order.org:
        await services.cases.orders.remember_form(order, org=org)
    await open_prepared(services, interaction, replace(order, org=org))


async def _org_of_investigation(services: Services, source: Source) -> str:
    known = await services.repository.get(source.investigation) if source.investigation else None
    return known.org if known else ""


async def _org_chosen(services: Services, interaction: Interaction, order: CaseRequest) -> str:
    waiting = CASE_FORM.record(WaitingForm(order.key))
    choice = await services.which_org.choose(interaction, host_of(order.source.alert), waiting)
    if isinstance(choice, str):
        return choice
    if isinstance(choice, NoneConnected):
        return DEFAULT  # the window says so
    await services.replies.tell(interaction.place, interaction.person, org_words(choice))
    return ""


async def may_not_work_on_cases(services: Services, place: Place, person: str) -> Message | None:
    """The refusal for whoever may not see what Datadog holds. One gate for everything about cases, insights too."""
    return await services.attaching.refusal(place, person)


async def open_prepared(services: Services, interaction: Interaction, order: CaseRequest) -> None:
    preparing = asyncio.create_task(prepared_view(services, order), name="case form")
    try:
        ready, _ = await asyncio.wait({preparing}, timeout=AT_ONCE)
        if ready:
            await _open(services, interaction, preparing.result())
        elif view_id := await _open(services, interaction, case_modal.loading_view(order.key)):
            await services.cases.front.update(interaction.place.workspace, view_id, await preparing)
    finally:
        preparing.cancel()


async def _open(services: Services, interaction: Interaction, view: Block) -> str:
    """The id of the opened window; empty when Slack would not, which the person was told."""
    bot_client = await services.workspaces.bot_client(interaction.place.workspace)
    opened = await open_modal(services.replies, bot_client.client, interaction, view) if bot_client else None
    return str(opened["id"]) if opened else ""


async def show_form(services: Services, order: CaseRequest, view_id: str) -> None:
    """The form in a window that is open already."""
    front, workspace = services.cases.front, order.place.workspace
    if services.cases.catalogs.known(order.org) is None:
        await front.update(workspace, view_id, case_modal.loading_view(order.key))
    await front.update(workspace, view_id, await prepared_view(services, order))


# -- filling it in --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Extras:
    permalink: str = ""
    monitor: Monitor | None = None
    can_assign: bool = False
    assignee: str = ""


async def prepared_view(services: Services, order: CaseRequest) -> Block:
    """The form with all that can be filled in, or why there is none."""
    extras = asyncio.create_task(_extras(services, order))
    try:
        catalog = await _catalog(services, order.org)
        if isinstance(catalog, Trouble):
            happened, next_step = explain(catalog)
            return case_modal.trouble_view(order.key, Told((happened, next_step), catalog.detail[:800]))
        return await _form(services, order, catalog, await extras)
    finally:
        extras.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await extras


async def _catalog(services: Services, org: str) -> Catalog | Trouble:
    try:
        async with asyncio.timeout(CATALOG_WAIT):
            catalog = await services.cases.catalogs.get(org)
    except (DatadogError, TimeoutError) as error:
        trouble = trouble_of(error)
        return Trouble(Why.NOT_REACHED) if trouble.why is Why.UNCLEAR else trouble
    if catalog is None:
        return Trouble(Why.NO_ORG)
    if not catalog.projects or not any(not each.deleted for each in catalog.types):
        return Trouble(Why.NO_PROJECT)
    return catalog


async def _form(services: Services, order: CaseRequest, catalog: Catalog, extras: _Extras) -> Block:
    investigation = await _investigation(services, order)
    if order.wanted is None:
        order = await _filled_in(services, order, catalog, extras, investigation)
    wanted = order.wanted or _nothing_wanted()
    goes = _goes_with_it(order, investigation, wanted)
    return case_modal.form_view(Form(order.key, wanted, catalog, extras.can_assign, goes))


async def _filled_in(
    services: Services, order: CaseRequest, catalog: Catalog, extras: _Extras, investigation: Investigation | None
) -> CaseRequest:
    """The first time: the values are kept with the draft, so that every later look at the form starts from them."""
    source = replace(order.source, alert=_with_name(order.source.alert, extras.monitor), permalink=extras.permalink)
    place = _location(services, order.org)
    draft = draft_case(
        site=place.site,
        subdomain=place.subdomain,
        investigation=investigation,
        alert=_alert_of(source),
        title=_title(source),
        permalink=extras.permalink,
        monitor_priority=extras.monitor.priority if extras.monitor else None,
    )
    project, type_id = await _usual(services, order, catalog)
    wanted = Wanted(
        title=draft.title,
        description=_description(draft, source, investigation),
        project_id=project.id if project else "",
        project_key=project.key if project else "",
        type_id=type_id,
        priority=draft.priority,
        assignee=extras.assignee,
    )
    await services.cases.orders.remember_form(order, source=source, wanted=wanted)
    return replace(order, source=source, wanted=wanted)


async def _usual(services: Services, order: CaseRequest, catalog: Catalog) -> tuple[Project | None, str]:
    """The project and type the channel's settings name, else those chosen last."""
    rules = await services.rules.of(order.place.workspace, order.place.channel)
    last = await services.cases.orders.last_choice(order)
    project = catalog.project_named(rules.case_project) or (catalog.project(last.project_id) if last else None)
    kind = catalog.type_named(rules.case_type)
    chosen = last.type_id if last and project and last.project_id == project.id else ""
    return project, kind.id if kind else chosen


def _title(source: Source) -> str:
    """A monitor's name says more than the headline of one of its notifications."""
    alert = _alert_of(source)
    if alert is None or not alert.monitor_name:
        return source.title
    return f"{alert.monitor_name} on {alert.group}" if alert.group else alert.monitor_name


def _description(draft: CaseDraft, source: Source, investigation: Investigation | None) -> str:
    """Without conclusions, the message itself says most."""
    if not source.words or (investigation and investigation.conclusions):
        return draft.description
    return f"{cut(source.words, _WORDS_KEPT)}\n\n{draft.description}".strip()


def _nothing_wanted() -> Wanted:
    return Wanted(title="", description="", project_id="", project_key="", type_id="")


def _location(services: Services, org: str) -> Location:
    return locate(urlsplit(services.app_url(org)).netloc) or Location(SITES[0])


async def _investigation(services: Services, order: CaseRequest) -> Investigation | None:
    return await services.repository.get(order.source.investigation) if order.source.investigation else None


def _alert_of(source: Source) -> AlertRef | None:
    """What is known of the alert, in the one form all look at: an event or a monitor may be missing in it."""
    match source.alert:
        case AlertRef() as alert:
            return alert
        case MonitorRef(monitor_id, name, group):
            return AlertRef(monitor_id, "", 0, name, group)
        case None:
            return None
        case event:
            return AlertRef(0, event.event_id, 0)


def _with_name(alert: Any, monitor: Monitor | None) -> Any:
    unnamed = isinstance(alert, (AlertRef, MonitorRef)) and not alert.monitor_name
    return replace(alert, monitor_name=monitor.name) if unnamed and monitor else alert


def _goes_with_it(order: CaseRequest, investigation: Investigation | None, wanted: Wanted) -> tuple[str, ...]:
    alert = _alert_of(order.source)
    labels = [each.label for each in alert_insights(alert)] if alert else []
    comment = investigation is not None and comment_for(investigation, wanted.description) is not None
    return (*labels, *(["the full conclusions, as a comment"] if comment else []))


# -- what is convenient, and never waited for long ------------------------------------------------------------------


async def _extras(services: Services, order: CaseRequest) -> _Extras:
    permalink, monitor, (can_assign, assignee) = await asyncio.gather(
        _permalink(services, order), _monitor(services, order), _assignee(services, order)
    )
    return _Extras(permalink, monitor, can_assign, assignee)


async def _permalink(services: Services, order: CaseRequest) -> str:
    if order.source.permalink:
        return order.source.permalink
    place = order.place
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(EXTRAS_WAIT):
            return await services.cases.front.permalink(place.workspace, place.channel, place.thread_ts)
    return ""


async def _monitor(services: Services, order: CaseRequest) -> Monitor | None:
    alert = _alert_of(order.source)
    org = await services.cases.orgs.get(order.org)
    if org is None or alert is None or alert.monitor_id <= 0 or order.wanted is not None:
        return None
    with contextlib.suppress(DatadogError, TimeoutError):
        async with asyncio.timeout(EXTRAS_WAIT):
            return await org.monitors.get(alert.monitor_id)
    return None


async def _assignee(services: Services, order: CaseRequest) -> tuple[bool, str]:
    """Whether Slack tells us e-mail addresses at all, and the person herself if Datadog knows her."""
    org = await services.cases.orgs.get(order.org)
    email = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(EXTRAS_WAIT):
            email = await services.cases.front.email(order.place.workspace, order.requester)
            if org is not None and email:
                user = await datadog_user(org, email)
                return True, order.requester if isinstance(user, Person) else ""
    return bool(email), ""


# -- ordering -------------------------------------------------------------------------------------------------------


async def redraw(services: Services, order: CaseRequest, view: Mapping[str, Any]) -> None:
    """Another project or type was chosen: the types and status names that go with it are shown."""
    catalog = services.cases.catalogs.known(order.org)
    if catalog is None or order.wanted is None:
        return
    filled = case_modal.read_form(view)
    wanted = replace(order.wanted, project_id=filled.project_id, type_id=filled.type_id)
    goes = _goes_with_it(order, await _investigation(services, order), order.wanted)
    form = Form(order.key, wanted, catalog, case_modal.has_assignee(view), goes)
    await services.cases.front.update(order.place.workspace, str(view.get("id") or ""), case_modal.form_view(form))


async def submitted(services: Services, order: CaseRequest, filled: Filled, view_id: str) -> Block:
    """Ordered, and written down, when this returns: what the window shows next."""
    orders = services.cases.orders
    if order.state is not CaseRequestState.DRAFT:
        return await _stands(services, order)
    wanted = await _wanted(services, order, filled)
    await orders.remember_form(order, wanted=wanted)
    if refused := await _refused(services, order):
        return _told_view(order, refused)
    if rival := await _rival(services, order):
        return rival
    await orders.place_order(order, wanted, view_id)
    return await _stands(services, await _again(services, order))


async def submitted_anyway(services: Services, order: CaseRequest, view_id: str) -> Block:
    if refused := await _refused(services, order):
        return _told_view(order, refused)
    if order.wanted is not None:
        await services.cases.orders.place_order(order, order.wanted, view_id)
    return await _stands(services, await _again(services, order))


async def order_again(services: Services, order: CaseRequest, view_id: str) -> Told:
    if refused := await _refused(services, order):
        return refused
    await services.cases.orders.order_again(order, view_id)
    return await _told(services, await _again(services, order))


async def _refused(services: Services, order: CaseRequest) -> Told | None:
    """For somebody whose rights went away while the window was open."""
    refusal = await may_not_work_on_cases(services, order.place, order.requester)
    return case_answers.not_allowed(order, refusal) if refusal else None


async def _again(services: Services, order: CaseRequest) -> CaseRequest:
    return await services.cases.orders.by_id(order.id) or order


async def _told(services: Services, order: CaseRequest) -> Told:
    known = await services.cases.book.get(order.case_row) if order.case_row else None
    return order_told(order, known, services.app_url(order.org))


async def _stands(services: Services, order: CaseRequest) -> Block:
    return _told_view(order, await _told(services, order))


def _told_view(order: CaseRequest, told: Told) -> Block:
    return case_modal.told_view(order.key, told)


async def _rival(services: Services, order: CaseRequest) -> Block | None:
    """Another case of the same thread, made or being made since this form was opened."""
    rival = await services.cases.book.of_thread(order.place, since=order.created_at)
    making = None if rival else await services.cases.orders.under_way(order)
    if rival is None and making is None:
        return None
    maker = making.requester if making else ""
    return case_modal.rival_view(order.key, rival=rival, maker=maker, app_url=services.app_url(order.org))


async def _wanted(services: Services, order: CaseRequest, filled: Filled) -> Wanted:
    catalog = services.cases.catalogs.known(order.org)
    project = catalog.project(filled.project_id) if catalog else None
    investigation, alert = await _investigation(services, order), _alert_of(order.source)
    first = first_status(catalog.type(filled.type_id)) if catalog else None
    if first and filled.status_name == first.name:
        filled = replace(filled, status_name="")  # what every new case of the type starts as need not be asked for
    return Wanted(
        **asdict(filled),
        project_key=project.key if project else "",
        insights=tuple(each.insight for each in alert_insights(alert)) if alert else (),
        comment=(comment_for(investigation, filled.description) or "") if investigation else "",
    )


def lost_view(key: str) -> Block:
    return case_modal.told_view(key, Told((case_answers.form_lost().text,)))
