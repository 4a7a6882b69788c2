"""The rows of jobs on both databases: one a job, carried out by one, taken up again by a retry."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import JSON, column, select, table, update

from bot.cases.repository import CaseRepository
from bot.datadog.cases import Case, Insight
from bot.datadog.trouble import Trouble, TroubleKind
from bot.insights.attach_jobs import AttachJob, AttachJobs, AttachWork, CommentState
from bot.insights.sending import BatchOutcome, InsightOutcome, Refusal, not_sent
from bot.insights.tables import ATTACHED, insight_submits
from bot.model import Place
from bot.storage.engine import Database
from bot.storage.leases import Fence, Leases
from bot.storage.tables import deliveries
from tests.claims import claim
from tests.clock import Clock
from tests.pg import database_url, ready, ready_postgres_url, sqlite_only

__all__ = ["database_url", "ready_postgres_url"]

PLACE = Place("T1", "C1", "1.2")
ONE, TWO = Insight("MONITOR", "/monitors/1", "1"), Insight("MONITOR", "/monitors/2", "2")
NEW = AttachJob(
    "key", "V1", AttachWork.ATTACH, "default", PLACE, "U0001", "uuid", "CASEM-42", not_sent((ONE, TWO)), "Links"
)
CASE = Case("uuid", "CASEM-42", "Disk", insights=(ONE, TWO))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def jobs(database_url: str, clock: Clock) -> AsyncIterator[AttachJobs]:
    async with ready(Database(database_url, clock=clock)) as database:
        yield AttachJobs(database, CaseRepository(database, lambda _org: None))


async def claimed(jobs: AttachJobs, owner: str = "one") -> list[Fence]:
    leases = Leases(jobs.database, insight_submits, owner=owner, lease=30)
    rows = await claim(leases, insight_submits.c.state == "waiting", 10)
    return [leases.fence(row) for row in rows]


async def owed(jobs: AttachJobs) -> list[tuple[str, int]]:
    query = select(deliveries.c.kind, deliveries.c.wanted).where(deliveries.c.kind == ATTACHED)
    async with jobs.database.transaction() as connection:
        return [(row.kind, row.wanted) for row in await connection.execute(query)]


async def test_the_same_submit_twice_is_one_row_that_waits_for_its_view(jobs: AttachJobs, clock: Clock) -> None:
    first, again = await jobs.enter("key:0", NEW), await jobs.enter("key:0", replace(NEW, outcome=not_sent(())))

    assert again == first
    assert first.outcome.open == (ONE, TWO)
    assert (first.comment_state, first.done, first.changed_something) == (CommentState.OWED, False, False)
    clock.wind(1)
    assert await claimed(jobs) == []
    await jobs.release(first.id)
    assert await claimed(jobs) == []
    clock.wind(1)
    assert len(await claimed(jobs)) == 1
    await jobs.release(first.id)
    clock.wind(1)
    assert await claimed(jobs, "other") == []


@sqlite_only
async def test_one_that_nobody_released_is_carried_out_all_the_same(jobs: AttachJobs, clock: Clock) -> None:
    await jobs.enter("key:0", NEW)
    clock.wind(6)
    assert len(await claimed(jobs)) == 1


async def test_what_is_done_is_owed_a_line_and_a_retry_brings_it_up_to_date(jobs: AttachJobs, clock: Clock) -> None:
    job = await jobs.enter("key:0", NEW)
    clock.wind(6)
    (fence,) = await claimed(jobs)
    half = InsightOutcome(
        (BatchOutcome(1, done=(ONE,), open=(TWO,), problem=Trouble(TroubleKind.CONFLICT, "x")),), CASE
    )
    tried = replace(job, outcome=half)

    assert await jobs.attached(fence, tried, 0, CASE)
    assert await jobs.finish(fence, tried)
    assert await owed(jobs) == [("attached", 1)]
    kept = await jobs.get(job.id)
    assert kept
    assert (kept.outcome, kept.done, kept.can_retry) == (replace(half, case=None), True, True)

    assert await jobs.retry(job.id)
    assert not await jobs.retry(job.id)
    clock.wind(1)
    (fence,) = await claimed(jobs)
    whole = replace(
        kept, outcome=InsightOutcome((BatchOutcome(1, done=(ONE, TWO)),)), comment_state=CommentState.POSTED
    )
    assert await jobs.finish(fence, whole)
    assert await owed(jobs) == [("attached", 2)]


@sqlite_only
async def test_who_lost_the_work_writes_nothing(jobs: AttachJobs, clock: Clock) -> None:
    job = await jobs.enter("key:0", NEW)
    clock.wind(6)
    (fence,) = await claimed(jobs)
    clock.wind(31)
    (newer,) = await claimed(jobs, "two")
    done = replace(job, outcome=InsightOutcome((BatchOutcome(1, done=(ONE, TWO)),)))

    assert not await jobs.attached(fence, done, 0, CASE)
    assert not await jobs.finish(fence, done)
    assert await owed(jobs) == []
    assert await jobs.finish(newer, done)


@sqlite_only
async def test_nothing_done_and_no_thread_owe_no_line(jobs: AttachJobs, clock: Clock) -> None:
    await jobs.enter("key:0", NEW)
    await jobs.enter("key:1", replace(NEW, place=Place("T1", "C1")))
    clock.wind(6)
    for fence in await claimed(jobs):
        job = await jobs.get(fence.id)
        assert job
        done = (ONE,) if not job.place.thread_ts else ()
        assert await jobs.finish(fence, replace(job, outcome=InsightOutcome((BatchOutcome(1, done=done),))))
    assert await owed(jobs) == []


# as written before rows were typed
OLDER = [
    {
        "number": 1,
        "done": [["MONITOR", "/monitors/1", "1"]],
        "refused": [
            [
                ["MONITOR", "/monitors/2", "2"],
                {"cause": "bad_request", "detail": "no", "permission": "p", "wait": 1.5, "request_id": "r"},
            ]
        ],
        "open": [["INCIDENT", "/incidents/3", "3"]],
        "problem": {"cause": "rate_limited", "detail": "", "permission": "", "wait": 3.0, "request_id": ""},
        "tried": True,
    }
]


async def test_outcomes_in_rows_of_older_versions_are_read(jobs: AttachJobs) -> None:
    job = await jobs.enter("key:0", NEW)
    stored = table("insight_submits", column("id"), column("outcome", JSON))
    async with jobs.database.transaction() as connection:
        await connection.execute(update(stored).where(stored.c.id == job.id).values(outcome=OLDER))

    read = await jobs.get(job.id)

    assert read
    assert read.outcome == InsightOutcome(
        (
            BatchOutcome(
                1,
                done=(ONE,),
                refused=(Refusal(TWO, Trouble(TroubleKind.BAD_REQUEST, "no", "p", 1.5, request_id="r")),),
                open=(Insight("INCIDENT", "/incidents/3", "3"),),
                problem=Trouble(TroubleKind.RATE_LIMITED, wait=3.0),
            ),
        )
    )
    async with jobs.database.transaction() as connection:
        again = update(insight_submits).where(insight_submits.c.id == job.id).values(outcome=read.outcome.batches)
        await connection.execute(again)
    assert (await jobs.get(job.id)) == read
