"""Cases that people want made: from the opened form to the made case. One request is one case, however often it is sent.

What Slack was told that we have is in the database before. Nothing here calls Datadog or Slack.
"""

import secrets
from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, and_, desc, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases.model import CaseContent, CaseRequest, CaseRequestState, CaseSource
from bot.cases.repository import CaseRepository
from bot.cases.tables import case_orders
from bot.datadog.cases import Case
from bot.datadog.trouble import Trouble
from bot.model import Place
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence
from bot.storage.tables import at, newly_due, place_of, record

ACK_LANDS = 0.25  # seconds: the answer to a submit must be on the screen before anything is shown after it
BY_RULE = "what a rule wanted of a case"  # what `wake` is called with when it has come to its end
_REF_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that are read wrong on the phone at night


ACTIVE = (CaseRequestState.ORDERED, CaseRequestState.CREATING, CaseRequestState.CREATED)
FINAL = (CaseRequestState.DONE, CaseRequestState.REFUSED, CaseRequestState.UNCERTAIN)


def new_ref() -> str:
    return "".join(secrets.choice(_REF_LETTERS) for _ in range(8))


class CaseRequests:
    def __init__(self, database: Database, cases: CaseRepository) -> None:
        self.database = database
        self._cases = cases

    # -- the person's side --------------------------------------------------------------------------------------

    async def draft(self, org: str, place: Place, person: str, source: CaseSource, *, key: str = "") -> CaseRequest:
        """A form is being opened: all it has to carry with it is the key of this. A rule's own key makes no second one."""
        values = {
            "key": key or secrets.token_urlsafe(24),
            "ref": new_ref(),
            "org": org,
            **asdict(place),
            "requester": person,
            "source": source,
            "state": CaseRequestState.DRAFT,
            "told": True,
            "comment": "owed",
            "notes": (),
            **newly_due(self.database.now),
        }
        new = self.database.insert_new(case_orders).values(values).returning(*case_orders.c)
        async with self.database.transaction() as connection:
            row = (await connection.execute(new)).first()
            if row is None:
                row = (await connection.execute(select(case_orders).where(case_orders.c.key == key))).one()
        return read_request(row)

    async def by_number(self, number: int) -> CaseRequest | None:
        """For who holds a row of ours that names it."""
        row = await self.database.first(select(case_orders).where(case_orders.c.id == number))
        return read_request(row) if row else None

    async def get(self, key: str, workspace: str, person: str) -> CaseRequest | None:
        """Somebody's own request; another's key opens nothing."""
        table = case_orders.c
        own = and_(table.key == key, table.workspace == workspace, table.requester == person)
        row = await self.database.first(select(case_orders).where(own))
        return read_request(row) if row else None

    async def now(self, request: CaseRequest) -> CaseRequest | None:
        """The same as it stands in the database now."""
        same = and_(case_orders.c.id == request.id, case_orders.c.workspace == request.place.workspace)
        row = await self.database.first(select(case_orders).where(same))
        return read_request(row) if row else None

    async def remember_draft(self, request: CaseRequest, **values: Any) -> None:
        """A draft keeps its organisation, its source or its content; once submitted it holds still."""
        drafted = and_(case_orders.c.id == request.id, case_orders.c.state == CaseRequestState.DRAFT)
        await self.database.write(update(case_orders).where(drafted).values(**values))

    async def submit(self, request: CaseRequest, content: CaseContent, view_id: str) -> bool:
        """False when it was submitted already: the first time counts."""
        values = {"wanted": content, "view_id": view_id}
        return await self._restart(request, (CaseRequestState.DRAFT,), CaseRequestState.ORDERED, **values)

    async def submit_again(self, request: CaseRequest, view_id: str) -> bool:
        """After a refusal or an unknown outcome; what was only half done is finished. False when it is under way."""
        values = {"view_id": view_id} if view_id else {}
        if request.state is CaseRequestState.DONE:
            return await self._restart(request, (CaseRequestState.DONE,), CaseRequestState.CREATED, notes=(), **values)
        refused = (CaseRequestState.REFUSED, CaseRequestState.UNCERTAIN)
        return await self._restart(request, refused, CaseRequestState.ORDERED, problem=None, notes=(), **values)

    async def edit_again(self, request: CaseRequest) -> bool:
        """A refused request is a draft again, to be changed."""
        return await self._restart(
            request, (CaseRequestState.REFUSED,), CaseRequestState.DRAFT, told=True, problem=None
        )

    async def _restart(
        self, request: CaseRequest, before: tuple[CaseRequestState, ...], state: CaseRequestState, **values: Any
    ) -> bool:
        async with self.database.transaction() as connection:
            return await self._restart_in(connection, request, before, state, **values)

    async def submit_in(self, connection: AsyncConnection, request: CaseRequest) -> bool:
        """A rule's, in the transaction that decides for it."""
        return await self._restart_in(connection, request, (CaseRequestState.DRAFT,), CaseRequestState.ORDERED)

    async def _restart_in(
        self,
        connection: AsyncConnection,
        request: CaseRequest,
        before: tuple[CaseRequestState, ...],
        state: CaseRequestState,
        **values: Any,
    ) -> bool:
        fresh = {"told": False, "owner": None, "retry_at": None, **newly_due(self.database.now, ACK_LANDS)}
        changed = await connection.execute(
            update(case_orders)
            .where(case_orders.c.id == request.id, case_orders.c.state.in_(before))
            .values(**{**fresh, **values, "state": state})
        )
        wake(connection, case_orders, after=ACK_LANDS)
        return bool(changed.rowcount)

    async def under_way(self, request: CaseRequest) -> CaseRequest | None:
        """Another case being made for the same thread at this moment."""
        table, place = case_orders.c, request.place
        if not place.thread_ts:
            return None
        query = select(case_orders).where(
            at(case_orders, place),
            table.state.in_([CaseRequestState.ORDERED, CaseRequestState.CREATING]),
            table.id != request.id,
        )
        row = await self.database.first(query.order_by(desc(table.id)).limit(1))
        return read_request(row) if row else None

    async def last_choice(self, request: CaseRequest) -> CaseContent | None:
        """What was chosen last in this channel, else by this person."""
        table = case_orders.c
        chosen = select(table.wanted).where(
            table.org == request.org,
            table.workspace == request.place.workspace,
            table.state == CaseRequestState.DONE,
        )
        latest = chosen.order_by(desc(table.id)).limit(1)
        by_person = () if request.by_rule else (table.requester == request.requester,)
        for whose in (table.channel == request.place.channel, *by_person):
            if row := await self.database.first(latest.where(whose)):
                return cast("CaseContent", row.wanted)
        return None

    # -- the worker's side --------------------------------------------------------------------------------------

    async def made(self, fence: Fence, request: CaseRequest, made: Case) -> bool:
        """The case is there: its thread remembers it and is owed its card, all in one."""
        async with self.database.transaction() as connection:
            held = select(case_orders.c.id).where(fence.holds(case_orders)).with_for_update()
            if (await connection.execute(held)).first() is None:
                return False
            row = await self._cases.note(connection, request.org, made)
            await self._cases.did(connection, row.id, request.place, request.requester, "opened this case")
            await self._cases.belongs(connection, row.id, request.place, request.requester, card=True)
            values = {"case_row": row.id, "due_at": self.database.now, "owner": None, "attempt": 0}
            await fence.write(connection, case_orders, state=CaseRequestState.CREATED, **values)
            wake(connection, case_orders)
        return True

    async def told(self, fence: Fence, request: CaseRequest) -> None:
        async with self.database.transaction() as connection:
            await fence.write(connection, case_orders, told=True, owner=None)
            if request.by_rule:
                wake(connection, BY_RULE)

    async def refuse(self, fence: Fence, problem: Trouble, **values: Any) -> bool:
        refused = {"state": CaseRequestState.REFUSED, "problem": problem, "retry_at": None}
        async with self.database.transaction() as connection:
            return await fence.write(connection, case_orders, **values, **refused)

    @staticmethod
    def due() -> ColumnElement[bool]:
        untold = and_(case_orders.c.state.in_(FINAL), ~case_orders.c.told)
        return or_(case_orders.c.state.in_(ACTIVE), untold)


def read_request(row: Row[Any]) -> CaseRequest:
    told = {"place": place_of(row), "content": row.wanted, "view_id": row.view_id or ""}
    return record(CaseRequest, row, state=CaseRequestState(row.state), **told)
