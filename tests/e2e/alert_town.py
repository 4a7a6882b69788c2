"""The town with Datadog's webhook connected, and channels that want its alerts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.rules.model import AlertFilter, ChannelRules
from bot.rules.repository import RuleRepository
from bot.sandbox.datadog import FakeAlert, FakeMonitor
from bot.sandbox.datadog.webhooks import Delivery
from bot.sandbox.slack import Channel, Message
from bot.web.datadog_webhook import HEADER, TEMPLATE
from tests.e2e.town import Town, _in_order

SECRET = "a-long-shared-secret-of-the-webhook"


@dataclass(frozen=True)
class Route:
    """What one channel wants; by default every alert."""

    channel: Channel | None = None
    rules: dict[str, Any] = field(default_factory=lambda: {"route": AlertFilter()})


class AlertTown(Town):
    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **({"bits_webhook_secret": SECRET} | settings))

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.bot.port}/datadog/webhook/default"

    async def decide(self, *routes: Route) -> None:
        """As somebody would in the settings window."""
        book = RuleRepository(self.bot._database)
        for route in routes:
            channel = route.channel or self.channel
            draft = await book.draft(self.slack.workspace.id, channel.id)
            wanted = ChannelRules(self.slack.workspace.id, channel.id, **route.rules)
            assert await book.save(type(draft)(wanted, draft.workspace, draft.channel_version), self.ana.id)

    async def fire(self, monitor: FakeMonitor | None = None, **how: Any) -> FakeAlert:
        """A monitor changes, and Datadog tells the webhook."""
        alert = self.datadog.fire(monitor or self.monitor, **how)
        delivery = await self.tell(alert)
        assert delivery.accepted, delivery
        return alert

    async def tell(self, alert: FakeAlert, **how: Any) -> Delivery:
        return await self.datadog.webhook(
            alert, self.webhook_url, headers={HEADER: SECRET}, template=how.pop("template", TEMPLATE), **how
        )

    def cards(self, channel: Channel | None = None) -> list[Message]:
        """What stands in the channel itself of ours."""
        return [message for message in (channel or self.channel).top_level if message.author.name == "Bits Bot"]

    async def card(self, *words: str, channel: Channel | None = None) -> Message:
        """The card that says all these words, in this order, once it stands."""

        def found() -> Message | None:
            return next((card for card in self.cards(channel) if _in_order(card.shown, words)), None)

        return await self.slack.wait_for(found)
