"""What each kind of escalation asks of Datadog: to look whether it is there, to make it, and to do what goes with it."""

import contextlib
from dataclasses import dataclass
from typing import ClassVar, Protocol

from bot.cases.card import case_title, case_url
from bot.cases.escalation_model import Escalation, EscalationKind
from bot.cases.model import KnownCase
from bot.datadog.cases import JIRA, SERVICE_NOW, Case, Insight, Ticket
from bot.datadog.errors import Conflict, NoAnswer, NotFound, NotSent, Unavailable, Unreadable
from bot.datadog.escalations import Created
from bot.datadog.insights import InsightType
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind
from bot.wording import APP, CASE

_COMPLETED, _FAILED = "COMPLETED", "FAILED"
_FAILED_THERE = Trouble(TroubleKind.REFUSED)


@dataclass(frozen=True, slots=True)
class Errand:
    """One escalation with all that is needed to carry it out."""

    org: ConnectedOrg
    known: KnownCase
    escalation: Escalation
    author: str  # who asked for it, by name; untrusted

    @property
    def origin(self) -> str:
        """Where it comes from, for whoever reads it in Datadog."""
        url = case_url(self.known, self.org.app_url)
        return f"{self.author} asked for it in Slack, with {APP}, for {CASE} {self.known.name}: {url}"


@dataclass(frozen=True, slots=True)
class Finished:
    made: Created
    case: Case | None = None  # as it stands now


@dataclass(frozen=True, slots=True)
class Failed:
    """Datadog took it, and then it came to nothing there."""

    trouble: Trouble


class Unfinished:
    """Datadog is still at work on it."""


class CanNotLookError(Exception):
    """Datadog does not tell whether it is there."""


class Handled(Protocol):
    async def find(self, errand: Errand, /) -> Created | None:
        """Raises CanNotLookError where Datadog has no way to look."""

    async def make(self, errand: Errand, /) -> Created: ...
    async def finish(self, errand: Errand, made: Created, /) -> Finished | Failed | Unfinished: ...


class Incident:
    """Known again by the mark in its summary; the case is linked to it, and has it among its insights."""

    async def find(self, errand: Errand) -> Created | None:
        return await errand.org.escalations.declared(errand.escalation.mark)

    async def make(self, errand: Errand) -> Created:
        form = errand.escalation.form
        return await errand.org.escalations.declare(
            form.title,
            severity=form.severity,
            impact=form.impact,
            summary=f"{errand.origin}\n{errand.escalation.mark}",
        )

    async def finish(self, errand: Errand, made: Created) -> Finished:
        org, case_id = errand.org, errand.known.case_id
        with contextlib.suppress(Conflict):  # it is linked already
            await org.escalations.link_incident(case_id, made.id)
        number = made.name.removeprefix("#") or made.id
        insight = Insight(InsightType.INCIDENT, f"/incidents/{number}", made.id)
        return Finished(made, await org.cases.add_insights(case_id, (insight,)))


class TeamPage:
    async def find(self, _errand: Errand) -> None:
        raise CanNotLookError

    async def make(self, errand: Errand) -> Created:
        form = errand.escalation.form
        said = f"{form.message}\n\n{errand.origin}" if form.message else errand.origin
        return await errand.org.escalations.page(form.team, form.title or case_title(errand.known), said, form.urgency)

    async def finish(self, errand: Errand, made: Created) -> Finished:
        if made.id:
            await errand.org.escalations.link_page(errand.known.case_id, made.id)
        return Finished(made)


class JiraIssue:
    system: ClassVar[str] = JIRA

    async def find(self, errand: Errand) -> Created | None:
        ticket = ticket_of(await errand.org.cases.get(errand.known.case_id), self.system)
        return _created(ticket) if ticket is not None and ticket.status != _FAILED else None

    async def make(self, errand: Errand) -> Created:
        wanted, made_by = errand.escalation.form.template, errand.org.escalations
        try:
            template = next((each for each in await made_by.jira_templates() if each.id == wanted), None)
        except (Unavailable, NoAnswer, Unreadable) as error:
            raise NotSent(str(error)) from error  # nothing but the list was asked for
        if template is None:
            raise NotFound("the Jira issue template is gone")
        await made_by.make_jira_issue(errand.known.case_id, template)
        return Created()

    async def finish(self, errand: Errand, _made: Created) -> Finished | Failed | Unfinished:
        case = await errand.org.cases.get(errand.known.case_id)
        ticket = ticket_of(case, self.system)
        if ticket is None or ticket.status not in {_COMPLETED, _FAILED}:
            return Unfinished()
        return Finished(_created(ticket), case) if ticket.status == _COMPLETED else Failed(_FAILED_THERE)


class ServiceNowTicket(JiraIssue):
    system: ClassVar[str] = SERVICE_NOW

    async def make(self, errand: Errand) -> Created:
        form, case_id = errand.escalation.form, errand.known.case_id
        await errand.org.escalations.make_service_now_ticket(case_id, form.instance, form.group)
        return Created()


class Notebook:
    async def find(self, _errand: Errand) -> None:
        raise CanNotLookError

    async def make(self, errand: Errand) -> Created:
        await errand.org.escalations.make_notebook(errand.known.case_id)
        return Created(url=case_url(errand.known, errand.org.app_url))

    async def finish(self, _errand: Errand, made: Created) -> Finished:
        return Finished(made)


KINDS: dict[EscalationKind, Handled] = {
    EscalationKind.INCIDENT: Incident(),
    EscalationKind.PAGE: TeamPage(),
    EscalationKind.JIRA: JiraIssue(),
    EscalationKind.SERVICE_NOW: ServiceNowTicket(),
    EscalationKind.NOTEBOOK: Notebook(),
}


def ticket_of(case: Case, system: str) -> Ticket | None:
    return next((each for each in case.tickets if each.system == system), None)


def _created(ticket: Ticket) -> Created:
    return Created(name=ticket.name, url=ticket.url)
