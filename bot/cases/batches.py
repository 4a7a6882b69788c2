"""What was done to several cases in one gesture: how each stands, shown in its window, and told once it is closed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from bot.cases.batch_views import CaseOutcome, outcome_message, outcome_view
from bot.cases.model import CaseAction
from bot.cases.repository import read_action
from bot.cases.tables import case_acts, cases
from bot.slack.replies import Modals, Replies
from bot.storage.engine import Database


@dataclass(frozen=True, slots=True)
class CaseBatches:
    database: Database
    replies: Replies
    modals: Modals

    async def tell(self, action: CaseAction) -> None:
        """After one of them has come to its end."""
        if not action.batch:
            return
        outcomes = await self.outcomes(action)
        if action.view_id and await self.modals.update(action.place.workspace, action.view_id, outcome_view(outcomes)):
            return
        if any(each.is_open for each in outcomes) or not await self._first_to_tell(action):
            return
        await self.replies.tell(action.place, action.person, outcome_message(outcomes))

    async def outcomes(self, action: CaseAction) -> list[CaseOutcome]:
        table = case_acts.c
        mine = (table.batch == action.batch, table.workspace == action.place.workspace)
        query = select(case_acts, cases.c.key.label("name"), cases.c.shown).join(cases, cases.c.id == table.case_row)
        return [_outcome(row) for row in await self.database.all(query.where(*mine).order_by(table.id))]

    async def _first_to_tell(self, action: CaseAction) -> bool:
        """Two that end at the same moment tell it once."""
        table = case_acts.c
        mine = (table.batch == action.batch, table.workspace == action.place.workspace)
        async with self.database.transaction() as connection:
            return bool((await connection.execute(update(case_acts).where(*mine).values(batch=None))).rowcount)


def _outcome(row: Any) -> CaseOutcome:
    action = read_action(row)
    return CaseOutcome(action, row.name, row.shown.title, row.state, row.said, row.problem)
