"""What stood in a message when it was first seen. Datadog edits its alerts: later the same message may show a recovery."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, true, update

from bot.investigations.tables import seen_alerts
from bot.model import AlertRef
from bot.storage.engine import Database


@dataclass(frozen=True, slots=True)
class SeenAlert:
    alert: AlertRef | None = None
    run: str = ""  # Datadog's id of an investigation that was linked in the thread


class SeenAlerts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def saw_alert(self, workspace: str, channel: str, ts: str, alert: AlertRef) -> None:
        """The first alert of a message counts; what it is edited to later does not."""
        await self._note(workspace, channel, ts, {"alert": asdict(alert)}, where=seen_alerts.c.alert.is_(None))

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
        return SeenAlert(AlertRef(**row.alert) if row.alert else None, row.run or "")
