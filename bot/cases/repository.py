"""What we know of cases, and which threads they belong to: a thread remembers its case, and its card stays current.

Nothing here calls Datadog or Slack. Every change people can see makes the cards due in the same transaction.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    desc,
    exists,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases import follows
from bot.cases.catalog import Catalog, status_names
from bot.cases.model import CaseAction, CaseActionKind, CaseFacts, DoneAction, KnownCase
from bot.cases.tables import CASE_CARD, case_acts, case_places, cases
from bot.datadog.cases import Case, Person
from bot.datadog.trouble import Trouble
from bot.investigations.tables import show_answers_anew
from bot.model import Place
from bot.storage.engine import Database
from bot.storage.outbox import NewPost, enqueue, opens_thread, show_anew, show_opener, shown_in, try_refused_again
from bot.storage.tables import A_PLACE, UnreadableRecord, at, deliveries, known, newly_due, of_place, place_of

ACTIONS_SHOWN = 4
TOUCHES = 100  # as far back as recent cases are looked for


class CaseRepository:
    def __init__(
        self, database: Database, catalog: Callable[[str], Catalog | None], *, look_within: float = 60.0
    ) -> None:
        """`catalog` tells the names of an organisation's types and projects, as far as they are known already; a case to
        which something happens is looked at in Datadog `look_within` so many seconds."""
        self.database = database
        self._look_within = look_within
        self._catalog = catalog
        self.openers: list[str] = []  # kinds of message that tell how the cases below them stand

    # -- writing ------------------------------------------------------------------------------------------------

    async def remember(
        self, org: str, case: Case, *, place: Place | None = None, person: str = "", card: bool = False
    ) -> KnownCase:
        """What Datadog has just told of a case. A place remembers it from now on, and with `card` gets its card."""
        async with self.database.transaction() as connection:
            row = await self.note(connection, org, case)
            if place is not None:
                await self.belongs(connection, row.id, place, person, card=card)
            return await self._known(connection, row)

    async def remember_listed(self, org: str, listed: Sequence[Case]) -> list[KnownCase]:
        """What a search has told, in its order; they belong to no thread by that."""
        async with self.database.transaction() as connection:
            return [_known(await self.note(connection, org, case), ()) for case in listed]

    async def belongs_to(self, case_row: int, place: Place, person: str) -> None:
        """Somebody works on it there; without a card."""
        async with self.database.transaction() as connection:
            await self.belongs(connection, case_row, place, person, card=False)

    async def gone(self, case_row: int) -> None:
        """Datadog has no such case any more; the cards say so."""
        async with self.database.transaction() as connection:
            await connection.execute(update(cases).where(cases.c.id == case_row).values(gone=True))
            await follows.end(connection, case_row)
            await self.show(connection, case_row)

    async def show_again(self, case_row: int) -> None:
        """The cards are drawn anew although nothing changed, so that a refused choice does not stay on the screen."""
        async with self.database.transaction() as connection:
            await self.show(connection, case_row)

    async def unseen(self, case_rows: Sequence[int], why: Trouble | None) -> None:
        """Their cards do not follow Datadog any more, or do again; each says so."""
        mine = update(cases).where(cases.c.id.in_(case_rows))
        news = cases.c.unseen.is_not(None) if why is None else cases.c.unseen.is_(None)
        async with self.database.transaction() as connection:
            changed = await connection.execute(mine.where(news).values(unseen=why).returning(cases.c.id))
            for case_row in changed.scalars().all():
                await self.show(connection, case_row)

    # -- within somebody's transaction --------------------------------------------------------------------------

    async def note(self, connection: AsyncConnection, org: str, case: Case) -> Row[Any]:
        """Insert the case or bring it up to date; an older answer never overwrites a newer one."""
        modified = case.modified_at or case.created_at
        modified_at = modified.timestamp() if modified else None
        values = {"key": case.key, "modified_at": modified_at, "gone": False, "seen_at": self.database.now}
        inserted = await connection.execute(
            self.database.insert_new(cases)
            .values(org=org, case_id=case.id, version=1, shown=_facts(case, self._catalog(org), None), **values)
            .returning(*cases.c)
        )
        if row := inserted.first():
            return row
        row = await self._row(connection, and_(cases.c.org == org, cases.c.case_id == case.id))
        if row.modified_at is not None and modified_at is not None and modified_at < row.modified_at:
            return row
        shown = _facts(case, self._catalog(org), row.shown)
        changed = shown != row.shown or row.gone or row.key != case.key
        await connection.execute(update(cases).where(cases.c.id == row.id).values(shown=shown, **values))
        if not changed:
            return await self._row(connection, cases.c.id == row.id)
        await self.show(connection, row.id)
        row = await self._row(connection, cases.c.id == row.id)
        await follows.changed(self.database, connection, row, self._look_within)
        return row

    async def belongs(
        self, connection: AsyncConnection, case_row: int, place: Place, person: str, *, card: bool
    ) -> None:
        where = {"case_row": case_row, **asdict(place)}
        values = {**where, "requester": person, "touched_at": self.database.now}
        await connection.execute(self.database.upsert(case_places, values, key=tuple(where)))
        await show_answers_anew(connection, place)  # they lead to it
        if card:
            await self._owe_card(connection, case_row, place, person)

    async def _owe_card(self, connection: AsyncConnection, case_row: int, place: Place, person: str) -> None:
        here = select(case_places.c.id).where(case_places.c.case_row == case_row, at(case_places, place))
        place_row = (await connection.execute(here)).scalar_one()
        case = await self._row(connection, cases.c.id == case_row)
        await follows.follow(self.database, connection, case, self._look_within)
        post = NewPost(
            key=f"{CASE_CARD}:{case.case_id}:{place_row}",
            kind=CASE_CARD,
            thread_key=f"case:{place_row}",
            subject_id=case_row,
            requester=person,
            **asdict(place),
        )
        if not await enqueue(self.database, connection, post):
            await try_refused_again(self.database, connection, case_row, (CASE_CARD,), place)
        for kind in self.openers:
            await show_opener(connection, kind, place)

    async def did(self, connection: AsyncConnection, case_row: int, place: Place, person: str, said: str) -> None:
        action, now = CaseAction(f"told:{secrets.token_hex(12)}", case_row, place, person), self.database.now
        done = {**written_down(action, "done", now), "said": said, "done_at": now}
        await connection.execute(case_acts.insert().values(done))
        await self.show(connection, case_row)

    async def show(self, connection: AsyncConnection, case_row: int) -> None:
        await connection.execute(update(cases).where(cases.c.id == case_row).values(version=cases.c.version + 1))
        await show_anew(connection, CASE_CARD, case_row, openers=self.openers)

    # -- reading ------------------------------------------------------------------------------------------------

    async def get(self, case_row: int) -> KnownCase | None:
        """For who holds a row of ours that names it; a number from Slack goes through `get_in`."""
        return await self._first(select(cases).where(cases.c.id == case_row))

    async def get_in(self, workspace: str, case_row: int) -> KnownCase | None:
        """A case that belongs to a thread of this workspace; one of another's is none of its business."""
        here = exists().where(case_places.c.case_row == cases.c.id, case_places.c.workspace == workspace)
        return await self._first(select(cases).where(cases.c.id == case_row, here))

    async def get_by_id(self, workspace: str, case_id: str) -> KnownCase | None:
        """The same by Datadog's id."""
        here = exists().where(case_places.c.case_row == cases.c.id, case_places.c.workspace == workspace)
        query = select(cases).where(cases.c.case_id == case_id, ~cases.c.gone, here).limit(1)
        return await self._first(query) if case_id else None

    async def find(self, org: str, identifier: str) -> KnownCase | None:
        """By key or by Datadog's id."""
        named = or_(cases.c.key == identifier.upper(), cases.c.case_id == identifier.lower())
        query = select(cases).where(cases.c.org == org, named, ~cases.c.gone)
        return await self._first(query.order_by(desc(cases.c.seen_at)).limit(1))

    async def of_thread(self, place: Place, *, since: float = 0.0) -> KnownCase | None:
        """The case a thread remembers: the latest that was opened or shown in it and that still exists."""
        if not place.thread_ts:
            return None
        return await self._first(_of_thread(), {"since": since, **of_place(place)})

    async def recent(self, org: str, *, workspace: str, channel: str, person: str, limit: int = 20) -> list[KnownCase]:
        """Cases of this channel and of this person, those used last first."""
        places, acted = case_places.c, case_acts.c
        in_channel = and_(places.workspace == workspace, places.channel == channel)
        by_person = and_(places.workspace == workspace, places.requester == person)
        done = and_(acted.workspace == workspace, acted.person == person)
        touched = union_all(
            _touched(org, places.case_row, places.touched_at, in_channel),
            _touched(org, places.case_row, places.touched_at, by_person),
            _touched(org, acted.case_row, acted.created_at, done),
        ).subquery()
        grouped = select(touched.c.row, func.max(touched.c.at).label("at")).group_by(touched.c.row)
        latest = grouped.order_by(desc("at"), desc(touched.c.row)).limit(limit).subquery()
        query = select(cases).join(latest, latest.c.row == cases.c.id)
        rows = await self.database.all(query.order_by(desc(latest.c.at), desc(cases.c.id)))
        return [_known(row, ()) for row in rows]

    async def card_ts(self, case_row: int, place: Place) -> str:
        """Where the case's card stands at a place; empty while it does not."""
        table = deliveries.c
        here = or_(table.thread_ts == place.thread_ts, table.ts == place.thread_ts)
        query = select(table.ts).where(shown_in(CASE_CARD, case_row, place), here, table.ts.is_not(None))
        row = await self.database.first(query.limit(1))
        return str(row.ts) if row else ""

    async def _first(self, query: Select[Any], parameters: dict[str, Any] | None = None) -> KnownCase | None:
        row = await self.database.first(query, parameters)
        return _known(row, _in_order(await self.database.all(_LATELY_DONE, {"of_case": row.id}))) if row else None

    async def _row(self, connection: AsyncConnection, condition: ColumnElement[bool]) -> Row[Any]:
        return (await connection.execute(select(cases).where(condition).with_for_update())).one()

    async def _known(self, connection: AsyncConnection, row: Row[Any]) -> KnownCase:
        done = await connection.execute(_LATELY_DONE, {"of_case": row.id})
        return _known(row, _in_order(done.all()))


