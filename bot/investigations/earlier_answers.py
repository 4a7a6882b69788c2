"""An answer that was found before, brought to the thread of another alert: it costs nothing, and stands there once."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import ClassVar

from bot.investigations import answers, conclusions_view, seen_before_view
from bot.investigations.model import Investigation
from bot.investigations.posts import CaseOf, ShownInvestigations
from bot.investigations.repository import InvestigationRepository
from bot.investigations.tables import EARLIER
from bot.investigations.vote_book import VoteBook
from bot.model import Place
from bot.slack.blocks import Message
from bot.slack.gates import May, Right
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners
from bot.slack.poster import Urgency
from bot.storage.outbox import Delivery, NewPost, Outbox, enqueue
from bot.wording import INVESTIGATIONS

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EarlierAnswers:
    """The button beside what was seen before."""

    repository: InvestigationRepository

    def register(self, on: Listeners) -> None:
        on.action(seen_before_view.USE, self.use, May(Right.LOOK, f"see {INVESTIGATIONS} here"))

    async def use(self, click: Interaction) -> After:
        """Owed to the thread before Slack is told that we heard; who presses again hears that it is there."""
        known = await self.repository.get_in(click.workspace, click.number)
        if known is None or not known.conclusions or not click.place.thread_ts:
            return answers.gone()
        database = self.repository.database
        async with database.transaction() as connection:
            is_new = await enqueue(database, connection, _post(known, click.place, click.person))
        if not is_new:
            return answers.answer_used_already()
        logger.info("an earlier answer is used again: %s", known.ref)
        return answers.answer_used()


def _post(known: Investigation, place: Place, person: str) -> NewPost:
    return NewPost(
        **asdict(place),
        key=f"{EARLIER}:{known.ref}:{place.workspace}:{place.channel}:{place.thread_ts}",
        kind=EARLIER,
        thread_key=f"{EARLIER}:{place.channel}:{place.thread_ts}",
        subject_id=known.id,
        requester=person,
    )


@dataclass(frozen=True, slots=True)
class EarlierAnswerPost:
    """The reply with it, which says whose it was and of when."""

    urgency: ClassVar[Urgency] = Urgency.ANSWER

    repository: InvestigationRepository
    shown: ShownInvestigations
    outbox: Outbox
    app_url: Callable[[str], str]
    case_of: CaseOf
    votes: VoteBook

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        known, post = await self.shown.of(delivery), delivery.post
        if known is None or not known.conclusions:
            return None
        asker = await self.repository.asker_in(post.workspace, known.id)
        return conclusions_view.conclusions_message(
            known,
            requester=asker,
            app_url=self.app_url(known.org),
            may_repeat=may_repeat,
            case=await self.case_of(Place(post.workspace, post.channel, delivery.thread_ts)),
            used=conclusions_view.Used(post.requester, asker),
            votes=await self.votes.of(post.workspace, known.id),
        )

    async def refused(self, delivery: Delivery, code: str) -> None:
        logger.warning("%s: the channel does not take replies (%s)", delivery.post.key, code)
        if delivery.post.channel != delivery.post.requester:
            await self.outbox.instead_to_requester(delivery)
