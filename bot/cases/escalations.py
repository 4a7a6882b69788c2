"""What cases are escalated to, written down: each once, however often it is asked for. Nothing here calls Datadog or Slack.

Every change people can see makes the case's cards due in the same transaction.
"""

import secrets
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select, update

from bot.cases.escalation_model import ACTIVE, Escalation, EscalationForm, EscalationKind, EscalationState
from bot.cases.repository import CaseRepository
from bot.cases.requests import ACK_LANDS, new_ref
from bot.cases.tables import case_escalations, cases
from bot.datadog.escalations import Created
from bot.datadog.trouble import Trouble
from bot.model import Place
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence
from bot.storage.tables import known, newly_due, place_of, record

MOST_SHOWN = 20  # of one case, the latest


class CaseEscalations:
    def __init__(self, database: Database, cases: CaseRepository) -> None:
        self.database = database
        self._cases = cases

    # -- the person's side --------------------------------------------------------------------------------------

    async def take(
        self, key: str, case_row: int, place: Place, person: str, kind: EscalationKind, form: EscalationForm
    ) -> Escalation | None:
        """Write it down, and none in its place. Else what stands in its way: a case has one of each kind, pages aside,
        of which a team gets one at a time."""
        table = case_escalations.c
        values = {
            "key": key or secrets.token_hex(12),
            "ref": new_ref(),
            "case_row": case_row,
            **asdict(place),
            "person": person,
            "kind": kind,
            "form": form,
            "state": EscalationState.ORDERED,
            **newly_due(self.database.now, ACK_LANDS),
        }
        async with self.database.transaction() as connection:
            # whoever comes at the same time waits here
            await connection.execute(select(cases.c.id).where(cases.c.id == case_row).with_for_update())
            of_kind = select(case_escalations).where(table.case_row == case_row, table.kind == kind)
            there = [
                read_escalation(row) for row in await connection.execute(of_kind.where(table.key != values["key"]))
            ]
            if in_its_way := next((each for each in there if _excludes(each, form)), None):
                return in_its_way
            await connection.execute(self.database.insert_new(case_escalations).values(values))
            await self._cases.show(connection, case_row)
            wake(connection, case_escalations, after=ACK_LANDS)
        return None

    async def again(self, escalation_id: int, workspace: str, person: str) -> Escalation | None:
        """What came to nothing once more, or what did not work beside it; None where there is nothing to do."""
        found = await self.get_in(workspace, escalation_id)
        if found is None:
            return None
        before = found.state in {EscalationState.REFUSED, EscalationState.UNCERTAIN}
        beside = found.state is EscalationState.DONE and found.problem is not None
        if before or beside:
            state = EscalationState.MADE if beside else EscalationState.ORDERED
            same = (case_escalations.c.id == found.id, case_escalations.c.state == found.state)
            values = {"state": state, "problem": None, "owner": None, "attempt": 0, "due_at": self.database.now}
            async with self.database.transaction() as connection:
                # what is only finished stays whose it is
                taken_over = {} if beside else {"person": person}
                await connection.execute(update(case_escalations).where(*same).values(**values, **taken_over))
                await self._cases.show(connection, found.case_row)
                wake(connection, case_escalations)
        return found

    async def get_in(self, workspace: str, escalation_id: int) -> Escalation | None:
        own = (case_escalations.c.id == escalation_id, case_escalations.c.workspace == workspace)
        row = await self.database.first(select(case_escalations).where(*own))
        return read_escalation(row) if row else None

    async def of_case(self, case_row: int, workspace: str) -> tuple[Escalation, ...]:
        """Oldest first: what came to nothing in this workspace is asked for here, and what is there is so for everybody."""
        table = case_escalations.c
        theirs = or_(table.workspace == workspace, table.state == EscalationState.DONE)
        of_this_version = (table.kind.in_(list(EscalationKind)), table.state.in_(list(EscalationState)))
        query = select(case_escalations).where(table.case_row == case_row, theirs, *of_this_version)
        rows = await self.database.all(query.order_by(table.id.desc()).limit(MOST_SHOWN))
        return tuple(read_escalation(row) for row in reversed(rows))

    # -- the worker's side --------------------------------------------------------------------------------------

    async def write(self, fence: Fence, escalation: Escalation, state: EscalationState, **values: Any) -> bool:
        async with self.database.transaction() as connection:
            if not await fence.write(connection, case_escalations, state=state, **values):
                return False
            await self._cases.show(connection, escalation.case_row)
        return True

    async def made(self, fence: Fence, escalation: Escalation, made: Created) -> bool:
        """It is there; what goes with it is done by the next claim."""
        async with self.database.transaction() as connection:
            values = {"made": made, "problem": None, "due_at": self.database.now, "owner": None, "attempt": 0}
            if not await fence.write(connection, case_escalations, state=EscalationState.MADE, **values):
                return False
            await self._cases.show(connection, escalation.case_row)
            wake(connection, case_escalations)
        return True

    async def end(
        self,
        fence: Fence,
        escalation: Escalation,
        state: EscalationState,
        problem: Trouble | None = None,
        **values: Any,
    ) -> bool:
        return await self.write(fence, escalation, state, problem=problem, owner=None, **values)

    @staticmethod
    def due() -> ColumnElement[bool]:
        return case_escalations.c.state.in_(ACTIVE)


def _excludes(there: Escalation, form: EscalationForm) -> bool:
    if there.kind is EscalationKind.PAGE:
        return there.state in ACTIVE and there.form.team == form.team
    return there.state is not EscalationState.REFUSED


def read_escalation(row: Row[Any]) -> Escalation:
    told = {"place": place_of(row), "kind": known(EscalationKind, row.kind), "state": known(EscalationState, row.state)}
    return record(Escalation, row, **told)
