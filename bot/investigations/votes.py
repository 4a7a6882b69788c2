"""What people think of an answer, and what the cause really was where it was wrong."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.investigations import answers, report_window, vote_views
from bot.investigations.model import Investigation
from bot.investigations.posts import CaseOf
from bot.investigations.repository import InvestigationRepository
from bot.investigations.results import LOOK, ReportWindows
from bot.investigations.vote_book import VoteBook
from bot.rules.permissions import NotAllowed, Permissions
from bot.slack.forms import FormState
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.payloads import number_of
from bot.slack.replies import Modals
from bot.wording import INVESTIGATIONS

CommentOnCase = Callable[[Interaction, str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class VoteListeners:
    repository: InvestigationRepository
    votes: VoteBook
    reports: ReportWindows
    permissions: Permissions
    modals: Modals
    case_of: CaseOf
    comment: CommentOnCase

    def register(self, on: Listeners) -> None:
        names = f"{vote_views.FEEDBACK}|{vote_views.HELPFUL}|{vote_views.NOT_HELPFUL}"
        on.action(re.compile(rf"^({names})$"), self.vote, LOOK)
        on.submission(vote_views.CAUSE_CALLBACK, self.real_cause, Judged("the form, which keeps what was typed"))

    async def vote(self, click: Interaction) -> After:
        """It counts at once; who says that it is wrong is asked for the cause, and may leave that open."""
        told, is_right = vote_views.read_vote(click.action_id, click.value)
        known = await self.repository.get_in(click.workspace, number_of(told))
        if known is None:
            return answers.gone()
        await self.votes.note(known.id, click.workspace, click.person, helpful=is_right)
        if click.in_window:
            return self._in_window(click, known, is_right=is_right)
        return answers.vote_noted() if is_right else self._ask_cause(click, known)

    async def _in_window(self, click: Interaction, known: Investigation, *, is_right: bool) -> None:
        """It shows what was chosen; another window has to come first, for the right to open one is short."""
        if not is_right:
            await self._ask_cause(click, known)
        await self.reports.draw(click, known, report_window.read_metadata(click.metadata)[1])

    async def _ask_cause(self, click: Interaction, known: Investigation) -> None:
        place, case = click.place, await self.case_of(click.place)
        view = vote_views.cause_modal(known, channel=place.channel, thread_ts=place.thread_ts, case=case)
        await self.modals.open(click, view)

    async def real_cause(self, window: Interaction) -> Submitted:
        number, _ = report_window.read_metadata(window.metadata)
        form = FormState(window.view)
        known, cause = await self.repository.get_in(window.workspace, number), form.text(vote_views.CAUSE)
        if known is None:
            return Submitted(errors={vote_views.CAUSE: answers.LOST})
        if not cause:
            return Submitted(errors={vote_views.CAUSE: "Write what it was, or cancel."})
        if isinstance(await self.permissions.may_look(window.place, window.person), NotAllowed):
            return Submitted(errors={vote_views.CAUSE: f"You may not see {INVESTIGATIONS} here any more."})
        await self.votes.note(known.id, window.workspace, window.person, helpful=False, cause=cause)
        if vote_views.COMMENT in form.choices(vote_views.COMMENT):
            added = await self.comment(window, f"The cause that was found is wrong. The real cause: {cause}")
            return Submitted(after=answers.cause_noted(commented=added, wanted=True))
        return Submitted(after=answers.cause_noted(commented=False, wanted=False))
