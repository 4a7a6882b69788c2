"""What a person who asked for an investigation is told where no card says it: only they see it."""

from bot.investigations.model import Failure, Investigation
from bot.investigations.repository import InvestigationRepository
from bot.investigations.views import answers, refusals
from bot.model import Ask, Place
from bot.slack.replies import Replies
from bot.storage.outbox import Delivery


class Notices:
    def __init__(self, repository: InvestigationRepository, replies: Replies) -> None:
        self._repository = repository
        self._replies = replies

    async def lookup_failed(self, ask: Ask, failure: Failure) -> None:
        await self._replies.tell(ask.place, ask.requester, refusals.lookup_failed(ask.subject, failure))

    async def joined(self, ask: Ask, investigation: Investigation) -> None:
        permalink = await self.card_link(ask.place.workspace, investigation.id)
        requester = investigation.requested_by
        message = answers.already(investigation, permalink=permalink, requester=requester)
        await self._replies.tell(ask.place, ask.requester, message)

    async def cannot_post(self, delivery: Delivery, investigation: Investigation, code: str) -> None:
        post = delivery.post
        place = Place(post.workspace, post.channel, post.thread_ts)
        message = refusals.cannot_post_card(code, channel=post.channel, ref=investigation.ref)
        await self._replies.tell(place, post.requester, message)

    async def card_link(self, workspace: str, investigation_id: int) -> str:
        """A link to the first card of an investigation in this workspace; empty while there is none."""
        cards = await self._repository.card_of(investigation_id, workspace)
        card = next(((channel, ts or thread) for channel, thread, ts in cards if ts or thread), None)
        return await self._replies.permalink(workspace, *card) if card else ""
