"""What is known about a person: read once in some minutes, and never guessed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.model import PersonFacts, UnknownPerson
from bot.rules.file import RuleFileProblems, channel_ids, read_rules
from bot.sandbox.slack import FakeSlack
from bot.slack.clients import BotClient, PatientClient, SingleWorkspace
from bot.slack.people import KEPT_FOR, People, _is_admin, _is_outsider
from tests.clock import Clock


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
async def home(slack: FakeSlack) -> SingleWorkspace:
    return await SingleWorkspace.connect(
        PatientClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[], trust_env_in_session=False)
    )


@pytest.fixture
async def bot_client(home: SingleWorkspace) -> BotClient:
    bot_client = await home.bot_client("")
    assert bot_client is not None
    return bot_client


async def test_admins_guests_strangers_and_members(slack: FakeSlack, home: SingleWorkspace) -> None:
    town = slack.workspace
    eva, gus = town.add_user("eva", admin=True), town.add_user("gus", guest=True)
    ola, ana = town.add_user("ola", stranger=True), town.add_user("ana")
    sre, web = town.add_group("sre", [ana]), town.add_group("web", [eva])
    people = People(home)

    assert await people.facts(town.id, eva.id) == PersonFacts(eva.id, is_admin=True, name="eva")
    assert await people.facts(town.id, gus.id) == PersonFacts(gus.id, is_guest=True, name="gus")
    assert await people.facts(town.id, ola.id) == PersonFacts(ola.id, is_outsider=True, name="ola")
    of_groups = await people.facts(town.id, ana.id, (sre.id, web.id))
    assert of_groups == PersonFacts(ana.id, groups=frozenset({sre.id}), name="ana")
    assert await people.group_handles(town.id) == {sre.id: "sre", web.id: "web"}


async def test_what_was_read_is_kept_for_some_minutes(slack: FakeSlack, home: SingleWorkspace) -> None:
    ana, clock = slack.workspace.add_user("ana"), Clock()
    people = People(home, clock=clock)
    await asyncio.gather(*(people.facts(slack.workspace.id, ana.id) for _ in range(20)))
    assert len(slack.calls_to("users.info")) == 1

    ana.user.guest = True
    clock.wind(KEPT_FOR - 1)
    assert await people.facts(slack.workspace.id, ana.id) == PersonFacts(ana.id, name="ana")
    clock.wind(1)
    assert await people.facts(slack.workspace.id, ana.id) == PersonFacts(ana.id, is_guest=True, name="ana")


async def test_an_error_is_not_kept(slack: FakeSlack, home: SingleWorkspace) -> None:
    ana, people = slack.workspace.add_user("ana"), People(home)
    slack.break_next("users.info", error="missing_scope", needed="users:read")
    assert await people.facts(slack.workspace.id, ana.id) == UnknownPerson("missing_scope users:read")
    assert await people.facts(slack.workspace.id, ana.id) == PersonFacts(ana.id, name="ana")


async def test_who_is_asked_about_elsewhere_or_nowhere_is_unknown(slack: FakeSlack, home: SingleWorkspace) -> None:
    people = People(home)
    assert await people.facts("T0OTHER", "U1") == UnknownPerson("not_installed")
    assert await people.facts(slack.workspace.id, "") == UnknownPerson("not_installed")
    assert await people.facts(slack.workspace.id, "U0NOBODY") == UnknownPerson("user_not_found")
    assert await people.group_handles("T0OTHER") == {}


async def test_a_server_without_the_method_leaves_the_person_unknown(slack: FakeSlack, home: SingleWorkspace) -> None:
    """A proxy or a half-made server may answer so: whoever can't be checked is nobody's member."""
    ana, people = slack.workspace.add_user("ana"), People(home)
    sre = slack.workspace.add_group("sre", [ana])
    for method, groups in (("users.info", ()), ("usergroups.users.list", (sre.id,))):
        slack.break_next(method, error="unknown_method")
        assert await people.facts(slack.workspace.id, ana.id, groups) == UnknownPerson("unknown_method")


async def test_an_answer_without_a_person_tells_nothing(home: SingleWorkspace, bot_client: BotClient) -> None:
    answers: list[dict[str, object]] = [{}, {"user": None}, {"user": []}, {"user": {"is_admin": True}}]

    async def users_info(**_: object) -> dict[str, object]:
        return answers.pop()

    bot_client.client.users_info = users_info  # type: ignore[method-assign, assignment]
    while answers:
        assert await People(home).facts(bot_client.workspace, "U1") == UnknownPerson("user_not_found")


async def test_a_stop_does_not_wait_for_slack(slack: FakeSlack, home: SingleWorkspace) -> None:
    ana, never = slack.workspace.add_user("ana"), asyncio.Event()
    people = People(home, patience=0.05)
    slack.break_next("users.info", delay=never)
    assert await people.facts(slack.workspace.id, ana.id) == UnknownPerson("timeout")
    await people.close(1.0)
    never.set()


def test_who_belongs_to_us() -> None:
    cases: list[tuple[dict[str, object], bool]] = [
        ({"team_id": "T1"}, False),
        ({"team_id": "T2"}, True),
        ({"team_id": "T1", "is_stranger": True}, True),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1", "teams": ["T2"]}}, False),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2", "teams": ["T2"]}}, True),
        ({"team_id": "E2", "enterprise_user": {"enterprise_id": "E2", "teams": ["T1"]}}, False),
        ({}, False),  # Slack always names the team; whoever does not has one only
    ]
    for user, outsider in cases:
        assert _is_outsider(user, "T1", "E1") is outsider


def test_an_admin_decides_in_their_own_workspace_only() -> None:
    def of(*teams: str, **more: object) -> dict[str, object]:
        return {"id": "W1", "enterprise_id": "E1", "teams": list(teams), **more}

    cases: list[tuple[dict[str, object], bool]] = [
        ({"is_admin": True, "team_id": "T1"}, True),
        ({"is_owner": True, "team_id": "T1", "enterprise_user": of("T1")}, True),
        ({"is_admin": True, "team_id": "T2", "enterprise_user": of("T2")}, False),
        ({"is_admin": False, "team_id": "T2", "enterprise_user": of("T2", is_owner=True)}, True),
        ({"is_admin": False, "team_id": "T1", "enterprise_user": of("T1")}, False),
    ]
    for user, admin in cases:
        assert _is_admin(user, "T1", "E1") is admin


async def test_who_was_deactivated_is_known_as_such(slack: FakeSlack, home: SingleWorkspace) -> None:
    dan = slack.workspace.add_user("dan", admin=True)
    dan.user.deleted = True
    facts = await People(home).facts(slack.workspace.id, dan.id)
    assert facts == PersonFacts(dan.id, is_admin=True, is_deactivated=True, name="dan")


# -- channels the rules file calls by name --------------------------------------------------------------------------


async def test_channels_are_found_by_name_on_every_page(slack: FakeSlack, bot_client: BotClient) -> None:
    made = [slack.workspace.add_channel(f"alerts-{number}") for number in range(510)]
    secret = slack.workspace.add_channel("secret", private=True)
    file = read_rules('channels: [{channel: "#alerts-509"}, {channel: secret}, {channel: C0123}]', "rules.yml")
    assert await channel_ids(bot_client, file) == {"#alerts-509": made[509].id, "#secret": secret.id}


async def test_where_slack_says_when_to_ask_again_the_start_waits(slack: FakeSlack, bot_client: BotClient) -> None:
    made = slack.workspace.add_channel("alerts")
    slack.break_next("conversations.list", retry_after=1)
    assert await channel_ids(bot_client, read_rules('channels: [{channel: "#alerts"}]', "rules.yml")) == {
        "#alerts": made.id
    }


async def test_a_start_does_not_wait_for_ever(slack: FakeSlack, bot_client: BotClient) -> None:
    slack.break_next("conversations.list", times=10, retry_after=1_000)
    with pytest.raises(RuleFileProblems) as refused:
        await channel_ids(bot_client, read_rules('channels: [{channel: "#alerts"}]', "rules.yml"))
    assert "Slack says ratelimited" in refused.value.problems[0]


async def test_who_can_t_be_asked_for_now_is_unknown_and_asked_for_later(
    slack: FakeSlack, home: SingleWorkspace
) -> None:
    ana = slack.workspace.add_user("ana")
    people = People(home)
    slack.break_next("users.info", retry_after=30)
    assert await people.facts(slack.workspace.id, ana.id) == UnknownPerson("ratelimited")
    assert await people.facts(slack.workspace.id, ana.id) == PersonFacts(ana.id, name="ana")


async def test_without_names_nothing_is_asked(slack: FakeSlack, bot_client: BotClient) -> None:
    assert await channel_ids(bot_client, read_rules("channels: [{channel: C0123}]", "rules.yml")) == {}
    assert slack.calls_to("conversations.list") == []


async def test_what_is_not_found_says_why_and_what_to_do(slack: FakeSlack, bot_client: BotClient) -> None:
    slack.workspace.scopes.discard("channels:read")
    with pytest.raises(RuleFileProblems) as refused:
        await channel_ids(bot_client, read_rules('channels: [{channel: "#a"}, {channel: "#b"}]', "rules.yml"))
    first, second = refused.value.problems
    assert "I can't find a channel #a (Slack says missing_scope for public channels)" in first
    assert "Write its id instead" in second


async def test_with_several_workspaces_each_entry_says_which() -> None:
    file = read_rules('workspaces: [{budget_per_day: 1}]\nchannels: [{channel: "#a"}, {channel: C0123}]', "rules.yml")
    with pytest.raises(RuleFileProblems) as refused:
        await channel_ids(None, file)
    assert [problem.split(": ", 1)[1].split(" (")[0] for problem in refused.value.problems] == [
        "#a needs its workspace",
        "C0123 needs its workspace",
        "#a must be written by its id",
        "each entry of workspaces needs its id",
    ]
    whole = "workspaces: [{workspace: T01, budget_per_day: 1}]\nchannels: [{channel: C0123, workspace: T01}]"
    assert await channel_ids(None, read_rules(whole, "rules.yml")) == {}
