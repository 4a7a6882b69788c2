"""Buttons on our alert cards that are about the alert itself: mute it, unmute it, see its tags."""

import re
from dataclasses import dataclass

from bot.alerts import views as alert_card
from bot.alerts.mutes import Click, Mutes, Work
from bot.alerts.repository import CycleRepository
from bot.rules.permissions import Permissions
from bot.rules.policy import NotAllowed
from bot.rules.views import no_start
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners
from bot.slack.modals import Modals


@dataclass(frozen=True, slots=True)
class AlertButtons:
    cycles: CycleRepository
    mutes: Mutes
    permissions: Permissions
    modals: Modals

    def register(self, on: Listeners) -> None:
        on.action(re.compile(rf"^({alert_card.MUTE}|{alert_card.UNMUTE})$"), self.mute)
        on.action(alert_card.TAGS, self.show_tags)

    async def mute(self, click: Interaction) -> After:
        work = Work.MUTE if click.action_id == alert_card.MUTE else Work.UNMUTE
        known = await self.cycles.get(click.number)
        if known is None:
            return alert_card.gone()
        _, verdict = await self.permissions.may_start(click.place, click.person)
        if isinstance(verdict, NotAllowed):
            return no_start.refused(verdict, doing=f"{work} alerts from here")
        await self.mutes.ask(work, known, Click(click.key, click.place, click.person, click.person_name))
        return None

    async def show_tags(self, click: Interaction) -> After:
        known = await self.cycles.get(click.number)
        return self.modals.open(click, alert_card.tags_modal(known)) if known else alert_card.gone()
