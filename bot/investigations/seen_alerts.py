"""What a message or thread is about: as it was when we first saw it, as it is now, or as it is in hand.

Datadog edits its alerts, so the message of an alert may show its recovery later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, true, update

from bot.investigations.message_alerts import find_alert, find_run_link
from bot.investigations.tables import seen_alerts
from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, Place
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS
from bot.slack.interactions import Payload
from bot.slack.listeners import Listeners
from bot.storage.engine import Database

MESSAGES_READ = 100

Found = AlertRef | MonitorRef | EventRef | ExistingRun


@dataclass(frozen=True, slots=True)
class SeenAlert:
    alert: AlertRef | None = None
    run: str = ""  # Datadog's id of an investigation that was linked in the thread


class SeenAlerts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def saw_alert(self, workspace: str, channel: str, ts: str, alert: AlertRef) -> None:
        """The first alert of a message counts; what it is edited to later does not."""
        await self._note(workspace, channel, ts, {"alert": alert}, where=seen_alerts.c.alert.is_(None))

    async def saw_run(self, workspace: str, channel: str, thread_ts: str, run: str) -> None:
        """The latest investigation linked in a thread counts."""
        await self._note(workspace, channel, thread_ts, {"run": run}, where=true())

    async def _note(self, workspace: str, channel: str, ts: str, values: dict[str, Any], *, where: Any) -> None:
        table = seen_alerts.c
        here = (table.workspace == workspace, table.channel == channel, table.ts == ts)
        async with self._database.transaction() as connection:
            inserted = await connection.execute(
                self._database.insert_new(seen_alerts)
                .values(workspace=workspace, channel=channel, ts=ts, seen_at=self._database.now, **values)
                .returning(table.ts)
            )
            if inserted.first() is None:
                await connection.execute(update(seen_alerts).where(*here, where).values(**values))

    async def of(self, workspace: str, channel: str, ts: str) -> SeenAlert:
        table = seen_alerts.c
        query = select(table.alert, table.run).where(
            table.workspace == workspace, table.channel == channel, table.ts == ts
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return SeenAlert()
        return SeenAlert(row.alert, row.run or "")


@dataclass(frozen=True, slots=True)
class MessagesOfApps:
    """Notes an alert and an investigation when they are first shown, before Slack is told that we heard of it."""

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
        if run := find_run_link([message]):
            thread_ts = str(message.get("thread_ts") or ts)
            await self.seen_alerts.saw_run(workspace, channel, thread_ts, run.investigation_id)


class ThreadReader:
    def __init__(self, workspaces: Workspaces, seen_alerts: SeenAlerts) -> None:
        self._workspaces = workspaces
        self._seen_alerts = seen_alerts

    async def subject_of_message(self, place: Place, message: Mapping[str, Any]) -> Found | None:
        """From what is in hand and in our books; no call is made, somebody waits."""
        ts = str(message.get("ts") or "")
        seen = await self._seen_alerts.of(place.workspace, place.channel, ts)
        if place.thread_ts != ts and seen == SeenAlert():
            seen = await self._seen_alerts.of(place.workspace, place.channel, place.thread_ts)
        return _chosen(seen, [message])

    async def subject_of(self, place: Place) -> Found | None:
        """The same for a thread that is only named; it is read where that is allowed."""
        seen = await self._seen_alerts.of(place.workspace, place.channel, place.thread_ts)
        if seen != SeenAlert():
            return _chosen(seen, [])
        return _chosen(seen, await self._messages(place))

    async def _messages(self, place: Place) -> list[dict[str, Any]]:
        bot_client = await self._workspaces.bot_client(place.workspace)
        if bot_client is None:
            return []
        try:
            answer = await bot_client.client.conversations_replies(
                channel=place.channel, ts=place.thread_ts, limit=MESSAGES_READ
            )
        except CALL_ERRORS:
            return []
        return list(answer.get("messages") or [])


def _chosen(seen: SeenAlert, messages: list[Any]) -> Found | None:
    found = next((alert for message in messages if (alert := find_alert(message))), None)
    subject: AlertRef | MonitorRef | EventRef | None = seen.alert or (found.subject if found else None)
    link = find_run_link(messages)
    run = link.investigation_id if link else seen.run
    if run:
        return ExistingRun(run, subject if isinstance(subject, AlertRef) else None, link.host if link else "")
    if found and found.recovered and seen.alert is None and isinstance(subject, AlertRef):
        # the message shows the recovery by now: the alert before it is meant, and has to be found
        return MonitorRef(subject.monitor_id, subject.monitor_name, subject.group, subject.host)
    return subject
