"""The form of a new case: opened at once from what we know, filled in as soon as the rest is there, requested on submit."""

import asyncio
import contextlib
from dataclasses import dataclass, replace

from bot.cases import views
from bot.cases.catalog import Catalog, Catalogs, first_status, offered_types, priority_of
from bot.cases.draft import alert_attributes, alert_insights, comment_for, draft_description, draft_title
from bot.cases.model import CaseContent, CaseRequest, CaseRequestState, CaseSource
from bot.cases.posts import CaseReplies
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequests
from bot.cases.source import link_host, linked, named_by_hand, proposed_type, unnamed
from bot.cases.views import CaseAnswer, CaseForm
from bot.datadog.cases import Insight, Project
from bot.datadog.errors import DatadogError
from bot.datadog.insights import Incidents, InsightDraft, InsightType
from bot.datadog.links import Location, home_of
from bot.datadog.monitors import Monitor
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.investigations.model import Investigation
from bot.investigations.repository import InvestigationRepository
from bot.model import AlertRef, MonitorRef, Place
from bot.orgs.model import DEFAULT, NoneConnected
from bot.orgs.questions import Resumable, org_words
from bot.orgs.repository import OrgRepository
from bot.rules.gatekeeper import RuleGatekeeper
from bot.rules.org_choice import WhichOrg, host_of
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Block, Message
from bot.slack.gates import May, Right
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.replies import Modals, Replies
from bot.wording import CASES


@dataclass(frozen=True, slots=True)
class WaitingForm:
    """The form of a new case that is not open yet."""

    order: str  # the request's key


CASE_FORM = Resumable("case_form", WaitingForm)
AT_ONCE = 0.7  # seconds: what takes longer is waited for behind a loading window; the right to open one lives 3 s
CATALOG_WAIT = 12.0
EXTRAS_WAIT = 2.5  # for what is only convenient: a priority, a permalink, an assignee


WORK_ON_CASES = May(Right.LOOK, f"work on {CASES} here")  # like everything that Datadog holds


async def case_refusal(permissions: Permissions, place: Place, person: str) -> Message | None:
    return await RuleGatekeeper(permissions)(WORK_ON_CASES, place, person)


@dataclass(frozen=True, slots=True)
class _Extras:
    permalink: str
    monitor: Monitor | None
    can_assign: bool
    assignee: str
    title: str = ""  # of the incident that a message links


