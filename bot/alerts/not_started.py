"""What would have started by itself, had its budget not been used up: shown with the alert until somebody starts it."""

import re
from dataclasses import asdict, dataclass, replace
from functools import cache

from sqlalchemy import String, bindparam, cast, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.alerts.tables import ALERT_CARD, NUDGE, alert_messages, alert_starts
from bot.investigations.tables import offer_key
from bot.model import AlertRef, Ask, ExistingRun, Place
from bot.rules.budget import OverBudget
from bot.storage.engine import Database
from bot.storage.outbox import NewPost, enqueue, is_owed, opens_thread, show_anew
from bot.storage.tables import A_PLACE, deliveries, of_place
from bot.wording import INVESTIGATE

NOT_STARTED = "not-started"
STARTED_SINCE = "the budget was used up; somebody started it by hand"

_USED_UP = re.compile(r"the (\w+) budget is used up \((\d+) of (\d+)\)")


def used_up(over: OverBudget) -> str:
    """As it stands in the row, and in the log."""
    return f"the {over.scope} budget is used up ({over.used} of {over.limit})"


def nudge_post(row_id: int, place: Place) -> NewPost:
    """The reply under a message of Datadog's own."""
    return NewPost(
        **asdict(place),
        key=offer_key(place),
        kind=NUDGE,
        thread_key=f"{NUDGE}:{row_id}",
        subject_id=row_id,
    )


def start_key(place: Place, where: object, event_id: str) -> str:
    """`where`: the thread, or the number of the cycle whose card opens it."""
    return f"{place.workspace}:{place.channel}:{where}:{event_id}"


@dataclass(frozen=True, slots=True)
class NotStarted:
    database: Database

    async def note(self, place: Place, where: object, alert: object) -> str:
        """For the card of a cycle, or the buttons in a thread; empty where there is nothing to say."""
        if not isinstance(alert, AlertRef):
            return ""
        query = select(alert_starts.c.decision).where(alert_starts.c.key == start_key(place, where, alert.event_id))
        row = await self.database.first(query)
        found = _USED_UP.fullmatch(row.decision) if row else None
        return _words(*found.groups()) if found else ""

    async def decided(self, connection: AsyncConnection, decision: str, place: Place, cycle_id: int | None) -> None:
        """In the transaction that decides: what shows the alert has more to say."""
        if _USED_UP.fullmatch(decision):
            await self._show(connection, place, cycle_id)

    async def begun(self, connection: AsyncConnection, ask: Ask) -> None:
        """In the transaction that starts it for a person."""
        alert = ask.subject.alert if isinstance(ask.subject, ExistingRun) else ask.subject
        if not isinstance(alert, AlertRef) or not (ask.requester and ask.place.thread_ts):
            return
        row = (await connection.execute(_started(), _keys_of(ask.place, alert))).first()
        if row is not None:
            await self._show(connection, ask.place, row.cycle_id)

    async def _show(self, connection: AsyncConnection, place: Place, cycle_id: int | None) -> None:
        if cycle_id is not None:
            await show_anew(connection, ALERT_CARD, cycle_id)
            return
        table = alert_messages.c
        here = (table.workspace == place.workspace, table.channel == place.channel, table.ts == place.thread_ts)
        message = (await connection.execute(select(table.id).where(*here))).scalar()
        if message is None:
            return
        await show_anew(connection, NUDGE, message)
        if not await is_owed(connection, nudge_post(message, place).key):
            # a channel without buttons under Datadog's messages: it is said once all the same
            note = nudge_post(message, place)
            await enqueue(self.database, connection, replace(note, key=f"{NOT_STARTED}:{note.key}"))


@cache
def _started() -> ReturningUpdate[int | None]:
    """Of a thread, and of the card that opens it."""
    table = alert_starts.c
    cycle = select(cast(deliveries.c.subject_id, String)).where(opens_thread(ALERT_CARD, A_PLACE)).limit(1)
    under_card = bindparam("before_cycle", type_=String) + cycle.scalar_subquery() + bindparam("after", type_=String)
    its_own = or_(table.key == bindparam("of_key"), table.key == under_card)
    held_back = update(alert_starts).where(its_own, table.decision.like("the % budget is used up (%"))
    return held_back.values(decision=STARTED_SINCE).returning(table.cycle_id)


def _keys_of(place: Place, alert: AlertRef) -> dict[str, str]:
    before, _, after = start_key(place, "\0", alert.event_id).partition("\0")
    own = start_key(place, place.thread_ts, alert.event_id)
    return {"of_key": own, "before_cycle": before, "after": after, **of_place(place)}


def _words(scope: str, used: str, limit: str) -> str:
    if scope == "automatic":
        said = f"the share of automatic starts is used up for the day ({used} of {limit}). Press {INVESTIGATE} to start it."
    else:
        said = f"this {scope}'s budget is used up for the day ({used} of {limit}). Whoever may go over it presses {INVESTIGATE}."
    return f"Not started automatically: {said}"
