"""Whoever runs the bot takes their organisation back from a workspace: no kind of message shows anything of it from then on."""

import json
import time
from pathlib import Path

from sqlalchemy import Insert, insert, update

from bot.alerts.case_rows import Told
from bot.alerts.tables import ALERT_CARD, NUDGE, RECOVERED, RULE_CASE, alert_cases, alert_messages
from bot.cases.tables import CASE_CARD, CASE_COMMENT, case_comments
from bot.digest.tables import DIGEST, digests
from bot.insights.tables import ATTACHED, insight_submits
from bot.investigations.tables import CARD, CONCLUSIONS, EARLIER, SHARED, shares
from bot.model import Place
from bot.orgs.model import DEFAULT
from bot.orgs.tables import orgs
from bot.slack.poster import Poster
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence
from bot.storage.outbox import Delivery, NewPost
from tests.e2e.town import Town
from tests.e2e.walk import ALERT, SECRET, make_rows

# Each kind of message, and what of the organisation stands in it as long as the workspace may see that.
SHOWN = {
    CARD: "Answered",  # what it is about stands in the thread anyway
    CONCLUSIONS: f"{SECRET} cause",
    EARLIER: f"{SECRET} cause",
    CASE_CARD: f"{SECRET} case",
    CASE_COMMENT: f"{SECRET} comment",
    ATTACHED: "CASEM-1",
    ALERT_CARD: f"{SECRET}:tag",
    NUDGE: f"{SECRET} cause",
    RECOVERED: f"{SECRET} monitor",
    DIGEST: f"{SECRET} cause",
    RULE_CASE: "CASEM-1",
    SHARED: f"{SECRET} cause",
}


async def test_no_kind_of_message_shows_anything_of_an_organisation_that_was_taken_back(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        place = Place(town.slack.workspace.id, town.channel.id, "1700000000.000100")
        subjects = await subjects_of(town.bot._database, place, town.ana.id)
        poster = next(each for each in town.bot._workers._workers if isinstance(each, Poster))
        assert set(poster.kinds) == set(SHOWN), "a new kind of message gets its line above, and its row below"

        before = {kind: await posted(poster, kind, subjects[kind], place) for kind in SHOWN}
        town.bot._orgs.default_for = frozenset()
        async with town.bot._database.transaction() as connection:
            wake(connection, orgs)  # as after the start that it takes to change the settings, nothing is remembered
        after = {kind: await posted(poster, kind, subjects[kind], place) for kind in SHOWN}

        assert {kind for kind, needle in SHOWN.items() if needle not in before[kind]} == set()
        assert {kind for kind, needle in SHOWN.items() if needle in after[kind]} == set()


async def posted(poster: Poster, kind: str, subject: int, place: Place) -> str:
    key = f"{kind}:1:{Told.CLOSED}"  # which only a case that a rule has made asks for
    post = NewPost(key, kind, f"{kind}:1", subject, place.workspace, place.channel, place.thread_ts, "U1")
    fence = Fence(1, "me", 0)
    delivery = Delivery(fence, post, place.thread_ts, "", "", 1, 0, False, None, "", 0.0, 0.0, False)
    message = await poster.kinds[kind].message(delivery, may_repeat=False)
    return json.dumps(message.as_arguments()) if message else ""


async def subjects_of(database: Database, place: Place, person: str) -> dict[str, int]:
    """A row that each kind shows, by its number."""
    named = {each.kind: each.value for each in reversed(await make_rows(database, place, person, DEFAULT))}
    run, case, cycle, job = (int(named[kind]) for kind in ("investigation", "case", "cycle", "job"))
    done = update(insight_submits).where(insight_submits.c.id == job)
    await database.write(done.values(comment_state="posted", comment="- https://example.com"))
    here, now = {"workspace": place.workspace, "channel": place.channel}, time.time()
    comment = await row(
        database,
        insert(case_comments).values(
            **here,
            thread_ts=place.thread_ts,
            key="c",
            case_row=case,
            author="Ana",
            message=f"{SECRET} comment",
            created_at=now,
        ),
    )
    nudged = await row(
        database, insert(alert_messages).values(**here, ts="1700000000.000200", subject=ALERT, seen_at=now)
    )
    week = await row(
        database, insert(digests).values(**here, ref="WEEK", since=now - 7 * 24 * 3600.0, until=now + 60.0)
    )
    shared = await row(
        database,
        insert(shares).values(
            **here,
            thread_ts=place.thread_ts,
            target=place.channel,
            note="",
            person=person,
            key="s",
            ref="SHARE",
            investigation_id=run,
            created_at=now,
        ),
    )
    by_rule = await row(
        database,
        insert(alert_cases).values(
            **here,
            thread_ts="",
            org=DEFAULT,
            state="done",
            outcome="",
            rule="P1",
            roused=False,
            cycle_id=cycle,
            monitor_id=1,
            case_row=case,
            may_close=True,
            created_at=now,
            due_at=now,
        ),
    )
    return {
        **dict.fromkeys((CARD, CONCLUSIONS, EARLIER), run),
        **dict.fromkeys((ALERT_CARD, RECOVERED), cycle),
        CASE_CARD: case,
        CASE_COMMENT: comment,
        ATTACHED: job,
        NUDGE: nudged,
        DIGEST: week,
        RULE_CASE: by_rule,
        SHARED: shared,
    }


async def row(database: Database, made: Insert) -> int:
    async with database.transaction() as connection:
        return int((await connection.execute(made.returning(made.table.c.id))).scalar_one())
