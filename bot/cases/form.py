"""The form of a new case: opened at once from what we know, filled in as soon as the rest is there, requested on submit."""

import asyncio
import contextlib
from dataclasses import dataclass, replace

from bot.cases import views
from bot.cases.catalog import Catalog, Catalogs
from bot.cases.draft import comment_for
from bot.cases.filling import CaseFilling, insights_with_it
from bot.cases.model import CaseContent, CaseRequest, CaseRequestState, CaseSource
from bot.cases.posts import CaseReplies
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequests
from bot.cases.source import link_host, named_by_hand, unnamed
from bot.cases.views import CaseAnswer, CaseForm
from bot.datadog.trouble import Trouble
from bot.investigations.model import Investigation
from bot.model import Place
from bot.orgs.model import DEFAULT, NoneConnected
from bot.orgs.questions import Resumable, org_words
from bot.orgs.repository import OrgRepository
from bot.rules.gatekeeper import RuleGatekeeper
from bot.rules.org_choice import WhichOrg, host_of
from bot.rules.permissions import Permissions
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

WORK_ON_CASES = May(Right.LOOK, f"work on {CASES} here")  # like everything that Datadog holds


async def case_refusal(permissions: Permissions, place: Place, person: str) -> Message | None:
    return await RuleGatekeeper(permissions)(WORK_ON_CASES, place, person)


@dataclass(frozen=True, slots=True)
class CaseForms:
    """From the click that wants a case to the request that is written down."""

    cases: CaseRepository
    requests: CaseRequests
    catalogs: Catalogs
    case_replies: CaseReplies
    filling: CaseFilling
    orgs: OrgRepository
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
        existing, investigation = await self.cases.of_thread(place), await self.filling.investigation(place, source)
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
        extras = asyncio.create_task(self.filling.extras(request))
        try:
            catalog = await self.filling.catalog(request)
            if isinstance(catalog, Trouble):
                return views.trouble_view(request.key, catalog)
            investigation = await self.filling.investigation(request.place, request.source)
            known = await extras
            if request.content is None:
                request = await self.filling.filled_in(request, catalog, known, investigation)
            content = request.content or CaseContent()
            return views.form_view(self._form(request, content, catalog, investigation, can_assign=known.can_assign))
        finally:
            extras.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await extras

    async def redraw(self, request: CaseRequest, interaction: Interaction) -> None:
        """Another project or type was chosen: the types and status names that go with it are shown."""
        catalog, view = self.catalogs.known(request.org), interaction.view
        if catalog is None or request.content is None:
            return
        chosen = views.read_form(view)
        content = replace(request.content, project_id=chosen.project_id, type_id=chosen.type_id)
        investigation = await self.filling.investigation(request.place, request.source)
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
        home = self.filling.home(request)
        things = [each.label for each in insights_with_it(request.source, home)]
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
        content = await self.filling.content(request, filled)
        await self.requests.remember_draft(request, wanted=content)
        return (
            await self._refused_view(request)
            or await self._meanwhile_view(request)
            or await self._submitted_view(request, content, view_id)
        )

    def problems_of(self, request: CaseRequest, filled: CaseContent) -> dict[str, str]:
        named = named_by_hand(request.source, filled.resource_id, self.filling.home(request))
        return {views.RESOURCE: named} if isinstance(named, str) else {}

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
