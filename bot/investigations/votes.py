"""What people think of an answer, and what the cause really was where it was wrong."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.investigations import answers, vote_views
from bot.investigations.conclusions_view import read_place
from bot.investigations.repository import InvestigationRepository
from bot.investigations.slack import LOST, CaseOf
from bot.rules.permissions import NotAllowed, Permissions
from bot.slack.forms import FormState
from bot.slack.gates import Judged, May, Right
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.payloads import number_of
from bot.slack.replies import Modals
from bot.wording import INVESTIGATIONS

CommentOnCase = Callable[[Interaction, str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class VoteListeners:
    repository: InvestigationRepository
    permissions: Permissions
    modals: Modals
    case_of: CaseOf
    comment: CommentOnCase

    def register(self, on: Listeners) -> None:
        look = May(Right.LOOK, f"see {INVESTIGATIONS} here")
        names = f"{vote_views.FEEDBACK}|{vote_views.HELPFUL}|{vote_views.NOT_HELPFUL}"
        on.action(re.compile(rf"^({names})$"), self.vote, look)
        on.submission(vote_views.CAUSE_CALLBACK, self.real_cause, Judged("the form, which keeps what was typed"))

    async def vote(self, click: Interaction) -> After:
        """It counts at once; who says that it is wrong is asked for the cause, and may leave that open."""
        told, is_right = vote_views.read_vote(click.action_id, click.value)
        known = await self.repository.get_in(click.workspace, number_of(told))
        if known is None:
            return answers.gone()
        await self.repository.vote(known.id, click.workspace, click.person, helpful=is_right)
        if is_right:
            return answers.vote_noted()
        channel, thread_ts = click.place.channel, click.place.thread_ts
        case = await self.case_of(click.place)
        return self.modals.open(click, vote_views.cause_modal(known, channel=channel, thread_ts=thread_ts, case=case))

    async def real_cause(self, window: Interaction) -> Submitted:
        number, place = read_place(window.metadata)
        window, form = window.at(*place), FormState(window.view)
        known, cause = await self.repository.get_in(window.workspace, number), form.text(vote_views.CAUSE)
        if known is None:
            return Submitted(errors={vote_views.CAUSE: LOST})
        if not cause:
            return Submitted(errors={vote_views.CAUSE: "Write something one can read, or cancel."})
        if isinstance(await self.permissions.may_look(window.place, window.person), NotAllowed):
            return Submitted(errors={vote_views.CAUSE: f"You may not see {INVESTIGATIONS} here any more."})
        await self.repository.vote(known.id, window.workspace, window.person, helpful=False, cause=cause)
        if vote_views.COMMENT in form.choices(vote_views.COMMENT):
            added = await self.comment(window, f"The cause that was found is wrong. The real cause: {cause}")
            return Submitted(after=answers.cause_noted(commented=added, wanted=True))
        return Submitted(after=answers.cause_noted(commented=False, wanted=False))
