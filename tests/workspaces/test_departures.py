"""Leaving: tokens and everything kept for a workspace go, in whatever order and however often Slack tells it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count, permutations

import pytest
from sqlalchemy import func, select

from bot.storage.retention import forget_workspace
from bot.storage.tables import told_waits
from bot.workspaces.departures import (
    ACCESS_GRANTED,
    ACCESS_REVOKED,
    AT_ONCE,
    SILENT_AFTER,
    TOKENS_REVOKED,
    UNINSTALLED,
    Departure,
    WorkspaceEvents,
    departures_in,
)
from bot.workspaces.repository import is_served
from bot.workspaces.tables import departures, workspaces
from tests.meter import Meter
from tests.pg import sqlite_only
from tests.workspaces.replicas import Replica, Replicas, forget_memory

numbers: Iterator[int] = count(1)


def departure(
    replicas: Replicas, kind: str, team: str, *, enterprise: str = "", org_wide: bool = False, at: float | None = None
) -> Departure:
    happened = replicas.clock.now if at is None else at
    return Departure(f"Ev{next(numbers)}:{team}", kind, team, enterprise, org_wide, float(int(happened)))


async def noted(replicas: Replicas) -> int:
    async with replicas.database.transaction() as connection:
        return int((await connection.execute(select(func.count()).select_from(departures))).scalar_one())


def kill_tokens(replicas: Replicas) -> None:
    for install in replicas.slack.installs:
        install.gone = "account_inactive"


async def tell(replica: Replica, *some: Departure) -> None:
    await replica.departures.note(some)
    await replica.departures.step()


@pytest.mark.parametrize("order", [(UNINSTALLED, TOKENS_REVOKED), (TOKENS_REVOKED, UNINSTALLED), (UNINSTALLED,)])
async def test_an_uninstall_removes_everything_in_any_order(replicas: Replicas, order: tuple[str, ...]) -> None:
    await replicas.install()
    assert await replicas.other.workspaces.bot_client(replicas.acme.id)
    kill_tokens(replicas)

    await tell(replicas.one, *(departure(replicas, kind, replicas.acme.id) for kind in order))

    assert await replicas.one.records.at(replicas.acme.id) is None
    assert await replicas.one.workspaces.bot_client(replicas.acme.id) is None
    assert set(replicas.one.forgotten) == {replicas.acme.id}
    assert await noted(replicas) == 0


async def test_the_same_event_twice_is_noted_once(replicas: Replicas) -> None:
    await replicas.install()
    event = departure(replicas, UNINSTALLED, replicas.acme.id)
    await replicas.one.departures.note([event])
    await replicas.other.departures.note([event])
    assert await noted(replicas) == 1


@sqlite_only
async def test_an_event_that_comes_after_a_new_install_removes_nothing(replicas: Replicas) -> None:
    await replicas.install()
    late = departure(replicas, UNINSTALLED, replicas.acme.id)
    kill_tokens(replicas)
    await tell(replicas.one, late)
    replicas.clock.wind(5)
    await replicas.install()
    replicas.one.forgotten.clear()

    await tell(replicas.other, departure(replicas, TOKENS_REVOKED, replicas.acme.id, at=late.happened_at))

    assert await replicas.one.workspaces.bot_client(replicas.acme.id)
    assert (replicas.one.forgotten, replicas.other.forgotten) == ([], [])
    assert await noted(replicas) == 0


@sqlite_only
@pytest.mark.parametrize("order", sorted(set(permutations(["revoked", "uninstalled", "revoked", "install"]))))
async def test_whatever_the_order_what_slack_says_now_is_what_counts(
    replicas: Replicas, order: tuple[str, ...]
) -> None:
    """The app is removed; its news arrives at both replicas, some of it after somebody installed it again."""
    await replicas.install()
    happened = replicas.clock.now
    news = {
        "revoked": departure(replicas, TOKENS_REVOKED, replicas.acme.id, at=happened),
        "uninstalled": departure(replicas, UNINSTALLED, replicas.acme.id, at=happened),
    }
    kill_tokens(replicas)
    for number, step in enumerate(order):
        replica = (replicas.one, replicas.other)[number % 2]
        if step == "install":
            replicas.one.forgotten.clear()
            replicas.other.forgotten.clear()
            await replicas.install(by=replica)
        else:
            await tell(replica, news[step])

    forget_memory(replicas.one, replicas.other)
    for replica in (replicas.one, replicas.other):
        bot_client = await replica.workspaces.bot_client(replicas.acme.id)
        assert bot_client is not None
        assert (await bot_client.client.auth_test())["ok"]
        assert replica.forgotten == []
    assert await noted(replicas) == 0


@pytest.mark.parametrize(("seconds_after_install", "kept"), [(-60, True), (60, False)])
@sqlite_only
async def test_when_slack_cannot_be_asked_the_times_decide(
    replicas: Replicas, seconds_after_install: float, kept: bool
) -> None:
    await replicas.install()
    event = departure(replicas, UNINSTALLED, replicas.acme.id, at=replicas.clock.now + seconds_after_install)
    replicas.slack.break_next("auth.test", status=503)
    await tell(replicas.one, event)
    assert (await replicas.one.records.at(replicas.acme.id) is not None) is kept


@sqlite_only
async def test_what_fails_stays_noted_and_hurts_no_other_workspace(replicas: Replicas) -> None:
    globex = replicas.slack.add_workspace("Globex")
    globex.add_user("gil")
    await replicas.install()
    await replicas.install(globex)
    kill_tokens(replicas)
    failing = [True]

    async def forget(workspace: str) -> None:
        if workspace == replicas.acme.id and failing:
            raise OSError("the database was away")
        replicas.one.forgotten.append(workspace)

    replicas.one.departures = replace(replicas.one.departures, on_uninstall=[forget])
    await tell(replicas.one, *(departure(replicas, UNINSTALLED, one.id) for one in (replicas.acme, globex)))
    assert replicas.one.forgotten == [globex.id]
    assert await noted(replicas) == 1

    failing.clear()
    await replicas.one.departures.step()
    assert replicas.one.forgotten == [globex.id, replicas.acme.id]
    assert await noted(replicas) == 0


async def test_an_org_wide_uninstall_forgets_every_workspace_it_served(replicas: Replicas) -> None:
    enterprise, (sales, tech) = replicas.enterprise("Sales", "Tech")
    await replicas.install(sales, org_wide=True)
    for team in (sales, tech):
        await replicas.one.workspaces.authorize(enterprise_id=enterprise.id, team_id=team.id)
    kill_tokens(replicas)

    await tell(replicas.one, departure(replicas, UNINSTALLED, sales.id, enterprise=enterprise.id, org_wide=True))

    assert sorted(replicas.one.forgotten) == [sales.id, tech.id]
    assert await replicas.one.records.at(enterprise.id) is None
    assert await replicas.other.workspaces.bot_client(tech.id) is None


@sqlite_only
async def test_one_workspace_leaves_an_enterprise_that_stays(replicas: Replicas) -> None:
    enterprise, (sales, tech) = replicas.enterprise("Sales", "Tech")
    await replicas.install(sales, org_wide=True)
    access = {"type": "team_access_granted", "team_ids": [sales.id, tech.id]}
    told = body(access, event_time=replicas.clock.now, enterprise_id=enterprise.id)
    await WorkspaceEvents(replicas.one.departures).let_in(told)
    assert await replicas.one.workspaces.bot_client(tech.id)
    replicas.clock.wind(10)

    await tell(replicas.one, departure(replicas, ACCESS_REVOKED, tech.id, enterprise=enterprise.id, org_wide=True))

    assert replicas.one.forgotten == [tech.id]
    assert await replicas.one.workspaces.bot_client(tech.id) is None
    assert await replicas.one.workspaces.bot_client(sales.id)


async def test_let_in_again_before_the_news_of_leaving_arrived(replicas: Replicas) -> None:
    enterprise, (sales, tech) = replicas.enterprise("Sales", "Tech")
    await replicas.install(sales, org_wide=True)
    left = departure(replicas, ACCESS_REVOKED, tech.id, enterprise=enterprise.id, org_wide=True)
    replicas.clock.wind(10)
    await replicas.one.departures.granted([tech.id], enterprise.id, replicas.clock.now)

    await tell(replicas.one, left)

    assert replicas.one.forgotten == []
    assert await replicas.one.workspaces.bot_client(tech.id)


@sqlite_only
async def test_a_workspace_with_an_install_of_its_own_survives_its_enterprises(replicas: Replicas) -> None:
    enterprise, (sales, tech) = replicas.enterprise("Sales", "Tech")
    await replicas.install(sales, org_wide=True)
    org_wide = replicas.slack.installs[-1]
    await replicas.install(tech)
    await replicas.one.departures.granted([sales.id, tech.id], enterprise.id, replicas.clock.now)
    org_wide.gone = "account_inactive"

    await tell(replicas.one, departure(replicas, UNINSTALLED, tech.id, enterprise=enterprise.id, org_wide=True))

    assert replicas.one.forgotten == [sales.id]
    assert await replicas.one.workspaces.bot_client(tech.id)


# -- thousands at once -----------------------------------------------------------------------------------------------

MANY = 2000


def access(kind: str, enterprise: str, at: float, teams: int) -> dict[str, object]:
    told = {"type": kind, "team_ids": [f"T{number:08}" for number in range(teams)]}
    return body(told, event_time=int(at), enterprise_id=enterprise)


async def kept(replicas: Replicas) -> int:
    async with replicas.database.transaction() as connection:
        return int((await connection.execute(select(func.count()).select_from(workspaces))).scalar_one())


async def test_thousands_of_workspaces_come_and_go_with_one_event_each(replicas: Replicas) -> None:
    """Slack gives an event three seconds; what was acknowledged is carried out after it, by whoever is there then."""
    many = MANY if replicas.database.is_sqlite else 200  # there each one is a round trip
    enterprise, (sales, _) = replicas.enterprise("Sales", "Tech")
    await replicas.install(sales, org_wide=True)
    events = WorkspaceEvents(replicas.one.departures)
    meter = Meter(replicas.database)
    await events.let_in(access(ACCESS_GRANTED, enterprise.id, replicas.clock.now, many))
    assert meter.transactions <= 3  # one for the workspaces, the others for a welcome that nobody waits for
    assert await kept(replicas) == many
    await replicas.one.tasks.finish(5)

    meter.reset()
    replicas.clock.wind(10)
    event = access(ACCESS_REVOKED, enterprise.id, replicas.clock.now, many)
    for _ in range(2):  # told again
        await events.left(event)
    assert (meter.transactions, meter.statements) == (2, 2)
    assert await noted(replicas) == many
    assert replicas.one.forgotten == []

    assert await replicas.one.departures.step() == 0.0
    assert replicas.one.forgotten == [f"T{number:08}" for number in range(AT_ONCE)]
    # the bot is killed here; another start knows nothing but the database
    while await replicas.other.departures.step() is not None:
        pass
    assert len(replicas.other.forgotten) == many - AT_ONCE
    assert not set(replicas.other.forgotten) & set(replicas.one.forgotten)
    assert (await noted(replicas), await kept(replicas)) == (0, 0)


@sqlite_only
async def test_workspaces_that_fail_hold_up_none_behind_them(replicas: Replicas) -> None:
    enterprise, (sales, _) = replicas.enterprise("Sales", "Tech")
    await replicas.install(sales, org_wide=True)
    failing = [f"T{number:08}" for number in range(AT_ONCE)]

    async def forget(workspace: str) -> None:
        if workspace in failing:
            raise OSError("the database was away")
        replicas.one.forgotten.append(workspace)

    replicas.one.departures = replace(replicas.one.departures, on_uninstall=[forget])
    event = access(ACCESS_REVOKED, enterprise.id, replicas.clock.now, AT_ONCE + 1)
    await WorkspaceEvents(replicas.one.departures).left(event)
    assert [await replicas.one.departures.step() for _ in range(2)] == [0.0, None]
    assert replicas.one.forgotten == [f"T{AT_ONCE:08}"]
    failing.clear()
    assert [await replicas.one.departures.step() for _ in range(2)] == [0.0, None]
    assert (len(replicas.one.forgotten), await noted(replicas)) == (AT_ONCE + 1, 0)


# -- what nobody told, and what was told to somebody who slept --------------------------------------------------------


@sqlite_only
async def test_an_uninstall_whose_events_are_all_lost_is_found_out(replicas: Replicas) -> None:
    globex = replicas.slack.add_workspace("Globex")
    globex.add_user("gil")
    await replicas.install()
    await replicas.install(globex)
    next(one for one in replicas.slack.installs if replicas.acme.id in one.team_ids).gone = "token_revoked"
    departures = replicas.one.departures

    await departures.note_silent()
    assert await noted(replicas) == 0, "Slack may only have been mistaken for a moment"
    replicas.clock.wind(SILENT_AFTER + 1)
    await departures.note_silent()
    await departures.step()

    assert replicas.one.forgotten == [replicas.acme.id]
    assert await replicas.one.records.at(replicas.acme.id) is None
    assert await replicas.one.records.at(globex.id) is not None
    assert await noted(replicas) == 0


@sqlite_only
async def test_a_silence_that_slack_does_not_confirm_removes_nothing(replicas: Replicas) -> None:
    await replicas.install()
    kill_tokens(replicas)
    await replicas.one.departures.note_silent()
    replicas.clock.wind(SILENT_AFTER + 1)
    await replicas.one.departures.note_silent()
    replicas.slack.break_next("auth.test", status=503)
    await replicas.one.departures.step()
    assert (replicas.one.forgotten, await noted(replicas)) == ([], 0)
    assert await replicas.one.records.at(replicas.acme.id) is not None


async def test_a_replica_that_wakes_after_a_new_install_takes_nothing_from_it(replicas: Replicas) -> None:
    """It was frozen between its look for an install and the removal."""
    team = replicas.acme.id

    async def written(channel: str) -> None:
        await replicas.database.write(
            told_waits.insert().values(workspace=team, method="m", channel=channel, until=1e12)
        )

    async def left() -> int:
        return len(await replicas.database.all(select(told_waits)))

    await written("C1")
    await replicas.install()
    await forget_workspace(replicas.database, team, unless=is_served)
    assert await left() == 1
    kill_tokens(replicas)
    await tell(replicas.one, departure(replicas, UNINSTALLED, team))
    await forget_workspace(replicas.database, team, unless=is_served)
    assert await left() == 0


# -- reading the events --------------------------------------------------------------------------------------------


def body(event: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"type": "event_callback", "event_id": "Ev1", "event_time": 1000, "team_id": "T1", "event": event, **more}


def test_peoples_own_tokens_are_none_of_ours() -> None:
    assert departures_in(body({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}})) == []
    (found,) = departures_in(body({"type": "tokens_revoked", "tokens": {"bot": ["U9"]}}))
    assert (found.kind, found.team_id, found.is_enterprise_install, found.happened_at) == (
        TOKENS_REVOKED,
        "T1",
        False,
        1000.0,
    )


def test_access_events_name_their_workspaces() -> None:
    org = {"enterprise_id": "E1", "authorizations": [{"is_enterprise_install": True}]}
    left = departures_in(body({"type": "team_access_revoked", "team_ids": ["T1", "T2"]}, **org))
    assert [(one.team_id, one.enterprise_id, one.is_enterprise_install) for one in left] == [
        ("T1", "E1", True),
        ("T2", "E1", True),
    ]
    assert len({one.key for one in left}) == 2


async def test_while_slack_does_not_tell_whether_it_is_installed_nothing_is_decided(replicas: Replicas) -> None:
    await replicas.install()
    kill_tokens(replicas)
    replicas.slack.break_next("auth.test", retry_after=30)
    await replicas.one.departures.note([departure(replicas, UNINSTALLED, replicas.acme.id)])

    assert await replicas.one.departures.step() == 30
    assert await noted(replicas) == 1
    assert replicas.one.forgotten == []

    assert await replicas.one.departures.step() is None
    assert await noted(replicas) == 0
    assert replicas.one.forgotten == [replicas.acme.id]
