"""Our alert cards in Slack: how one is posted, and its buttons that are about the alert itself."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.alerts import views
from bot.alerts.mutes import Mutes, MuteWork
from bot.alerts.repository import CycleRepository
from bot.rules.permissions import Permissions
from bot.rules.policy import NotAllowed
from bot.rules.views import no_start
from bot.slack.blocks import Message
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners
from bot.slack.replies import Modals
from bot.storage.outbox import Delivery

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AlertCardPost:
    """The kind of message a channel is owed of each cycle."""

    cycles: CycleRepository
    app_url: Callable[[str], str]

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        known = await self.cycles.get(delivery.post.subject_id)
        return views.alert_card(known, self.app_url(known.org)) if known else None

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Nobody asked for it by name, so nobody is told; it is counted, and other channels get theirs."""
        logger.error("%s: the channel %s does not take alerts (%s)", delivery.post.key, delivery.post.channel, code)


@dataclass(frozen=True, slots=True)
class AlertButtons:
    """Mute it, unmute it, see its tags."""

    cycles: CycleRepository
    mutes: Mutes
    permissions: Permissions
    modals: Modals

    def register(self, on: Listeners) -> None:
        on.action(re.compile(rf"^({views.MUTE}|{views.UNMUTE})$"), self.mute)
        on.action(views.TAGS, self.show_tags)

    async def mute(self, click: Interaction) -> After:
        work = MuteWork.MUTE if click.action_id == views.MUTE else MuteWork.UNMUTE
        known = await self.cycles.get(click.number)
        if known is None:
            return views.gone()
        _, verdict = await self.permissions.may_start(click.place, click.person)
        if isinstance(verdict, NotAllowed):
            return no_start.refused(verdict, doing=f"{work} alerts from here")
        await self.mutes.ask(work, known, click)
        return None

    async def show_tags(self, click: Interaction) -> After:
        known = await self.cycles.get(click.number)
        return self.modals.open(click, views.tags_modal(known)) if known else views.gone()
