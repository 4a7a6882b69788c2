"""What people do with a result: read its full report, start it once more, go on from it, let an expired one run on."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.investigations import answers, card_view, conclusions_view, follow_up, report_window
from bot.investigations.asking import StartRequests
from bot.investigations.model import Investigation
from bot.investigations.posts import CaseOf, ShownInvestigations
from bot.investigations.report_window import ReadIn, report_modal
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Investigate
from bot.investigations.vote_book import VoteBook
from bot.model import EarlierRun, Source
from bot.rules.budget import Budget
from bot.slack.blocks import Block
from bot.slack.forms import FormState
from bot.slack.gates import Judged, May, Open, Right
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.replies import Modals
from bot.wording import INVESTIGATIONS

LOOK = May(Right.LOOK, f"see {INVESTIGATIONS} here")

_LINK_BUTTON = re.compile(r".*:open$")


@dataclass(frozen=True, slots=True)
class ReportWindows:
    """The window behind Full report, as it is for one person in one place."""

    repository: InvestigationRepository
    votes: VoteBook
    modals: Modals
    case_of: CaseOf
    app_url: Callable[[str], str]

    async def open(self, click: Interaction, known: Investigation) -> None:
        await self.modals.open(click, await self._view(click, known, 0))

    async def draw(self, click: Interaction, known: Investigation, page: int, *, view_hash: str | None = None) -> None:
        """Anew in the window that was clicked in."""
        view = await self._view(click, known, page)
        await self.modals.update(click.workspace, click.view_id, view, view_hash=view_hash)

    async def _view(self, click: Interaction, known: Investigation, page: int) -> Block:
        place = click.place
        read_in = ReadIn(
            place,
            awaits=await self.repository.awaits(known.id, place),
            case=await self.case_of(place) if place.thread_ts else None,
            votes=await self.votes.of(place.workspace, known.id),
            own_vote=await self.votes.own(place.workspace, known.id, click.person),
        )
        return report_modal(known, page, read_in=read_in, app_url=self.app_url(known.org))


@dataclass(frozen=True, slots=True)
class ResultListeners:
    """The buttons of cards and answers that start nothing, and the pages of the full report."""

    repository: InvestigationRepository
    shown: ShownInvestigations
    reports: ReportWindows

    def register(self, on: Listeners) -> None:
        on.action(_LINK_BUTTON, self.open_link, Open("the browser does it"))
        on.action(card_view.KEEP_WAITING_ACTION, self.keep_waiting, LOOK)
        on.action(conclusions_view.DETAILS_ACTION, self.show_report, LOOK)
        on.action(re.compile(rf"^{report_window.PAGE}"), self.turn_page, LOOK)

    async def open_link(self, _click: Interaction) -> After:
        """The browser does the rest; without an answer Slack would show an error."""
        return None

    async def keep_waiting(self, click: Interaction) -> After:
        resumed = await self.repository.keep_waiting(click.workspace, click.number)
        return answers.kept_waiting() if resumed else answers.gone()

    async def show_report(self, click: Interaction) -> After:
        known = await self.shown.asked_for_in(click.workspace, click.number)
        return self.reports.open(click, known) if known else answers.gone()

    async def turn_page(self, click: Interaction) -> After:
        number, _ = report_window.read_metadata(click.metadata)
        known = await self.shown.asked_for_in(click.workspace, number)
        if known is None:
            return None
        return self.reports.draw(click, known, click.number, view_hash=click.view.get("hash"))


@dataclass(frozen=True, slots=True)
class RunAgain:
    """From a menu, which has no dialog of its own: the cost is agreed to in a window."""

    starts: StartRequests
    repository: InvestigationRepository
    modals: Modals

    def register(self, on: Listeners) -> None:
        on.action(conclusions_view.ASK_RUN_AGAIN, self.ask, LOOK)
        on.submission(report_window.RUN_AGAIN_CALLBACK, self.start, Judged("the ask worker"))

    async def ask(self, click: Interaction) -> After:
        known, place = await self.repository.get_in(click.workspace, click.number), click.place
        if known is None:
            return answers.gone()
        view = report_window.run_again_modal(known, channel=place.channel, thread_ts=place.thread_ts)
        return self.modals.open(click, view)

    async def start(self, window: Interaction) -> Submitted:
        number, _ = report_window.read_metadata(window.metadata)
        request = Investigate(EarlierRun(number), Source.BUTTON)
        return Submitted(after=await self.starts.start(window, request), clears=True)


@dataclass(frozen=True, slots=True)
class FollowUps:
    """A question that goes on from an answer: its cost and what is sent are seen before anything starts."""

    starts: StartRequests
    repository: InvestigationRepository
    budget: Budget
    modals: Modals

    def register(self, on: Listeners) -> None:
        on.action(follow_up.ACTION, self.open, LOOK)
        on.submission(follow_up.CALLBACK, self.ask, Judged("the ask worker"))

    async def open(self, click: Interaction) -> After:
        number, words = follow_up.read_button(click.value)
        known = await self.repository.get_in(click.workspace, number)
        if known is None:
            return answers.gone()
        place, usage = click.place, await self.budget.usage(click.place)
        at = {"channel": place.channel, "thread_ts": place.thread_ts}
        return self.modals.open(click, follow_up.follow_up_modal(known, words, usage, **at, now=time.time()))

    async def ask(self, window: Interaction) -> Submitted:
        number, _ = report_window.read_metadata(window.metadata)
        known = await self.repository.get_in(window.workspace, number)
        text = FormState(window.view).text(follow_up.TEXT)
        if known is None or not window.place.channel:
            return Submitted(errors={follow_up.TEXT: answers.LOST})
        if not text:
            return Submitted(errors={follow_up.TEXT: "Write a question."})
        request = Investigate(follow_up.follow_up(known, text, time.time()), Source.MODAL)
        return Submitted(after=await self.starts.start(window, request, known.org), clears=True)
