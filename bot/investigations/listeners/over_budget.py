"""The button that starts over budget, under the refusal of the one who may."""

from dataclasses import dataclass

from bot.investigations.requests import Requests
from bot.rules.permissions import Permissions
from bot.rules.policy import NotAllowed
from bot.rules.views import no_start
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Instead, Listeners
from bot.slack.message import Message


@dataclass(frozen=True, slots=True)
class OverBudgetButton:
    requests: Requests
    permissions: Permissions

    def register(self, on: Listeners) -> None:
        on.action(no_start.START_ANYWAY, self.start)

    async def start(self, click: Interaction) -> After:
        """The answer for the one who pressed; the card, if one comes, is the channel's."""
        return Instead(await self._started(click))

    async def _started(self, click: Interaction) -> Message:
        held = await self.requests.held(click.number, click.workspace, click.person)
        if held is None:
            return no_start.offer_gone()
        # judged where it starts, not where it was pressed
        exceeds = await self.permissions.may_exceed(held.place, click.person)
        if isinstance(exceeds, NotAllowed):
            return no_start.refused(exceeds, doing="start over budget")
        outcome = await self.requests.start_anyway(held, click.number, rule=f"over budget, {exceeds.rule}")
        return no_start.started_anyway() if outcome is not None else no_start.offer_gone()
