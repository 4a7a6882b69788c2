"""Messages of apps: what one shows is noted before Slack is told that we heard, for Slack does not send it again."""

from dataclasses import dataclass

from bot.investigations.message_alerts import find_alert, find_investigation
from bot.investigations.seen_alerts import SeenAlerts
from bot.model import AlertRef
from bot.slack.interactions import Payload
from bot.slack.listeners import Listeners


@dataclass(frozen=True, slots=True)
class MessagesOfApps:
    """Notes an alert and an investigation when they are first shown; the message may be edited to something else."""

    seen_alerts: SeenAlerts

    def register(self, on: Listeners) -> None:
        on.event("message", self.saw)

    async def saw(self, body: Payload) -> None:
        event = body["event"]
        message = event.get("message") or event
        if not message.get("bot_id"):
            return
        workspace = str(body.get("team_id") or event.get("team") or "")
        channel, ts = str(event.get("channel") or ""), str(message.get("ts") or "")
        found = find_alert(message)
        if found and isinstance(found.subject, AlertRef) and not found.recovered and not found.test:
            await self.seen_alerts.saw_alert(workspace, channel, ts, found.subject)
        if run := find_investigation([message]):
            await self.seen_alerts.saw_run(workspace, channel, str(message.get("thread_ts") or ts), run)
