"""What one person has asked for, and where each answer stands; from our own books only."""

from dataclasses import dataclass

from sqlalchemy import Select, String, and_, case, cast, literal, select

from bot.investigations.model import Investigation, State
from bot.investigations.repository import read_investigation
from bot.investigations.tables import CARD, investigations, subscribers
from bot.storage.engine import Database
from bot.storage.tables import deliveries

UNDER_WAY = (State.REQUESTED, State.TRIGGERING, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Asked:
    """One investigation somebody waits for or has waited for."""

    investigation: Investigation
    channel: str
    ts: str  # of its card, or of the thread while there is none


class AskedInvestigations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, workspace: str, person: str, *, limit: int) -> list[Asked]:
        """What runs first, then the latest."""
        hers = and_(subscribers.c.workspace == workspace, subscribers.c.requester == person)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(_asked().where(hers).limit(limit * 2))).all()
        asked: dict[int, Asked] = {}
        for row in rows:  # asked for in two threads, told once
            asked.setdefault(row.id, Asked(read_investigation(row), row.channel, row.card_ts or row.thread_ts))
        return list(asked.values())[:limit]


def _asked() -> Select[tuple[object, ...]]:
    card = and_(
        deliveries.c.kind == CARD,
        deliveries.c.subject_id == investigations.c.id,
        deliveries.c.lane == literal("thread:") + cast(subscribers.c.id, String),
    )
    running_first = case((investigations.c.state.in_(UNDER_WAY), 0), else_=1)
    return (
        select(investigations, subscribers.c.channel, subscribers.c.thread_ts, deliveries.c.ts.label("card_ts"))
        .join(subscribers, subscribers.c.investigation_id == investigations.c.id)
        .outerjoin(deliveries, card)
        .order_by(running_first, subscribers.c.id.desc())
    )