def written_down(action: CaseAction, state: str, now: ColumnElement[float]) -> dict[str, Any]:
    """The row of something that is done to a case."""
    same = {name: getattr(action, name) for name in ("key", "case_row", "person", "kind", "value")}
    same |= {name: getattr(action, name) or None for name in ("author", "batch", "view_id")}
    return {**same, **asdict(action.place), "said": "", "state": state, **newly_due(now)}


def read_action(row: Row[Any]) -> CaseAction:
    action = CaseAction(row.key, row.case_row, place_of(row), row.person, known(CaseActionKind, row.kind), row.value)
    action = replace(action, author=row.author or "", batch=row.batch or "", view_id=row.view_id or "")
    return replace(action, id=row.id, sending_since=row.begun_at, attempt=row.attempt)


_LATELY_DONE: Select[Any] = (
    select(case_acts.c.person, case_acts.c.said, case_acts.c.done_at)
    .where(case_acts.c.case_row == bindparam("of_case"), case_acts.c.state == "done")
    .order_by(desc(case_acts.c.done_at), desc(case_acts.c.id))
    .limit(ACTIONS_SHOWN)
)


def _in_order(latest_first: Sequence[Any]) -> tuple[DoneAction, ...]:
    return tuple(DoneAction(*each) for each in reversed(latest_first))


