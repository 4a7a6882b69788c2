"""The rows of submits on both databases: one a submit, carried out by one, taken up again by a retry."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from bot.cases.repository import CaseRepository
from bot.datadog.case_model import Case, Insight
from bot.insights.attach_job_records import outcome_record, read_outcome
from bot.insights.attach_jobs import AttachJobs, CommentState, Wanted, Work, read_submit
from bot.insights.outcome import BatchOutcome, Cause, InsightOutcome, Problem, Refusal
from bot.insights.tables import ATTACHED, insight_submits
from bot.model import Place
from bot.storage.engine import Database
from bot.storage.leases import Fence, Leases
from bot.storage.tables import deliveries
from tests.claims import claim
from tests.clock import Clock
from tests.pg import database_url, ready, ready_postgres_url

__all__ = ["database_url", "ready_postgres_url"]

PLACE = Place("T1", "C1", "1.2")
ONE, TWO = Insight("MONITOR", "/monitors/1", "1"), Insight("MONITOR", "/monitors/2", "2")
WANTED = Wanted("key:0", "key", "V1", Work.ATTACH, "default", PLACE, "U0001", "uuid", "CASEM-42", (ONE, TWO), "Links")
CASE = Case("uuid", "CASEM-42", "Disk", insights=(ONE, TWO), insights_known=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def submits(database_url: str, clock: Clock) -> AsyncIterator[AttachJobs]:
    async with ready(Database(database_url, clock=clock)) as database:
        yield AttachJobs(database, CaseRepository(database, lambda _org: None))


async def claimed(submits: AttachJobs, owner: str = "one") -> list[Fence]:
    leases = Leases(submits.database, insight_submits, owner=owner, lease=30)
    rows = await claim(leases, insight_submits.c.state == "waiting", 10)
    return [leases.fence(row) for row in rows]


async def owed(submits: AttachJobs) -> list[tuple[str, int]]:
    query = select(deliveries.c.kind, deliveries.c.wanted).where(deliveries.c.kind == ATTACHED)
    async with submits.database.transaction() as connection:
        return [(row.kind, row.wanted) for row in await connection.execute(query)]


async def test_the_same_submit_twice_is_one_row_that_waits_for_its_view(submits: AttachJobs, clock: Clock) -> None:
    first, again = await submits.enter(WANTED), await submits.enter(replace(WANTED, insights=()))

    assert again == first
    assert first.outcome.open == (ONE, TWO)
    assert (first.comment_state, first.done, first.changed_something) == (CommentState.OWED, False, False)
    clock.wind(1)
    assert await claimed(submits) == []
    await submits.release(first.id)
    assert await claimed(submits) == []
    clock.wind(1)
    assert len(await claimed(submits)) == 1
    await submits.release(first.id)
    clock.wind(1)
    assert await claimed(submits, "other") == []


async def test_one_that_nobody_released_is_carried_out_all_the_same(submits: AttachJobs, clock: Clock) -> None:
    await submits.enter(WANTED)
    clock.wind(6)
    assert len(await claimed(submits)) == 1


async def test_what_is_done_is_owed_a_line_and_a_retry_brings_it_up_to_date(submits: AttachJobs, clock: Clock) -> None:
    submit = await submits.enter(WANTED)
    clock.wind(6)
    (fence,) = await claimed(submits)
    half = InsightOutcome((BatchOutcome(1, done=(ONE,), open=(TWO,), problem=Problem(Cause.CONFLICT, "x")),), CASE)
    tried = replace(submit, outcome=half)

    assert await submits.attached(fence, tried, 0, CASE)
    assert await submits.finish(fence, tried)
    assert await owed(submits) == [("attached", 1)]
    kept = await submits.get(submit.id)
    assert kept
    assert (kept.outcome, kept.done, kept.can_retry) == (replace(half, case=None), True, True)

    assert await submits.retry(submit.id)
    assert not await submits.retry(submit.id)
    clock.wind(1)
    (fence,) = await claimed(submits)
    whole = replace(
        kept, outcome=InsightOutcome((BatchOutcome(1, done=(ONE, TWO)),)), comment_state=CommentState.POSTED
    )
    assert await submits.finish(fence, whole)
    assert await owed(submits) == [("attached", 2)]


async def test_who_lost_the_work_writes_nothing(submits: AttachJobs, clock: Clock) -> None:
    submit = await submits.enter(WANTED)
    clock.wind(6)
    (fence,) = await claimed(submits)
    clock.wind(31)
    (newer,) = await claimed(submits, "two")
    done = replace(submit, outcome=InsightOutcome((BatchOutcome(1, done=(ONE, TWO)),)))

    assert not await submits.attached(fence, done, 0, CASE)
    assert not await submits.finish(fence, done)
    assert await owed(submits) == []
    assert await submits.finish(newer, done)


async def test_nothing_done_and_no_thread_owe_no_line(submits: AttachJobs, clock: Clock) -> None:
    await submits.enter(WANTED)
    await submits.enter(replace(WANTED, key="key:1", place=Place("T1", "C1")))
    clock.wind(6)
    for fence in await claimed(submits):
        submit = await submits.get(fence.id)
        assert submit
        done = (ONE,) if not submit.place.thread_ts else ()
        assert await submits.finish(fence, replace(submit, outcome=InsightOutcome((BatchOutcome(1, done=done),))))
    assert await owed(submits) == []


async def test_outcomes_are_read_back_as_written(submits: AttachJobs) -> None:
    outcome = InsightOutcome(
        (
            BatchOutcome(1, done=(ONE,), refused=(Refusal(TWO, Problem(Cause.BAD_REQUEST, "no", "p", 1.5, "r")),)),
            BatchOutcome(2, open=(TWO,), problem=Problem(Cause.RATE_LIMITED, wait=60.0), tried=False),
        )
    )
    assert read_outcome(outcome_record(outcome)) == outcome
    entered = await submits.enter(WANTED)
    async with submits.database.transaction() as connection:
        row = (await connection.execute(select(insight_submits))).one()
    assert read_submit(row) == entered
