"""The kinds of messages an investigation owes: what each shows now, and what happens when a channel refuses it."""

import logging
from collections.abc import Callable

from bot.investigations.ledger import Ledger
from bot.slack.views.card import status_card
from bot.slack.views.conclusions import conclusions_message
from bot.slack.views.message import Message
from bot.slack.voice import Voice
from bot.storage.outbox import Delivery, Outbox

logger = logging.getLogger(__name__)


class Cards:
    def __init__(self, ledger: Ledger, voice: Voice, app_url: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._voice = voice
        self._app_url = app_url

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        investigation = await self._ledger.get(delivery.owed.subject_id)
        if investigation is None:
            return None
        app_url = self._app_url(investigation.org)
        return status_card(investigation, requester=delivery.owed.requester, app_url=app_url)

    async def refused(self, delivery: Delivery, code: str) -> None:
        investigation = await self._ledger.get(delivery.owed.subject_id)
        if investigation is not None and delivery.owed.requester:
            await self._voice.cannot_post(delivery, investigation, code)


class Conclusions:
    def __init__(self, ledger: Ledger, outbox: Outbox, app_url: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._app_url = app_url

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        investigation = await self._ledger.get(delivery.owed.subject_id)
        if investigation is None:
            return None
        return conclusions_message(
            investigation,
            requester=delivery.owed.requester,
            app_url=self._app_url(investigation.org),
            may_repeat=may_repeat,
        )

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Nothing is lost: what the channel does not take, the person who asked gets directly."""
        owed = delivery.owed
        if owed.channel == owed.requester or not owed.requester:
            logger.error("%s: nobody could be told (%s)", owed.key, code)
        else:
            await self._outbox.instead_to_requester(delivery)
