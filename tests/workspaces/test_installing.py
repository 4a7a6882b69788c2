"""Installing by OAuth: states that work once, what Slack may answer, and the one message to whoever installed it."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from bot.workspaces.installing import MOST_BEGUN, MOST_OF_A_BROWSER, NO_STATE, OTHER_BROWSER, UNREACHABLE
from bot.workspaces.tables import installations, oauth_states
from tests.pg import sqlite_only
from tests.workspaces.replicas import BROWSER, REDIRECT, Replicas


async def consent(replicas: Replicas) -> tuple[str, str]:
    """The state and code a browser comes back with."""
    url = await replicas.one.installing.begin(BROWSER)
    query = parse_qs(urlsplit(replicas.slack.oauth.approve(url, replicas.acme)).query)
    return query["state"][0], query["code"][0]


@sqlite_only
async def test_the_consent_page_is_slacks_and_asks_for_what_the_manifest_says(replicas: Replicas) -> None:
    url = await replicas.one.installing.begin(BROWSER)
    asked = parse_qs(urlsplit(url).query)
    assert url.startswith(f"{replicas.slack.url}/oauth/v2/authorize?")
    assert asked["scope"] == ["chat:write,commands"]
    assert asked["redirect_uri"] == [REDIRECT]
    assert len(asked["state"][0]) >= 40


@sqlite_only
async def test_begun_at_one_replica_and_finished_at_the_other(replicas: Replicas) -> None:
    state, code = await consent(replicas)
    done = await replicas.other.installing.finish(state=state, code=code, browser=BROWSER)
    await replicas.other.tasks.finish(5)
    assert (done.problem, done.name) == ("", "Acme")
    assert done.link == f"{replicas.slack.url}/app_redirect?app={replicas.slack.app.id}&team={replicas.acme.id}"
    installation = await replicas.one.records.at(replicas.acme.id)
    assert installation is not None
    assert installation.scopes == ("chat:write", "commands")
    assert installation.bot_id.startswith("B")


async def test_a_state_works_once_even_when_used_twice_at_the_same_moment(replicas: Replicas) -> None:
    state, code = await consent(replicas)
    done = await asyncio.gather(
        *(
            replica.installing.finish(state=state, code=code, browser=BROWSER)
            for replica in (replicas.one, replicas.other, replicas.one)
        )
    )
    assert sorted(one.problem for one in done) == ["", NO_STATE, NO_STATE]
    assert len(replicas.slack.calls_to("oauth.v2.access")) == 1


async def test_a_state_ends_after_ten_minutes(replicas: Replicas) -> None:
    state, code = await consent(replicas)
    replicas.clock.wind(601)
    assert (await replicas.one.installing.finish(state=state, code=code, browser=BROWSER)).problem == NO_STATE


@sqlite_only
async def test_a_state_of_another_browser_installs_nothing_and_is_used_up(replicas: Replicas) -> None:
    state, code = await consent(replicas)
    for browser, problem in (("the-browser-of-a-victim", OTHER_BROWSER), (BROWSER, NO_STATE)):
        assert (await replicas.one.installing.finish(state=state, code=code, browser=browser)).problem == problem
    assert replicas.slack.calls_to("oauth.v2.access") == []


@sqlite_only
async def test_an_invented_state_installs_nothing(replicas: Replicas) -> None:
    _, code = await consent(replicas)
    assert (await replicas.one.installing.finish(state="invented", code=code, browser=BROWSER)).problem == NO_STATE
    assert (await replicas.one.installing.finish(state="", code=code, browser="")).problem == NO_STATE


@sqlite_only
async def test_states_are_not_readable_in_the_database(replicas: Replicas) -> None:
    state, _ = await consent(replicas)
    async with replicas.database.transaction() as connection:
        (row,) = (await connection.execute(select(oauth_states))).all()
    assert state not in row
    assert BROWSER not in row


async def begun(replicas: Replicas) -> int:
    async with replicas.database.transaction() as connection:
        return int((await connection.execute(select(func.count()).select_from(oauth_states))).scalar_one())


async def test_a_flood_fills_no_table_and_ends_no_install_that_was_begun(replicas: Replicas) -> None:
    state, code = await consent(replicas)
    at = replicas.clock.now + 600
    flood = [{"state": f"s{number}", "browser": f"b{number}", "expires_at": at} for number in range(MOST_BEGUN - 2)]
    async with replicas.database.transaction() as connection:
        await connection.execute(oauth_states.insert(), flood)
    answers = [bool(await replicas.one.installing.begin(f"a browser {number}")) for number in range(4)]
    assert answers == [True, False, False, False]
    assert await begun(replicas) == MOST_BEGUN
    assert (await replicas.other.installing.finish(state=state, code=code, browser=BROWSER)).problem == ""

    replicas.clock.wind(601)
    assert await replicas.one.installing.begin("a browser after it")
    assert await begun(replicas) == 1


async def test_a_browser_that_begins_again_and_again_keeps_its_latest(replicas: Replicas) -> None:
    await replicas.one.installing.begin("somebody else's browser")
    back = []
    for _ in range(MOST_OF_A_BROWSER + 1):
        replicas.clock.wind(1)
        back.append(await consent(replicas))
    assert await begun(replicas) == MOST_OF_A_BROWSER + 1
    done = [
        await replicas.one.installing.finish(state=state, code=code, browser=BROWSER)
        for state, code in (back[0], back[1], back[-1])
    ]
    assert [one.problem for one in done] == [NO_STATE, "", ""]


@pytest.mark.parametrize("word", ["invalid_code", "bad_redirect_uri", "bad_client_secret"])
@sqlite_only
async def test_what_slack_says_against_it_is_passed_on_and_nothing_is_stored(replicas: Replicas, word: str) -> None:
    replicas.slack.break_next("oauth.v2.access", error=word)
    assert (await replicas.install()).problem == word
    assert await replicas.one.records.at(replicas.acme.id) is None


@pytest.mark.parametrize("trouble", [{"drop": "before"}, {"status": 503}])
@sqlite_only
async def test_slack_out_of_reach_is_told_as_such(replicas: Replicas, trouble: dict[str, str]) -> None:
    replicas.slack.break_next("oauth.v2.access", **trouble)  # type: ignore[arg-type]
    assert (await replicas.install()).problem == UNREACHABLE


@sqlite_only
async def test_an_install_goes_through_without_auth_test(replicas: Replicas) -> None:
    replicas.slack.break_next("auth.test", error="internal_error")
    assert (await replicas.install()).problem == ""
    bot_client = await replicas.one.workspaces.bot_client(replicas.acme.id)
    assert bot_client is not None
    assert (bot_client.bot_id, bool(bot_client.bot_user_id)) == ("", True)


# -- the welcome ---------------------------------------------------------------------------------------------------


@sqlite_only
async def test_whoever_installs_it_gets_one_message_with_the_next_step(replicas: Replicas) -> None:
    await replicas.install(installer=replicas.ana.id)
    assert replicas.ana.sees.startswith("DM from Bits Bot: Bits Bot is installed.")
    assert "/bits connect" in replicas.ana.sees


async def test_installing_again_sends_no_second_message_to_anybody(replicas: Replicas) -> None:
    ben = replicas.acme.add_user("ben")
    await replicas.install(installer=replicas.ana.id)
    await replicas.install(installer=replicas.ana.id, by=replicas.other)
    await replicas.install(installer=ben.id)
    assert (len(replicas.ana.dms), len(ben.dms)) == (1, 0)


@sqlite_only
async def test_a_welcome_slack_refused_comes_with_the_next_install(replicas: Replicas) -> None:
    replicas.slack.break_next("chat.postMessage", error="restricted_action")
    await replicas.install(installer=replicas.ana.id)
    assert replicas.ana.dms == []
    await replicas.install(installer=replicas.ana.id)
    assert len(replicas.ana.dms) == 1


@sqlite_only
async def test_a_welcome_that_may_have_arrived_is_not_sent_again(replicas: Replicas) -> None:
    replicas.slack.break_next("chat.postMessage", drop="after")
    for _ in range(2):
        await replicas.install(installer=replicas.ana.id)
    assert len(replicas.ana.dms) == 1


@sqlite_only
async def test_an_org_wide_install_is_kept_under_its_enterprise(replicas: Replicas) -> None:
    enterprise, (sales, _) = replicas.enterprise("Sales", "Tech")
    done = await replicas.install(sales, org_wide=True)
    assert (done.problem, done.name, done.org_wide) == ("", "Acme Group", True)
    async with replicas.database.transaction() as connection:
        (row,) = (await connection.execute(select(installations))).all()
    assert (row.home, row.team_id, row.enterprise_id) == (enterprise.id, None, enterprise.id)
    assert row.bot_token.startswith("gAAAA")
