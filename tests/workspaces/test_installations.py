"""Many workspaces: who speaks where, which token is used, and what happens when Slack takes one away."""

import asyncio
import logging
from typing import Literal

import pytest
from slack_sdk.errors import SlackApiError

from bot.workspaces import token_rotation
from bot.workspaces.repository import REFRESH_MARGIN, Installation, Tokens
from bot.workspaces.token_rotation import TokenNotRenewedError
from tests.pg import sqlite_only
from tests.workspaces.replicas import Replicas, forget_memory


class Permissions(asyncio.Event):
    """Holds a request up; `reached` tells that it is there."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


HALF_A_DAY = 12 * 3600.0


# -- who speaks where --------------------------------------------------------------------------------------------


@sqlite_only
async def test_nobody_speaks_where_nobody_installed_it(replicas: Replicas) -> None:
    assert await replicas.one.workspaces.bot_client("T404") is None
    assert await replicas.one.workspaces.bot_client("") is None
    assert await replicas.one.workspaces.authorize(enterprise_id=None, team_id="T404") is None


@sqlite_only
async def test_each_workspace_is_spoken_to_with_its_own_token_by_every_replica(replicas: Replicas) -> None:
    globex = replicas.slack.add_workspace("Globex")
    globex.add_user("gil")
    await replicas.install(replicas.acme)
    await replicas.install(globex)
    here, there = replicas.acme.add_channel("alerts"), globex.add_channel("alerts")

    tokens = {
        await replicas.other.post(replicas.acme, here.id, "to Acme"),
        await replicas.one.post(globex, there.id, "to Globex"),
    }

    assert len(tokens) == 2
    assert [message.text for message in here.messages] == ["to Acme"]
    assert [message.text for message in there.messages] == ["to Globex"]


@sqlite_only
async def test_requests_are_authorised_without_asking_slack(replicas: Replicas) -> None:
    await replicas.install()
    before = replicas.calls("auth.test")
    results = [
        await replica.workspaces.authorize(enterprise_id=None, team_id=replicas.acme.id)
        for replica in (replicas.one, replicas.other)
        for _ in range(3)
    ]
    assert all(result is not None and result.bot_token and result.bot_id and result.bot_user_id for result in results)
    assert replicas.calls("auth.test") == before


async def test_an_org_wide_install_speaks_in_every_workspace_it_was_heard_from(replicas: Replicas) -> None:
    enterprise, (sales, tech) = replicas.enterprise("Sales", "Tech")
    await replicas.install(sales, org_wide=True)
    assert await replicas.other.workspaces.bot_client(tech.id) is None  # nobody said yet whose it is

    heard = await replicas.one.workspaces.authorize(enterprise_id=enterprise.id, team_id=tech.id)

    assert heard is not None
    assert heard.team_id == tech.id
    channel = tech.add_channel("alerts")
    assert await replicas.other.post(tech, channel.id, "in the background") == heard.bot_token
    assert replicas.slack.calls_to("chat.postMessage")[-1].args["team_id"] == tech.id


async def test_a_workspaces_own_install_goes_before_that_of_its_enterprise_as_long_as_it_works(
    replicas: Replicas,
) -> None:
    enterprise, (sales, _) = replicas.enterprise("Sales", "Tech")
    await replicas.install(sales)
    own = sales.install
    await replicas.install(sales, org_wide=True)
    assert own is not None

    async def token() -> str | None:
        forget_memory(replicas.one)
        result = await replicas.one.workspaces.authorize(enterprise_id=enterprise.id, team_id=sales.id)
        return result.bot_token if result else None

    assert await token() == own.bot_token
    own.gone = "token_revoked"
    bot_client = await replicas.one.workspaces.bot_client(sales.id)
    assert bot_client is not None
    with pytest.raises(SlackApiError):
        await bot_client.client.auth_test()
    assert (await token() or "").startswith("xoxb-")
    assert await token() != own.bot_token


@sqlite_only
async def test_the_memory_is_short(replicas: Replicas) -> None:
    await replicas.install()
    assert await replicas.other.workspaces.bot_client(replicas.acme.id)
    installation = await replicas.one.records.at(replicas.acme.id)
    assert installation is not None
    await replicas.one.records.remove(installation)

    assert await replicas.other.workspaces.bot_client(replicas.acme.id)
    forget_memory(replicas.other)
    assert await replicas.other.workspaces.bot_client(replicas.acme.id) is None


# -- tokens Slack takes away ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["token_revoked", "account_inactive"])
@sqlite_only
async def test_a_token_slack_took_away_is_noticed_by_whoever_uses_it(
    replicas: Replicas, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    await replicas.install()
    channel = replicas.acme.add_channel("alerts")
    await replicas.one.post(replicas.acme, channel.id, "works")
    install = replicas.acme.install
    assert install is not None
    install.gone = word

    with pytest.raises(SlackApiError):
        await replicas.one.post(replicas.acme, channel.id, "does not")

    for replica in (replicas.one, replicas.other):
        assert await replica.post(replicas.acme, channel.id, "nor this") == ""
    assert replicas.calls("chat.postMessage") == 3  # one is the welcome
    assert f"Slack refuses the token of {replicas.acme.id} ({word})" in caplog.text
    assert install.bot_token not in caplog.text


@sqlite_only
async def test_installing_again_mends_it_at_once(replicas: Replicas) -> None:
    await replicas.install()
    channel = replicas.acme.add_channel("alerts")
    install = replicas.acme.install
    assert install is not None
    install.gone = "token_revoked"
    with pytest.raises(SlackApiError):
        await replicas.one.post(replicas.acme, channel.id, "does not")

    await replicas.install(by=replicas.other)

    assert await replicas.one.post(replicas.acme, channel.id, "works again")


async def test_a_refusal_that_was_none_is_looked_at_again_after_a_while(replicas: Replicas) -> None:
    await replicas.install()
    channel = replicas.acme.add_channel("alerts")
    replicas.slack.break_next("chat.postMessage", error="invalid_auth")
    with pytest.raises(SlackApiError):
        await replicas.one.post(replicas.acme, channel.id, "refused, say for our address")
    assert await replicas.one.post(replicas.acme, channel.id, "not now") == ""

    replicas.clock.wind(601)
    replicas.slack.break_next("auth.test", error="invalid_auth")
    assert await replicas.one.post(replicas.acme, channel.id, "still not") == ""
    asked = replicas.calls("auth.test")
    assert await replicas.one.post(replicas.acme, channel.id, "not asked again yet") == ""
    assert replicas.calls("auth.test") == asked

    replicas.clock.wind(601)
    assert await replicas.one.post(replicas.acme, channel.id, "works")
    assert await replicas.other.post(replicas.acme, channel.id, "works there too")


@sqlite_only
async def test_an_old_token_in_one_replicas_memory_does_not_hurt_the_new_one(replicas: Replicas) -> None:
    await replicas.install()
    channel = replicas.acme.add_channel("alerts")
    await replicas.one.post(replicas.acme, channel.id, "remembered")
    await replicas.install(by=replicas.other)

    replicas.slack.break_next("chat.postMessage", error="token_revoked")
    with pytest.raises(SlackApiError):
        await replicas.one.post(replicas.acme, channel.id, "with the old token")
    assert await replicas.one.post(replicas.acme, channel.id, "with the new one")


async def test_a_token_of_an_install_that_was_removed_does_not_hurt_the_one_after_it(replicas: Replicas) -> None:
    await replicas.install()
    channel = replicas.acme.add_channel("alerts")
    await replicas.one.post(replicas.acme, channel.id, "remembered")
    records = replicas.other.workspaces.records
    left = await records.at(replicas.acme.id)
    assert left is not None
    await records.remove(left)
    await replicas.install(by=replicas.other)

    replicas.slack.break_next("chat.postMessage", error="account_inactive")
    with pytest.raises(SlackApiError):
        await replicas.one.post(replicas.acme, channel.id, "with the token of before")
    forget_memory(replicas.one, replicas.other)
    assert await replicas.one.post(replicas.acme, channel.id, "with the new one")


# -- tokens that rotate --------------------------------------------------------------------------------------------


@pytest.fixture
async def rotating(replicas: Replicas) -> Replicas:
    """Installed with tokens that live half a day, with less than two hours of it left."""
    replicas.slack.app.rotates_tokens = True
    await replicas.install()
    replicas.acme.add_channel("alerts")
    return replicas


def nearly_over(replicas: Replicas, left: float = REFRESH_MARGIN - 60) -> None:
    install = replicas.acme.install
    assert install is not None
    assert install.expires_at is not None
    replicas.clock.now = install.expires_at - left
    forget_memory(replicas.one, replicas.other)


def alerts(replicas: Replicas) -> str:
    channel = replicas.acme.find_channel("alerts")
    assert channel is not None
    return channel.id


@sqlite_only
async def test_a_token_with_time_left_is_left_alone(rotating: Replicas) -> None:
    nearly_over(rotating, left=REFRESH_MARGIN + 60)
    assert await rotating.one.post(rotating.acme, alerts(rotating), "hello")
    assert rotating.refreshes == 0


async def test_two_replicas_that_post_at_once_refresh_once_and_both_post(rotating: Replicas) -> None:
    old = rotating.acme.install
    assert old is not None
    old_token = old.bot_token
    nearly_over(rotating)

    tokens = await asyncio.gather(
        *(
            replica.post(rotating.acme, alerts(rotating), f"post {number}")
            for number in range(4)
            for replica in (rotating.one, rotating.other)
        )
    )

    assert rotating.refreshes == 1
    assert len(set(tokens)) == 1
    assert set(tokens) == {rotating.acme.install.bot_token if rotating.acme.install else ""}
    assert old_token not in tokens


@sqlite_only
async def test_it_goes_on_for_days(rotating: Replicas) -> None:
    for round_ in range(1, 6):
        nearly_over(rotating)
        assert await (rotating.one if round_ % 2 else rotating.other).post(
            rotating.acme, alerts(rotating), "still here"
        )
        assert rotating.refreshes == round_


@sqlite_only
async def test_after_a_night_without_a_word_the_first_one_in_the_morning_gets_through(rotating: Replicas) -> None:
    rotating.clock.wind(HALF_A_DAY * 3)
    forget_memory(rotating.one)
    assert await rotating.one.post(rotating.acme, alerts(rotating), "good morning")
    assert rotating.refreshes == 1


@sqlite_only
async def test_while_slack_gives_no_new_token_the_old_one_is_used_to_its_end(rotating: Replicas) -> None:
    nearly_over(rotating)
    rotating.slack.break_next("oauth.v2.access", times=2, status=503)

    assert await rotating.one.post(rotating.acme, alerts(rotating), "with the old one")
    forget_memory(rotating.one, rotating.other)
    assert await rotating.other.post(rotating.acme, alerts(rotating), "and no storm of refreshes")
    assert rotating.calls("oauth.v2.access") == 2  # the install, and one refresh

    nearly_over(rotating, left=-1)
    with pytest.raises(TokenNotRenewedError):
        await rotating.one.post(rotating.acme, alerts(rotating), "over, and Slack still says 503")
    rotating.clock.wind(31)
    assert await rotating.one.post(rotating.acme, alerts(rotating), "Slack is back")


@sqlite_only
async def test_slack_is_not_asked_for_a_new_token_before_it_wants_to_be(rotating: Replicas) -> None:
    nearly_over(rotating)
    rotating.slack.break_next("oauth.v2.access", retry_after=90)
    for waited, refreshes in ((0, 1), (89, 1), (1, 2)):
        rotating.clock.wind(waited)
        forget_memory(rotating.one)
        assert await rotating.one.post(rotating.acme, alerts(rotating), "with the old one, then the new")
        assert rotating.refreshes == refreshes


async def test_a_refresh_somebody_else_won_is_noticed_by_reading_again(rotating: Replicas) -> None:
    """One replica hangs for longer than its lease; the other refreshes; then the first one's request lands."""
    nearly_over(rotating)
    landing = Permissions()
    rotating.slack.break_next("oauth.v2.access", delay=landing)
    hanging = asyncio.create_task(rotating.one.post(rotating.acme, alerts(rotating), "late"))
    await landing.reached.wait()
    rotating.clock.wind(31)
    winner = await rotating.other.post(rotating.acme, alerts(rotating), "in time")
    landing.set()
    await hanging
    await rotating.one.rotation.close(5)

    forget_memory(rotating.one)
    assert await rotating.one.post(rotating.acme, alerts(rotating), "with the winner's") == winner
    installation = await rotating.one.records.at(rotating.acme.id)
    assert installation is not None
    assert installation.problem == ""


