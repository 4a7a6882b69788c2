"""A new case filled in from what is known of its alert, its investigation and the message: for the form, and for a channel's rule."""

import asyncio
import contextlib
from dataclasses import dataclass, replace

from bot.cases.catalog import Catalog, Catalogs, first_status, offered_types, preselected_type, priority_of
from bot.cases.draft import alert_attributes, alert_insights, comment_for, draft_description, draft_title
from bot.cases.model import CaseContent, CaseRequest, CaseSource
from bot.cases.posts import CaseReplies
from bot.cases.requests import CaseRequests
from bot.cases.source import linked, named_by_hand, proposed_type
from bot.datadog.cases import Insight, Project
from bot.datadog.errors import DatadogError
from bot.datadog.insights import Incidents, InsightDraft, InsightType
from bot.datadog.links import Location, home_of
from bot.datadog.monitors import Monitor
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.investigations.model import Investigation
from bot.investigations.repository import InvestigationRepository
from bot.model import AlertRef, MonitorRef, Place
from bot.orgs.repository import OrgRepository
from bot.rules.repository import RuleRepository
from bot.slack.replies import Replies

CATALOG_WAIT = 12.0
EXTRAS_WAIT = 2.5  # for what is only convenient: a priority, a permalink, an assignee


@dataclass(frozen=True, slots=True)
class Extras:
    permalink: str
    monitor: Monitor | None
    can_assign: bool
    assignee: str
    title: str = ""  # of the incident that a message links


@dataclass(frozen=True, slots=True)
class NoProject:
    """A rule does not say which project is meant, or names one that is not there."""

    named: str = ""


@dataclass(frozen=True, slots=True)
class CaseFilling:
    requests: CaseRequests
    catalogs: Catalogs
    case_replies: CaseReplies
    investigations: InvestigationRepository
    orgs: OrgRepository
    rules: RuleRepository
    replies: Replies

    async def catalog(self, request: CaseRequest) -> Catalog | Trouble:
        catalog = await or_trouble(self.catalogs.get(request.org, request.place.workspace), CATALOG_WAIT)
        if isinstance(catalog, Trouble):
            return Trouble(TroubleKind.NOT_REACHED) if catalog.kind is TroubleKind.UNCLEAR else catalog
        if catalog is None:
            return Trouble(TroubleKind.NO_ORG)
        if not catalog.projects or not offered_types(catalog.types):
            return Trouble(TroubleKind.NO_PROJECT)
        return catalog

    async def by_itself(self, request: CaseRequest) -> CaseRequest | NoProject | Trouble:
        """As the form would be submitted if nobody changed anything in it; kept with the draft."""
        catalog = await self.catalog(request)
        if isinstance(catalog, Trouble):
            return catalog
        investigation = await self.investigation(request.place, request.source)
        if request.content is None:
            request = await self.filled_in(request, catalog, await self.extras(request), investigation)
        filled = request.content or CaseContent()
        rules = await self.rules.of(request.place.workspace, request.place.channel)
        if rules.case.project and catalog.project_named(rules.case.project) is None:
            return NoProject(rules.case.project)
        only = catalog.projects[0] if len(catalog.projects) == 1 else None
        project = catalog.project(filled.project_id) or only
        if project is None:
            return NoProject()
        kind = preselected_type(offered_types(catalog.types, project), filled.type_id)
        wanted = replace(filled, project_id=project.id, type_id=kind.id if kind else "")
        content = await self.content(request, wanted)
        await self.requests.remember_draft(request, wanted=content)
        return replace(request, content=content)

    async def filled_in(
        self, request: CaseRequest, catalog: Catalog, extras: Extras, investigation: Investigation | None
    ) -> CaseRequest:
        """The first time: the values are kept with the draft, so that every later look at the form starts from them."""
        alert = request.source.alert
        if isinstance(alert, AlertRef | MonitorRef) and not alert.monitor_name and extras.monitor:
            alert = replace(alert, monitor_name=extras.monitor.name)
        shown = linked(request.source, self.home(request))
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
        kind = catalog.type(proposed_type(request.source, self.home(request))) or catalog.type_named(rules.case.type)
        chosen = last.type_id if last and project and last.project_id == project.id else ""
        return project, kind.id if kind else chosen

    async def investigation(self, place: Place, source: CaseSource) -> Investigation | None:
        number = source.investigation
        return await self.investigations.get_in(place.workspace, number) if number else None

    async def extras(self, request: CaseRequest) -> Extras:
        permalink, monitor, (can_assign, assignee), title = await asyncio.gather(
            self._permalink(request), self._monitor(request), self._assignee(request), self._title(request)
        )
        return Extras(permalink, monitor, can_assign, assignee, title)

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
        incidents = [each for each in linked(request.source, self.home(request)) if each.type is InsightType.INCIDENT]
        org = await self.orgs.get(request.org, request.place.workspace)
        if org is None or not incidents or request.content is not None:
            return ""
        title = await or_trouble(Incidents(org.client).title(incidents[0].resource_id), EXTRAS_WAIT)
        return "" if isinstance(title, Trouble) else title

    async def _assignee(self, request: CaseRequest) -> tuple[bool, str]:
        """Whether Slack tells us e-mail addresses at all, and the person who asks if Datadog knows them."""
        if request.by_rule:
            return False, ""
        org, email = await self.orgs.get(request.org, request.place.workspace), ""
        with contextlib.suppress(DatadogError, TimeoutError):
            async with asyncio.timeout(EXTRAS_WAIT):
                email = await self.case_replies.email(request.place.workspace, request.requester)
                user = await org.cases.user_with_email(email) if org and email else None
                return bool(email), request.requester if user else ""
        return bool(email), ""

    def home(self, request: CaseRequest) -> Location:
        return home_of(self.orgs.app_url(request.org))

    def _insights(self, request: CaseRequest, filled: CaseContent) -> tuple[Insight, ...]:
        home = self.home(request)
        named = named_by_hand(request.source, filled.resource_id, home)
        found = [each.insight for each in insights_with_it(request.source, home)]
        return (*found, named) if isinstance(named, Insight) else tuple(found)

    async def content(self, request: CaseRequest, filled: CaseContent) -> CaseContent:
        catalog = self.catalogs.known(request.org)
        project = catalog.project(filled.project_id) if catalog else None
        investigation = await self.investigation(request.place, request.source)
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


def insights_with_it(source: CaseSource, home: Location) -> tuple[InsightDraft, ...]:
    """The alert's monitor and event, and what the message links."""
    of_alert = alert_insights(source.about) if source.about else ()
    return tuple({each.key: each for each in (*linked(source, home), *of_alert)}.values())
