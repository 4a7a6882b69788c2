"""Opens the insights window, and looks up in the background what makes it readable: names, and what the case has."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.cases.book import CaseBook
from bot.cases.drafts import InsightList
from bot.cases.insight_ports import InsightOrg, InsightOrgs
from bot.cases.labels import look_up_labels
from bot.cases.model import InsightDraft, SetAside
from bot.cases.picker import CasePicker
from bot.cases.sheet import CaseChoice, Sheet
from bot.cases.shelf import Owner, Shelf
from bot.cases.submits import Submits
from bot.datadog.case_model import Case
from bot.datadog.errors import DatadogError, NotFound
from bot.datadog.sites import SITES, Location, locate
from bot.investigations.loops import Tasks
from bot.investigations.model import Place
from bot.investigations.policy import Refused
from bot.slack.attach_screen import AttachScreen
from bot.slack.gate import Gate
from bot.slack.gestures import Gesture
from bot.slack.modals import open_modal
from bot.slack.views import no_start, refusals
from bot.slack.views.attach import attach_form
from bot.slack.views.message import Message
from bot.slack.voice import Voice
from bot.slack.which_org import WhichOrg
from bot.slack.workspaces import Workspaces
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

    shelf: Shelf
    submits: Submits
    picker: CasePicker
    book: CaseBook
    screen: AttachScreen
    orgs: InsightOrgs
    workspaces: Workspaces
    voice: Voice
    tasks: Tasks
    app_url: Callable[[str], str]
    wake: Callable[[], None]
    which_org: WhichOrg
    gate: Gate

    def home(self, org: str) -> Location:
        """Where our organisation's pages stand: a link from anywhere else means something else."""
        return locate(urlsplit(self.app_url(org)).hostname or "") or Location(SITES[0])

    # -- opening ------------------------------------------------------------------------------------------------

    def open_soon(self, gesture: Gesture, start: Start, *, on_top: bool = False) -> None:
        """`on_top`: another window of ours is open below."""
        self.voice.remember(gesture.place, gesture.person, gesture.response_url)
        self.tasks.spawn(self.open(gesture, start, on_top=on_top), "insights window")

    async def open(self, gesture: Gesture, start: Start, *, on_top: bool = False) -> None:
        speaker = await self.workspaces.speaker(gesture.place.workspace)
        if speaker is None or not await self.lets_in(gesture):
            return
        if await self.orgs.get(start.org) is None:
            await self.voice.tell(gesture.place, gesture.person, refusals.no_org())
            return
        owner = Owner(gesture.place.workspace, gesture.person)
        sheet = await self._sheet(gesture, start)
        key = await self.shelf.put(owner, sheet)
        opened = await open_modal(self.voice, speaker.client, gesture, attach_form(sheet, key), on_top=on_top)
        if opened is not None:
            self.screen.opened(opened)
            self.fill_soon(key, owner, str(opened.get("id") or ""))

    async def lets_in(self, gesture: Gesture) -> bool:
        """Whether she may work on cases here; if not, she was told."""
        refusal = await self.refusal(gesture.place, gesture.person)
        if refusal is not None:
            await self.voice.tell(gesture.place, gesture.person, refusal)
        return refusal is None

    async def refusal(self, place: Place, person: str) -> Message | None:
        """For whoever may not work on cases here."""
        verdict = await self.gate.may_look(place, person)
        return no_start.refused(verdict, doing=f"work on {CASES} here") if isinstance(verdict, Refused) else None

    async def _sheet(self, gesture: Gesture, start: Start) -> Sheet:
        remembered = None if start.case else await self.book.of_thread(gesture.place)
        if remembered is not None and remembered.org != start.org:
            remembered = None
        case = start.case or (CaseChoice(remembered.case_id, remembered.key, remembered.title) if remembered else None)
        insights = InsightList().add(start.candidates).put_aside(start.set_aside)
        return Sheet(place=gesture.place, org=start.org, case=case, insights=insights)

    # -- what is looked up in the background --------------------------------------------------------------------

    def fill_soon(self, key: str, owner: Owner, view_id: str) -> None:
        self.tasks.spawn(self._fill(key, owner, view_id), "names for the insights window")

    async def _fill(self, key: str, owner: Owner, view_id: str) -> None:
        sheet = await self.shelf.get(key, owner)
        org = await self.orgs.get(sheet.org) if sheet else None
        if sheet is None or org is None:
            return
        await asyncio.gather(self._names(org, sheet, key, owner, view_id), self._facts(org, sheet, key, owner, view_id))

    async def _names(self, org: InsightOrg, sheet: Sheet, key: str, owner: Owner, view_id: str) -> None:
        unnamed = sheet.unnamed[:_NAMES_A_ROUND]
        if not unnamed:
            return
        labels = await look_up_labels(unnamed, monitors=org.monitors, incidents=org.incidents)
        await self.shelf.change(key, owner, lambda now: now.with_labels(labels, unnamed))
        if labels:
            await self.screen.show(key, owner, view_id)

    async def _facts(self, org: InsightOrg, sheet: Sheet, key: str, owner: Owner, view_id: str) -> None:
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

        def without(now: Sheet) -> Sheet:
            return now.without_case(notice) if now.case and now.case.id == case.id else now

        await self.shelf.change(key, owner, without)
