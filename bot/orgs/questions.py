"""Wishes that wait until somebody has said which Datadog organisation she means; kept in the database, used once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from bot.model import Place
from bot.orgs.tables import QUESTION_LIVES, org_questions
from bot.storage.engine import Database

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    place: Place
    wish: Record


class OrgQuestions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, key: str, place: Place, person: str, wish: Record) -> int:
        """Its number. The same gesture again gets the same one."""
        table = org_questions.c
        values = {
            "key": key,
            "workspace": place.workspace,
            "channel": place.channel,
            "thread_ts": place.thread_ts,
            "person": person,
            "wish": wish,
            "asked_at": self._database.now,
        }
        async with self._database.transaction() as connection:
            await connection.execute(self._database.insert_new(org_questions).values(**values))
            return int((await connection.execute(select(table.id).where(table.key == key))).scalar_one())

    async def take(self, number: int, workspace: str, person: str) -> Question | None:
        """Hers only, and once: two clicks start one thing."""
        table = org_questions.c
        hers = (table.id == number, table.workspace == workspace, table.person == person)
        fresh = table.asked_at > self._database.now - QUESTION_LIVES
        async with self._database.transaction() as connection:
            row = (
                await connection.execute(delete(org_questions).where(*hers, fresh).returning(*org_questions.c))
            ).first()
        return Question(Place(row.workspace, row.channel, row.thread_ts), dict(row.wish)) if row else None
