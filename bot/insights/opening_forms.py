"""Opens the insights window, and looks up in the background what makes it readable: names, and what the case has."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.cases.repository import CaseRepository
from bot.datadog.case_model import Case
from bot.datadog.errors import DatadogError, NotFound
from bot.datadog.insight_drafts import InsightDraft, SetAside
from bot.datadog.sites import SITES, Location, locate
from bot.insights.attach_form import AttachForm, CaseChoice
from bot.insights.attach_form_store import AttachFormStore, Owner
from bot.insights.attach_jobs import AttachJobs
from bot.insights.drafts import InsightList
from bot.insights.labels import look_up_labels
from bot.insights.open_forms import AttachScreen
from bot.insights.picker import CasePicker
from bot.insights.ports import InsightOrg, InsightOrgs
from bot.insights.views.form import attach_form
from bot.investigations.views import refusals
from bot.model import Place
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.policy import Refused
from bot.rules.views import no_start
from bot.slack.clients import Workspaces
from bot.slack.interactions import Interaction
from bot.slack.message import Message
from bot.slack.modals import open_modal
from bot.slack.replies import Replies
from bot.storage.workers import Tasks
from bot.wording import APP, CASE, CASES, DATADOG

logger = logging.getLogger(__name__)

_NAMES_A_ROUND = 50  # requests; the next gesture asks for more
_CASE_PATIENCE = 5.0  # seconds in the background: nobody waits, but a window may be closed by then


@dataclass(frozen=True, slots=True)
class Start:
    """What the window begins with, in which organisation."""

    org: str = ""
    candidates: tuple[InsightDraft, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    case: CaseChoice | None = None


@dataclass(frozen=True, slots=True)
class Attaching:
    """Everything the listeners of the insights window lean on."""

    shelf: AttachFormStore
    submits: AttachJobs
    picker: CasePicker
    book: CaseRepository
    screen: AttachScreen
    orgs: InsightOrgs
    workspaces: Workspaces
    replies: Replies
    tasks: Tasks
    app_url: Callable[[str], str]
    which_org: WhichOrg
    permissions: Permissions

    def home(self, org: str) -> Location:
        """Where our organisation's pages stand: a link from anywhere else means something else."""
        return locate(urlsplit(self.app_url(org)).hostname or "") or Location(SITES[0])

    # -- opening ------------------------------------------------------------------------------------------------

    def open_soon(self, interaction: Interaction, start: Start, *, on_top: bool = False) -> None:
        """`on_top`: another window of ours is open below."""
        self.replies.remember(interaction.place, interaction.person, interaction.response_url)
        self.tasks.spawn(self.open(interaction, start, on_top=on_top), "insights window")

    async def open(self, interaction: Interaction, start: Start, *, on_top: bool = False) -> None:
        bot_client = await self.workspaces.bot_client(interaction.place.workspace)
        if bot_client is None or not await self.lets_in(interaction):
            return
        if await self.orgs.get(start.org) is None:
            await self.replies.tell(interaction.place, interaction.person, refusals.no_org())
            return
        owner = Owner(interaction.place.workspace, interaction.person)
        sheet = await self._sheet(interaction, start)
        key = await self.shelf.put(owner, sheet)
        opened = await open_modal(self.replies, bot_client.client, interaction, attach_form(sheet, key), on_top=on_top)
        if opened is not None:
            self.screen.opened(opened)
            self.fill_soon(key, owner, str(opened.get("id") or ""))

    async def lets_in(self, interaction: Interaction) -> bool:
        """Whether she may work on cases here; if not, she was told."""
        refusal = await self.refusal(interaction.place, interaction.person)
        if refusal is not None:
            await self.replies.tell(interaction.place, interaction.person, refusal)
        return refusal is None

    async def refusal(self, place: Place, person: str) -> Message | None:
        """For whoever may not work on cases here."""
        verdict = await self.permissions.may_look(place, person)
        return no_start.refused(verdict, doing=f"work on {CASES} here") if isinstance(verdict, Refused) else None

    async def _sheet(self, interaction: Interaction, start: Start) -> AttachForm:
        remembered = None if start.case else await self.book.of_thread(interaction.place)
        if remembered is not None and remembered.org != start.org:
            remembered = None
        case = start.case or (CaseChoice(remembered.case_id, remembered.key, remembered.title) if remembered else None)
        insights = InsightList().add(start.candidates).put_aside(start.set_aside)
        return AttachForm(place=interaction.place, org=start.org, case=case, insights=insights)

    # -- what is looked up in the background --------------------------------------------------------------------

    def fill_soon(self, key: str, owner: Owner, view_id: str) -> None:
        self.tasks.spawn(self._fill(key, owner, view_id), "names for the insights window")

    async def _fill(self, key: str, owner: Owner, view_id: str) -> None:
        sheet = await self.shelf.get(key, owner)
        org = await self.orgs.get(sheet.org) if sheet else None
        if sheet is None or org is None:
            return
        await asyncio.gather(self._names(org, sheet, key, owner, view_id), self._facts(org, sheet, key, owner, view_id))

    async def _names(self, org: InsightOrg, sheet: AttachForm, key: str, owner: Owner, view_id: str) -> None:
        unnamed = sheet.unnamed[:_NAMES_A_ROUND]
        if not unnamed:
            return
        labels = await look_up_labels(unnamed, monitors=org.monitors, incidents=org.incidents)
        await self.shelf.change(key, owner, lambda now: now.with_labels(labels, unnamed))
        if labels:
            await self.screen.show(key, owner, view_id)

    async def _facts(self, org: InsightOrg, sheet: AttachForm, key: str, owner: Owner, view_id: str) -> None:
        """The case's title and what it has already."""
        if sheet.case is None or sheet.held is not None:
            return
        try:
            async with asyncio.timeout(_CASE_PATIENCE):
                case = await org.cases.get(sheet.case.id)
        except NotFound:
            await self._no_such_case(sheet.case, key, owner)
        except (DatadogError, TimeoutError) as error:
            logger.info("a chosen case could not be read: %s", type(error).__name__)
            return
        else:
            await self._learnt(case, key, owner)
        await self.screen.show(key, owner, view_id)

    async def _learnt(self, case: Case, key: str, owner: Owner) -> None:
        await self.shelf.change(key, owner, lambda now: now.with_case_facts(case))

    async def _no_such_case(self, case: CaseChoice, key: str, owner: Owner) -> None:
        notice = f"{DATADOG} has no {CASE} {case.name[:80]}, or {APP}'s key may not see it. Choose another one."

        def without(now: AttachForm) -> AttachForm:
            return now.without_case(notice) if now.case and now.case.id == case.id else now

        await self.shelf.change(key, owner, without)
