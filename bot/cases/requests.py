"""Cases that people want made: from the opened form to the made case. One order is one case, however often it is sent.

What Slack was told that we have is in the database before. Nothing here calls Datadog or Slack.
"""

import secrets
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, desc, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases.repository import CaseRepository
from bot.cases.tables import case_orders
from bot.cases.trouble import Trouble, read_trouble, trouble_record
from bot.datadog.case_model import Case, Insight
from bot.model import AlertRef, EventRef, MonitorRef, Place, read_subject, subject_record
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence

ACK_LANDS = 0.25  # seconds: the answer to a submit must be on the screen before anything is shown after it
_REF_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that are read wrong on the phone at night


class CaseRequestState(StrEnum):
    DRAFT = "draft"  # the form is open, nothing is ordered
    ORDERED = "ordered"
    CREATING = "creating"  # sent to Datadog; what came of it is to be seen
    CREATED = "created"  # the case is there; insights and comment follow
    DONE = "done"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


ACTIVE = (CaseRequestState.ORDERED, CaseRequestState.CREATING, CaseRequestState.CREATED)
_FINAL = (CaseRequestState.DONE, CaseRequestState.REFUSED, CaseRequestState.UNCERTAIN)

Alert = AlertRef | MonitorRef | EventRef


@dataclass(frozen=True, slots=True)
class Source:
    """What a case is opened from."""

    investigation: int = 0  # of our ledger
    alert: Alert | None = None
    title: str = ""  # typed, or a message's first line
    words: str = ""  # of the message
    permalink: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form as submitted, and what goes with the case once it is there."""

    title: str
    description: str
    project_id: str
    project_key: str
    type_id: str
    status_name: str = ""
    priority: str = ""
    assignee: str = ""  # a Slack user
    insights: tuple[Insight, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class CaseRequest:
    id: int
    key: str
    ref: str
    org: str
    place: Place
    requester: str
    source: Source
    state: CaseRequestState
    wanted: Wanted | None = None
    view_id: str = ""
    assignee_id: str = ""
    case_row: int | None = None
    comment: str = "owed"  # owed | sending | done
    notes: tuple[tuple[str, Trouble], ...] = ()  # what did not work beside the case itself
    problem: Trouble | None = None
    retry_at: float | None = None
    begun_at: float | None = None
    created_at: float = 0.0
    attempt: int = 0
    told: bool = False


class CaseRequests:
    def __init__(self, database: Database, book: CaseRepository) -> None:
        self.database = database
        self._book = book

    # -- the person's side --------------------------------------------------------------------------------------

    async def draft(self, org: str, place: Place, person: str, source: Source) -> CaseRequest:
        """A form is being opened: all it has to carry with it is the key of this."""
        now = self.database.now
        values = {
            "key": secrets.token_urlsafe(24),
            "ref": "".join(secrets.choice(_REF_LETTERS) for _ in range(8)),
            "org": org,
            "workspace": place.workspace,
            "channel": place.channel,
            "thread_ts": place.thread_ts,
            "requester": person,
            "source": _source_record(source),
            "state": CaseRequestState.DRAFT,
            "told": True,
            "comment": "owed",
            "notes": [],
            "created_at": now,
            "due_at": now,
            "attempt": 0,
        }
        async with self.database.transaction() as connection:
            row = (await connection.execute(case_orders.insert().values(values).returning(*case_orders.c))).one()
        return read_order(row)

    async def get(self, key: str, workspace: str, person: str) -> CaseRequest | None:
        """Somebody's own order; another's key opens nothing."""
        async with self.database.transaction() as connection:
            row = (await connection.execute(select(case_orders).where(_own(key, workspace, person)))).first()
        return read_order(row) if row else None

    async def by_id(self, order_id: int) -> CaseRequest | None:
        async with self.database.transaction() as connection:
            row = (await connection.execute(select(case_orders).where(case_orders.c.id == order_id))).first()
        return read_order(row) if row else None

    async def remember_form(self, order: CaseRequest, **values: Any) -> None:
        """The draft keeps its source or its form; once ordered it holds still."""
        if isinstance(values.get("source"), Source):
            values["source"] = _source_record(values["source"])
        if isinstance(values.get("wanted"), Wanted):
            values["wanted"] = asdict(values["wanted"])
        drafted = and_(case_orders.c.id == order.id, case_orders.c.state == CaseRequestState.DRAFT)
        async with self.database.transaction() as connection:
            await connection.execute(update(case_orders).where(drafted).values(**values))

    async def place_order(self, order: CaseRequest, wanted: Wanted, view_id: str) -> bool:
        """Order it. False when it was ordered already: the first submit counts."""
        values = {"wanted": asdict(wanted), "view_id": view_id}
        return await self._restart(order, (CaseRequestState.DRAFT,), CaseRequestState.ORDERED, **values)

    async def order_again(self, order: CaseRequest, view_id: str) -> bool:
        """After a refusal or an unknown outcome; what was only half done is finished. False when it is under way."""
        values = {"view_id": view_id} if view_id else {}
        if order.state is CaseRequestState.DONE:
            return await self._restart(order, (CaseRequestState.DONE,), CaseRequestState.CREATED, notes=[], **values)
        refused = (CaseRequestState.REFUSED, CaseRequestState.UNCERTAIN)
        return await self._restart(order, refused, CaseRequestState.ORDERED, problem=None, notes=[], **values)

    async def edit_again(self, order: CaseRequest) -> bool:
        """A refused order is a draft again, to be changed."""
        return await self._restart(order, (CaseRequestState.REFUSED,), CaseRequestState.DRAFT, told=True, problem=None)

    async def _restart(
        self, order: CaseRequest, before: tuple[CaseRequestState, ...], state: CaseRequestState, **values: Any
    ) -> bool:
        now = self.database.now
        fresh = {"told": False, "created_at": now, "attempt": 0, "owner": None, "retry_at": None}
        fresh["due_at"] = now + ACK_LANDS
        async with self.database.transaction() as connection:
            changed = await connection.execute(
                update(case_orders)
                .where(case_orders.c.id == order.id, case_orders.c.state.in_(before))
                .values(**{**fresh, **values, "state": state})
            )
            wake(connection, case_orders, after=ACK_LANDS)
        return bool(changed.rowcount)

    async def under_way(self, order: CaseRequest) -> CaseRequest | None:
        """Another case being made for the same thread at this moment."""
        table, place = case_orders.c, order.place
        if not place.thread_ts:
            return None
        query = select(case_orders).where(
            table.workspace == place.workspace,
            table.channel == place.channel,
            table.thread_ts == place.thread_ts,
            table.state.in_([CaseRequestState.ORDERED, CaseRequestState.CREATING]),
            table.id != order.id,
        )
        async with self.database.transaction() as connection:
            row = (await connection.execute(query.order_by(desc(table.id)).limit(1))).first()
        return read_order(row) if row else None

    async def last_choice(self, order: CaseRequest) -> Wanted | None:
        """What was chosen last in this channel, else by this person."""
        table = case_orders.c
        chosen = select(table.wanted, table.channel).where(
            table.org == order.org,
            table.workspace == order.place.workspace,
            table.state == CaseRequestState.DONE,
            or_(table.channel == order.place.channel, table.requester == order.requester),
        )
        here_first = case((table.channel == order.place.channel, 0), else_=1)
        async with self.database.transaction() as connection:
            row = (await connection.execute(chosen.order_by(here_first, desc(table.id)).limit(1))).first()
        return _read_wanted(row.wanted) if row else None

    # -- the maker's side ---------------------------------------------------------------------------------------

    async def write(self, fence: Fence, **values: Any) -> bool:
        if "notes" in values:
            values["notes"] = _notes_record(values["notes"])
        async with self.database.transaction() as connection:
            return await fence.write(connection, case_orders, **values)

    async def made(self, fence: Fence, order: CaseRequest, made: Case) -> bool:
        """The case is there: its thread remembers it and is owed its card, all in one."""
        async with self.database.transaction() as connection:
            if not await self._holds(connection, fence):
                return False
            row = await self._book.note(connection, order.org, made)
            await self._book.did(connection, row.id, order.place, order.requester, "opened this case")
            await self._book.belongs(connection, row.id, order.place, order.requester, card=True)
            await connection.execute(
                update(case_orders)
                .where(fence.holds(case_orders))
                .values(
                    state=CaseRequestState.CREATED, case_row=row.id, due_at=self.database.now, owner=None, attempt=0
                )
            )
            wake(connection, case_orders)
        return True

    async def _holds(self, connection: AsyncConnection, fence: Fence) -> bool:
        query = select(case_orders.c.id).where(fence.holds(case_orders)).with_for_update()
        return (await connection.execute(query)).first() is not None

    async def later(self, fence: Fence, wait: float, **values: Any) -> bool:
        async with self.database.transaction() as connection:
            return await fence.put_off(self.database, connection, case_orders, wait, **values)

    async def refuse(self, fence: Fence, problem: Trouble, **values: Any) -> bool:
        refused = {"state": CaseRequestState.REFUSED, "problem": trouble_record(problem), "retry_at": None}
        return await self.write(fence, **{**values, **refused})

    @staticmethod
    def due() -> ColumnElement[bool]:
        untold = and_(case_orders.c.state.in_(_FINAL), ~case_orders.c.told)
        return or_(case_orders.c.state.in_(ACTIVE), untold)


def _own(key: str, workspace: str, person: str) -> ColumnElement[bool]:
    table = case_orders.c
    return and_(table.key == key, table.workspace == workspace, table.requester == person)


def _source_record(source: Source) -> dict[str, Any]:
    alert = subject_record(source.alert) if source.alert else None
    return {
        "investigation": source.investigation,
        "alert": alert,
        "title": source.title,
        "words": source.words,
        "permalink": source.permalink,
    }


def _read_source(record: dict[str, Any]) -> Source:
    alert = read_subject(record["alert"]) if record.get("alert") else None
    known = alert if isinstance(alert, (AlertRef, MonitorRef, EventRef)) else None
    return Source(record["investigation"], known, record["title"], record["words"], record["permalink"])


def _notes_record(notes: tuple[tuple[str, Trouble], ...]) -> list[list[Any]]:
    return [[what, trouble_record(trouble)] for what, trouble in notes]


def _read_notes(records: list[list[Any]]) -> tuple[tuple[str, Trouble], ...]:
    read = ((what, read_trouble(record)) for what, record in records)
    return tuple((what, trouble) for what, trouble in read if trouble)


def _read_wanted(record: dict[str, Any] | None) -> Wanted | None:
    if not record:
        return None
    return Wanted(**{**record, "insights": tuple(Insight(**each) for each in record["insights"])})


def read_order(row: Row[Any]) -> CaseRequest:
    return CaseRequest(
        id=row.id,
        key=row.key,
        ref=row.ref,
        org=row.org,
        place=Place(row.workspace, row.channel, row.thread_ts),
        requester=row.requester,
        source=_read_source(row.source),
        state=CaseRequestState(row.state),
        wanted=_read_wanted(row.wanted),
        view_id=row.view_id or "",
        assignee_id=row.assignee_id or "",
        case_row=row.case_row,
        comment=row.comment,
        notes=_read_notes(row.notes),
        problem=read_trouble(row.problem),
        retry_at=row.retry_at,
        begun_at=row.begun_at,
        created_at=row.created_at,
        attempt=row.attempt,
        told=row.told,
    )