@sqlite_only
async def test_a_lost_answer_is_told_and_the_old_token_used_to_its_end(
    rotating: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    nearly_over(rotating)
    rotating.slack.break_next("oauth.v2.access", drop="after")
    assert await rotating.one.post(rotating.acme, alerts(rotating), "the answer with the new tokens was lost")

    rotating.clock.wind(31)
    forget_memory(rotating.one, rotating.other)
    assert await rotating.one.post(rotating.acme, alerts(rotating), "the refresh token is used up")
    assert "can't be renewed any more and ends in" in caplog.text
    assert "install the app there again" in caplog.text

    nearly_over(rotating, left=-1)
    assert await rotating.one.post(rotating.acme, alerts(rotating), "over") == ""
    await rotating.install()
    assert await rotating.one.post(rotating.acme, alerts(rotating), "installed again")


@sqlite_only
async def test_a_handler_does_not_wait_for_a_slow_refresh_while_the_old_token_works(
    rotating: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_rotation, "_WHILE_IT_WORKS", 0.05)
    nearly_over(rotating)
    answered = asyncio.Event()
    rotating.slack.break_next("oauth.v2.access", delay=answered)

    result = await rotating.one.workspaces.authorize(enterprise_id=None, team_id=rotating.acme.id)

    assert result is not None
    answered.set()
    await rotating.one.rotation.close(5)
    forget_memory(rotating.one)
    renewed = await rotating.one.workspaces.authorize(enterprise_id=None, team_id=rotating.acme.id)
    assert renewed is not None
    assert renewed.bot_token != result.bot_token
    assert rotating.refreshes == 1


@sqlite_only
async def test_a_token_slack_calls_expired_is_renewed_whatever_our_clock_says(rotating: Replicas) -> None:
    await rotating.one.post(rotating.acme, alerts(rotating), "fine")
    rotating.slack.break_next("chat.postMessage", error="token_expired")
    with pytest.raises(SlackApiError):
        await rotating.one.post(rotating.acme, alerts(rotating), "refused")
    assert await rotating.one.post(rotating.acme, alerts(rotating), "with a new one")
    assert rotating.refreshes == 1


async def test_an_install_during_a_refresh_wins(rotating: Replicas, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    nearly_over(rotating)
    answered = Permissions()
    rotating.slack.break_next("oauth.v2.access", delay=answered)
    posting = asyncio.create_task(rotating.one.post(rotating.acme, alerts(rotating), "hello"))
    await answered.reached.wait()
    await rotating.install(by=rotating.other)
    answered.set()
    await asyncio.gather(posting, return_exceptions=True)
    await rotating.one.rotation.close(5)

    forget_memory(rotating.one)
    token = await rotating.one.post(rotating.acme, alerts(rotating), "with the newest")
    assert rotating.acme.install is not None
    assert token == rotating.acme.install.bot_token


@sqlite_only
async def test_new_tokens_are_not_lost_over_a_database_that_is_away_for_a_moment(
    rotating: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearly_over(rotating)
    renew, failures = rotating.one.records.renew, [OSError("away"), OSError("away")]

    async def stumbling(old: Installation, tokens: Tokens) -> bool:
        if failures:
            raise failures.pop()
        return await renew(old, tokens)

    monkeypatch.setattr(rotating.one.records, "renew", stumbling)
    token = await rotating.one.post(rotating.acme, alerts(rotating), "hello")

    assert rotating.acme.install is not None
    assert token == rotating.acme.install.bot_token
    assert await rotating.other.post(rotating.acme, alerts(rotating), "there too") == token
    assert rotating.refreshes == 1


@sqlite_only
async def test_a_stop_waits_for_a_refresh_under_way(rotating: Replicas) -> None:
    nearly_over(rotating)
    answered = Permissions()
    rotating.slack.break_next("oauth.v2.access", delay=answered)
    posting = asyncio.create_task(rotating.one.post(rotating.acme, alerts(rotating), "hello"))
    await answered.reached.wait()
    posting.cancel()  # whoever wanted the token is gone, but the answer must be kept
    closing = asyncio.create_task(rotating.one.rotation.close(5))
    answered.set()
    await closing
    installation = await rotating.other.records.at(rotating.acme.id)
    assert installation is not None
    assert rotating.acme.install is not None
    assert installation.tokens.bot_token == rotating.acme.install.bot_token