def _known(row: Row[Any], done: tuple[DoneAction, ...]) -> KnownCase:
    shown = {each.name: getattr(row.shown, each.name) for each in fields(CaseFacts)}
    return KnownCase(row.id, row.org, row.case_id, row.key, row.version, row.gone, done, _readable(row.unseen), **shown)


def _readable(stored: Trouble | UnreadableRecord | None) -> Trouble | None:
    return stored if isinstance(stored, Trouble) else None


def _facts(case: Case, catalog: Catalog | None, before: CaseFacts | None) -> CaseFacts:
    """What a card shows of a case; what an answer leaves out is kept from before, as far as it is still the same."""
    project = catalog.project(case.project_id) if catalog else None
    kind = catalog.type(case.type_id) if catalog else None
    same_type = before is not None and before.type_id == case.type_id
    before = before or CaseFacts()
    statuses = tuple((each.name, each.group) for each in status_names(kind))
    return CaseFacts(
        title=case.title,
        status=case.status,
        status_name=case.status_name,
        priority=case.priority,
        type_id=case.type_id,
        type_name=kind.name if kind else before.type_name if same_type else case.type.capitalize(),
        statuses=before.statuses if kind is None and same_type else statuses,
        project_id=case.project_id,
        project_name=project.name if project else before.project_name if before.project_id == case.project_id else "",
        assignee=_name_of(case.assignee, before) if case.assignee else "",
        assignee_id=case.assignee.id if case.assignee else "",
        insights=before.insights if case.insights is None else len(case.insights),
        comments=before.comments if case.comments is None else case.comments,
        archived=case.archived_at is not None,
        attributes=case.attributes,
        custom=tuple(_custom_words(case, catalog)),
        tickets=case.tickets,
    )


def _custom_words(case: Case, catalog: Catalog | None) -> Iterator[tuple[str, str]]:
    """Custom attributes by the names that the organisation has given them."""
    called = {each.key: each.name for each in catalog.custom_of(case.type_id)} if catalog else {}
    return ((called.get(each.key, each.key), ", ".join(each.values)) for each in case.custom if each.values)


def _touched(
    org: str, case_row: Column[int], at: Column[float], which: ColumnElement[bool]
) -> Select[tuple[int, float]]:
    """Cases that are still there, as often as they were touched of late: nobody goes through years of it."""
    there = select(case_row.label("row"), at.label("at")).join(cases, cases.c.id == case_row)
    latest = there.where(which, cases.c.org == org, ~cases.c.gone).order_by(desc(at)).limit(TOUCHES).subquery()
    return select(latest.c.row, latest.c.at)


def _name_of(person: Person, before: CaseFacts) -> str:
    known = before.assignee if person.id == before.assignee_id else ""
    return person.name or person.email or person.handle or known or "somebody"


@cache
def _of_thread() -> Select[Any]:
    places = case_places.c
    here = or_(at(case_places, A_PLACE), _under_its_card(A_PLACE))
    of_thread = select(cases).join(case_places, places.case_row == cases.c.id).where(~cases.c.gone, here)
    since: Any = bindparam("since")
    return of_thread.where(places.touched_at > since).order_by(desc(places.touched_at), desc(places.id)).limit(1)


def _under_its_card(place: Place) -> ColumnElement[bool]:
    """The thread under a card that stands in the channel itself."""
    card_here = select(deliveries.c.subject_id).where(opens_thread(CASE_CARD, place))
    return and_(at(case_places, replace(place, thread_ts="")), case_places.c.case_row.in_(card_here))