@dataclass(frozen=True, slots=True)
class CaseForms:
    """From the click that wants a case to the request that is written down."""

    cases: CaseRepository
    requests: CaseRequests
    catalogs: Catalogs
    case_replies: CaseReplies
    investigations: InvestigationRepository
    orgs: OrgRepository
    rules: RuleRepository
    permissions: Permissions
    which_org: WhichOrg
    modals: Modals
    replies: Replies

    # -- opening it ---------------------------------------------------------------------------------------------

    async def open(self, interaction: Interaction, source: CaseSource) -> None:
        """A thread that has a case already offers that one first."""
        place, person = interaction.place, interaction.person
        if refusal := await case_refusal(self.permissions, place, person):
            await self.replies.tell(place, person, refusal)
            return
        existing, investigation = await self.cases.of_thread(place), await self._investigation(place, source)
        known = existing or investigation
        request = await self.requests.draft(known.org if known else "", place, person, source)
        if existing is not None:
            offer = views.offer_view(request.key, existing, self.orgs.app_url(existing.org))
            await self.modals.open(interaction, offer)
        elif org := request.org or await self._chosen_org(interaction, request):
            await self.open_in(interaction, request, org)

    async def _chosen_org(self, interaction: Interaction, request: CaseRequest) -> str:
        """Empty where there is none or it is still to be chosen, which the person was told."""
        waiting = CASE_FORM.record(WaitingForm(request.key))
        choice = await self.which_org.choose(
            interaction, host_of(request.source.alert) or link_host(request.source), waiting
        )
        if isinstance(choice, str):
            return choice
        if isinstance(choice, NoneConnected):
            return DEFAULT  # the window says so
        await self.replies.tell(interaction.place, interaction.person, org_words(choice))
        return ""

    async def go_on(self, interaction: Interaction, waiting: WaitingForm, org: str) -> After:
        """Once a person has said which organisation is meant."""
        request = await self.requests.get(waiting.order, interaction.workspace, interaction.person)
        return self.open_in(interaction, request, org) if request is not None else None

    async def open_in(self, interaction: Interaction, request: CaseRequest, org: str) -> None:
        if org != request.org:
            await self.requests.remember_draft(request, org=org)
            request = replace(request, org=org)
        preparing = asyncio.create_task(self._view(request), name="case form")
        try:
            ready, _ = await asyncio.wait({preparing}, timeout=AT_ONCE)
            if ready:
                await self.modals.open(interaction, preparing.result())
            elif opened := await self.modals.open(interaction, views.loading_view(request.key)):
                await self.modals.update(interaction.workspace, str(opened["id"]), await preparing)
        finally:
            preparing.cancel()

    async def show(self, request: CaseRequest, view_id: str) -> None:
        """The form in a window that is open already."""
        workspace = request.place.workspace
        if self.catalogs.known(request.org) is None:
            await self.modals.update(workspace, view_id, views.loading_view(request.key))
        await self.modals.update(workspace, view_id, await self._view(request))

    # -- filling it in ------------------------------------------------------------------------------------------

    async def _view(self, request: CaseRequest) -> Block:
        """The form with all that can be filled in, or why there is none."""
        extras = asyncio.create_task(self._extras(request))
        try:
            catalog = await self._catalog(request)
            if isinstance(catalog, Trouble):
                return views.trouble_view(request.key, catalog)
            investigation = await self._investigation(request.place, request.source)
            known = await extras
            if request.content is None:
                request = await self._filled_in(request, catalog, known, investigation)
            content = request.content or CaseContent()
            return views.form_view(self._form(request, content, catalog, investigation, can_assign=known.can_assign))
        finally:
            extras.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await extras

    async def _catalog(self, request: CaseRequest) -> Catalog | Trouble:
        catalog = await or_trouble(self.catalogs.get(request.org, request.place.workspace), CATALOG_WAIT)
        if isinstance(catalog, Trouble):
            return Trouble(TroubleKind.NOT_REACHED) if catalog.kind is TroubleKind.UNCLEAR else catalog
        if catalog is None:
            return Trouble(TroubleKind.NO_ORG)
        if not catalog.projects or not offered_types(catalog.types):
            return Trouble(TroubleKind.NO_PROJECT)
        return catalog

    async def _filled_in(
        self, request: CaseRequest, catalog: Catalog, extras: _Extras, investigation: Investigation | None
    ) -> CaseRequest:
        """The first time: the values are kept with the draft, so that every later look at the form starts from them."""
        alert = request.source.alert
        if isinstance(alert, AlertRef | MonitorRef) and not alert.monitor_name and extras.monitor:
            alert = replace(alert, monitor_name=extras.monitor.name)
        shown = linked(request.source, self._home(request))
        title = extras.title or request.source.title or (shown[0].label if shown else "")
        source = replace(request.source, alert=alert, permalink=extras.permalink, title=title)
        project, type_id = await self._usual(request, catalog)
        content = CaseContent(
            title=draft_title(source, investigation),
            description=draft_description(source, investigation, self.orgs.app_url(request.org)),
            project_id=project.id if project else "",
            project_key=project.key if project else "",
            type_id=type_id,
            priority=priority_of(extras.monitor.priority if extras.monitor else None),
            assignee=extras.assignee,
            attributes=alert_attributes(source.about, extras.monitor.tags if extras.monitor else ()),
        )
        await self.requests.remember_draft(request, source=source, wanted=content)
        return replace(request, source=source, content=content)

    async def _usual(self, request: CaseRequest, catalog: Catalog) -> tuple[Project | None, str]:
        """The project and type the channel's settings name, else those chosen last."""
        rules = await self.rules.of(request.place.workspace, request.place.channel)
        last = await self.requests.last_choice(request)
        project = catalog.project_named(rules.case.project) or (catalog.project(last.project_id) if last else None)
        kind = catalog.type(proposed_type(request.source, self._home(request))) or catalog.type_named(rules.case.type)
        chosen = last.type_id if last and project and last.project_id == project.id else ""
        return project, kind.id if kind else chosen

    async def _investigation(self, place: Place, source: CaseSource) -> Investigation | None:
        number = source.investigation
        return await self.investigations.get_in(place.workspace, number) if number else None

    async def _extras(self, request: CaseRequest) -> _Extras:
        permalink, monitor, (can_assign, assignee), title = await asyncio.gather(
            self._permalink(request), self._monitor(request), self._assignee(request), self._title(request)
        )
        return _Extras(permalink, monitor, can_assign, assignee, title)

    async def _permalink(self, request: CaseRequest) -> str:
        place = request.place
        if request.source.permalink or not place.thread_ts:
            return request.source.permalink
        linking = self.replies.permalink(place.workspace, place.channel, place.thread_ts)
        permalink = await or_trouble(linking, EXTRAS_WAIT)
        return "" if isinstance(permalink, Trouble) else permalink or ""

    async def _monitor(self, request: CaseRequest) -> Monitor | None:
        alert, org = request.source.about, await self.orgs.get(request.org, request.place.workspace)
        if org is None or alert is None or alert.monitor_id <= 0 or request.content is not None:
            return None
        monitor = await or_trouble(org.monitors.get(alert.monitor_id), EXTRAS_WAIT)
        return None if isinstance(monitor, Trouble) else monitor

    async def _title(self, request: CaseRequest) -> str:
        """What Datadog calls the incident that a message links."""
        incidents = [each for each in linked(request.source, self._home(request)) if each.type is InsightType.INCIDENT]
        org = await self.orgs.get(request.org, request.place.workspace)
        if org is None or not incidents or request.content is not None:
            return ""
        title = await or_trouble(Incidents(org.client).title(incidents[0].resource_id), EXTRAS_WAIT)
        return "" if isinstance(title, Trouble) else title

    def _home(self, request: CaseRequest) -> Location:
        return home_of(self.orgs.app_url(request.org))

    async def _assignee(self, request: CaseRequest) -> tuple[bool, str]:
        """Whether Slack tells us e-mail addresses at all, and the person who asks if Datadog knows them."""
        org, email = await self.orgs.get(request.org, request.place.workspace), ""
        with contextlib.suppress(DatadogError, TimeoutError):
            async with asyncio.timeout(EXTRAS_WAIT):
                email = await self.case_replies.email(request.place.workspace, request.requester)
                user = await org.cases.user_with_email(email) if org and email else None
                return bool(email), request.requester if user else ""
        return bool(email), ""

    async def redraw(self, request: CaseRequest, interaction: Interaction) -> None:
        """Another project or type was chosen: the types and status names that go with it are shown."""
        catalog, view = self.catalogs.known(request.org), interaction.view
        if catalog is None or request.content is None:
            return
        chosen = views.read_form(view)
        content = replace(request.content, project_id=chosen.project_id, type_id=chosen.type_id)
        investigation = await self._investigation(request.place, request.source)
        form = self._form(request, content, catalog, investigation, can_assign=views.has_assignee(view))
        await self.modals.update(request.place.workspace, interaction.view_id, views.form_view(form))

    def _form(
        self,
        request: CaseRequest,
        content: CaseContent,
        catalog: Catalog,
        investigation: Investigation | None,
        *,
        can_assign: bool,
    ) -> CaseForm:
        home = self._home(request)
        things = [each.label for each in _insights_with_it(request.source, home)]
        if investigation is not None and comment_for(investigation, content.description) is not None:
            things.append("the full conclusions, as a comment")
        things += [f"{name}: {', '.join(values)}" for name, values in content.attributes]
        page = unnamed(request.source, home)
        return CaseForm(request.key, content, catalog, can_assign, tuple(things), page.type if page else None)

    # -- submitting it ------------------------------------------------------------------------------------------

    async def submit(self, request: CaseRequest, filled: CaseContent, view_id: str) -> Block:
        """Requested, and written down, when this returns: what the window shows next."""
        if request.state is not CaseRequestState.DRAFT:
            return views.answer_view(request.key, await self.case_replies.answer_to(request))
        content = await self._content(request, filled)
        await self.requests.remember_draft(request, wanted=content)
        return (
            await self._refused_view(request)
            or await self._meanwhile_view(request)
            or await self._submitted_view(request, content, view_id)
        )

    def problems_of(self, request: CaseRequest, filled: CaseContent) -> dict[str, str]:
        named = named_by_hand(request.source, filled.resource_id, self._home(request))
        return {views.RESOURCE: named} if isinstance(named, str) else {}

    def _insights(self, request: CaseRequest, filled: CaseContent) -> tuple[Insight, ...]:
        home = self._home(request)
        named = named_by_hand(request.source, filled.resource_id, home)
        found = [each.insight for each in _insights_with_it(request.source, home)]
        return (*found, named) if isinstance(named, Insight) else tuple(found)

    async def submit_anyway(self, request: CaseRequest, view_id: str) -> None:
        """Although the thread has got another case meanwhile."""
        view = await self._refused_view(request) or await self._submitted_view(request, request.content, view_id)
        await self.modals.update(request.place.workspace, view_id, view)

    async def submit_again(self, request: CaseRequest, view_id: str) -> CaseAnswer:
        if refusal := await case_refusal(self.permissions, request.place, request.requester):
            return views.not_allowed(request, refusal)
        await self.requests.submit_again(request, view_id)
        return await self._answer(request)

    async def _submitted_view(self, request: CaseRequest, content: CaseContent | None, view_id: str) -> Block:
        if content is not None:
            await self.requests.submit(request, content, view_id)
        return views.answer_view(request.key, await self._answer(request))

    async def _answer(self, request: CaseRequest) -> CaseAnswer:
        return await self.case_replies.answer_to(await self.requests.now(request) or request)

    async def _refused_view(self, request: CaseRequest) -> Block | None:
        """For somebody whose rights went away while the window was open."""
        refusal = await case_refusal(self.permissions, request.place, request.requester)
        return views.answer_view(request.key, views.not_allowed(request, refusal)) if refusal else None

    async def _meanwhile_view(self, request: CaseRequest) -> Block | None:
        """Another case of the same thread, made or being made since this form was opened."""
        made = await self.cases.of_thread(request.place, since=request.created_at)
        if made is not None:
            return views.made_meanwhile_view(request.key, made, self.orgs.app_url(request.org))
        under_way = await self.requests.under_way(request)
        return views.being_made_view(request.key, under_way.requester) if under_way else None

    async def _content(self, request: CaseRequest, filled: CaseContent) -> CaseContent:
        catalog = self.catalogs.known(request.org)
        project = catalog.project(filled.project_id) if catalog else None
        investigation = await self._investigation(request.place, request.source)
        first = first_status(catalog.type(filled.type_id)) if catalog else None
        if first and filled.status_name == first.name:
            filled = replace(filled, status_name="")  # what every new case of the type starts as need not be asked for
        return replace(
            filled,
            project_key=project.key if project else "",
            attributes=request.content.attributes if request.content else (),
            insights=self._insights(request, filled),
            comment=(comment_for(investigation, filled.description) or "") if investigation else "",
        )


def _insights_with_it(source: CaseSource, home: Location) -> tuple[InsightDraft, ...]:
    """The alert's monitor and event, and what the message links."""
    of_alert = alert_insights(source.about) if source.about else ()
    return tuple({each.key: each for each in (*linked(source, home), *of_alert)}.values())
