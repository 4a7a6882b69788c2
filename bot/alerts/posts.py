"""What the room of alerts has to say in Slack: the card of a cycle, the reply under Datadog's message, a mute that failed."""

import logging
from collections.abc import Callable

from bot.alerts import views as alert_card
from bot.alerts.messages import AlertMessages
from bot.alerts.repository import CycleRepository
from bot.datadog.trouble import Trouble
from bot.investigations.seen_alerts import SeenAlerts
from bot.investigations.views.investigate_button import nudge_message
from bot.model import Place
from bot.slack.message import Message
from bot.slack.replies import Replies
from bot.storage.outbox import Delivery

logger = logging.getLogger(__name__)


class AlertCards:
    """The kind of message a channel is owed of each cycle."""

    def __init__(self, book: CycleRepository, app_url: Callable[[str], str]) -> None:
        self._book = book
        self._app_url = app_url

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        known = await self._book.get(delivery.post.subject_id)
        return alert_card.alert_card(known, self._app_url(known.org)) if known else None

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Nobody asked for it by name, so nobody is told; it is counted, and other channels get theirs."""
        logger.error("%s: the channel %s does not take alerts (%s)", delivery.post.key, delivery.post.channel, code)


class Nudges:
    """The kind of message that stands under Datadog's own."""

    def __init__(self, messages: AlertMessages, seen_alerts: SeenAlerts) -> None:
        self._messages = messages
        self._seen_alerts = seen_alerts

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  buttons twice are no harm
        nudge = await self._messages.get(delivery.post.subject_id)
        if nudge is None:
            return None
        place = nudge.place
        seen = await self._seen_alerts.of(place.workspace, place.channel, place.thread_ts)
        return None if seen.run else nudge_message(nudge.subject)  # findings in the thread need no button

    async def refused(self, delivery: Delivery, code: str) -> None:
        logger.warning("%s: the channel does not take replies (%s)", delivery.post.key, code)


class MuteTeller:
    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def mute_failed(self, place: Place, person: str, failure: Trouble, *, unmute: bool) -> None:
        await self._replies.tell(place, person, alert_card.mute_refused(failure, unmute=unmute))

    async def mute_unclear(self, place: Place, person: str) -> None:
        await self._replies.tell(place, person, alert_card.mute_unclear())
