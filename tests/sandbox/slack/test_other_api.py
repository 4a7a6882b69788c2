"""Reading channels, people and groups, joining, reacting, tokens: the methods beside chat.* and views.*."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, Person
from tests.sandbox.slack.harness import client_of, error_of, refusal

KEY = {"event_type": "bits_bot_post", "event_payload": {"key": "card-1"}}


async def thread(client: AsyncWebClient, channel: Channel, replies: int) -> str:
    parent = (await client.chat_postMessage(channel=channel.id, text="parent", metadata=KEY))["ts"]
    for number in range(replies):
        await client.chat_postMessage(channel=channel.id, thread_ts=parent, text=f"reply {number}")
    return str(parent)


async def test_a_thread_is_read_page_by_page(client: AsyncWebClient, channel: Channel) -> None:
    parent = await thread(client, channel, 5)

    seen: list[str] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        page = await client.conversations_replies(channel=channel.id, ts=parent, limit=2, cursor=cursor)
        seen += [message["text"] for message in page["messages"]]
        cursor, pages = (page["response_metadata"]["next_cursor"] if page["has_more"] else ""), pages + 1

    assert seen == ["parent", *(f"reply {number}" for number in range(5))]
    assert pages == 3


async def test_metadata_is_given_back_only_when_all_is_asked_for(client: AsyncWebClient, channel: Channel) -> None:
    parent = await thread(client, channel, 0)

    plainly = await client.conversations_replies(channel=channel.id, ts=parent)
    wholly = await client.conversations_replies(channel=channel.id, ts=parent, include_all_metadata=True)

    assert plainly["messages"][0]["metadata"] == {"event_type": "bits_bot_post"}
    assert wholly["messages"][0]["metadata"] == KEY


async def test_history_is_newest_first_without_replies(client: AsyncWebClient, channel: Channel) -> None:
    first = await thread(client, channel, 1)
    second = await thread(client, channel, 0)

    page = await client.conversations_history(channel=channel.id)
    assert [message["ts"] for message in page["messages"]] == [second, first]
    assert page["messages"][1]["reply_count"] == 1
    later = await client.conversations_history(channel=channel.id, oldest=first)
    assert [message["ts"] for message in later["messages"]] == [second]


async def test_reading_is_refused(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    outside = slack.workspace.add_channel("outside", member=False)
    hidden = slack.workspace.add_channel("hidden", member=False, private=True)

    assert await error_of(client.conversations_history(channel=outside.id)) == "not_in_channel"
    assert await error_of(client.conversations_history(channel=hidden.id)) == "channel_not_found"
    assert await error_of(client.conversations_replies(channel=channel.id, ts="1.000001")) == "thread_not_found"
    assert await error_of(client.conversations_history(channel=channel.id, cursor="???")) == "invalid_cursor"
    slack.workspace.scopes.discard("channels:history")
    assert (await refusal(client.conversations_history(channel=channel.id))).response["needed"] == "channels:history"


async def test_the_limit_of_2025_on_reading(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    parent = await thread(client, channel, 20)
    slack.reads_limited = True

    page = await client.conversations_replies(channel=channel.id, ts=parent, limit=100)
    again = await refusal(client.conversations_replies(channel=channel.id, ts=parent))

    assert len(page["messages"]) == 15
    assert (again.response.status_code, again.response.headers["Retry-After"]) == (429, "60")


async def test_reads_that_were_not_limited_before_are_from_then_on(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel
) -> None:
    parent = await thread(client, channel, 1)
    slack.rate_limits = True
    await client.conversations_replies(channel=channel.id, ts=parent)
    slack.reads_limited = True

    await client.conversations_replies(channel=channel.id, ts=parent)

    assert await error_of(client.conversations_replies(channel=channel.id, ts=parent)) == "ratelimited"


async def test_channels_and_their_members(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    hidden = slack.workspace.add_channel("hidden", members=[ana], private=True)
    slack.workspace.add_channel("secret", private=True, member=False)

    listed = await client.conversations_list(types="public_channel,private_channel")
    assert [one["name"] for one in listed["channels"]] == ["alerts", "hidden"]
    shown = (await client.conversations_info(channel=hidden.id))["channel"]
    assert (shown["is_private"], shown["is_member"]) == (True, True)
    members = (await client.conversations_members(channel=channel.id))["members"]
    assert set(members) == channel.members


async def test_joining_and_opening_a_direct_message(slack: FakeSlack, client: AsyncWebClient, ana: Person) -> None:
    outside = slack.workspace.add_channel("outside", member=False)
    assert await error_of(client.conversations_join(channel=outside.id)) == "missing_scope"
    slack.workspace.scopes.add("channels:join")

    await client.conversations_join(channel=outside.id)
    opened = (await client.conversations_open(users=ana.id))["channel"]["id"]
    await client.chat_postMessage(channel=opened, text="hello")

    assert slack.bot_user_id in outside.members
    assert ana.sees == "DM from Bits Bot: hello"


async def test_people(slack: FakeSlack, client: AsyncWebClient, ana: Person) -> None:
    guest = slack.workspace.add_user("gus", guest=True)

    shown = (await client.users_info(user=ana.id))["user"]
    assert (shown["profile"]["email"], shown["is_restricted"]) == ("ana@example.com", False)
    assert (await client.users_info(user=guest.id))["user"]["is_restricted"]
    assert (await client.users_lookupByEmail(email="ANA@example.com"))["user"]["id"] == ana.id
    assert await error_of(client.users_lookupByEmail(email="no@example.com")) == "users_not_found"
    assert await error_of(client.users_info(user="U9999")) == "user_not_found"
    slack.workspace.scopes.discard("users:read.email")
    assert "email" not in (await client.users_info(user=ana.id))["user"]["profile"]


async def test_groups_team_and_bots(slack: FakeSlack, client: AsyncWebClient, ana: Person) -> None:
    group = slack.workspace.add_group("oncall", [ana])

    assert [one["handle"] for one in (await client.usergroups_list())["usergroups"]] == ["oncall"]
    assert (await client.usergroups_users_list(usergroup=group.id))["users"] == [ana.id]
    assert (await client.team_info())["team"]["domain"] == "acme"
    assert (await client.bots_info(bot="B0DATADOG"))["bot"]["app_id"] == "A0F7XDT7F"


async def test_reactions(client: AsyncWebClient, channel: Channel) -> None:
    ts = await thread(client, channel, 0)
    await client.reactions_add(channel=channel.id, timestamp=ts, name="eyes")

    assert await error_of(client.reactions_add(channel=channel.id, timestamp=ts, name="eyes")) == "already_reacted"
    assert channel.messages[0].reactions == {"eyes": [channel.messages[0].author.user_id]}
    await client.reactions_remove(channel=channel.id, timestamp=ts, name="eyes")
    assert channel.messages[0].reactions == {}


async def test_tokens(slack: FakeSlack, client: AsyncWebClient) -> None:
    who = await client.auth_test()
    assert (who["team_id"], who["user_id"]) == (slack.workspace.id, slack.bot_user_id)
    assert "chat:write" in who.headers["X-OAuth-Scopes"]

    assert await error_of(client_of(slack, "xoxb-nobody").auth_test()) == "invalid_auth"
    assert await error_of(client_of(slack, slack.app_token).auth_test()) == "not_allowed_token_type"
    assert await error_of(client.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    assert await error_of(client.api_call("chat.sing")) == "unknown_method"
    await client.auth_revoke()
    assert await error_of(client.auth_test()) == "token_revoked"


async def test_rate_limits_by_method(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, ana: Person, clock: Any
) -> None:
    cases: list[tuple[str, int]] = [("users.list", 20), ("conversations.info", 50), ("users.info", 100)]
    for tier in cases:
        method, per_minute = tier
        slack.rate_limits = True
        arguments = {"channel": channel.id, "user": ana.id}
        for _ in range(per_minute):
            await client.api_call(method, params=arguments)

        refused = await refusal(client.api_call(method, params=arguments))
        assert (refused.response.status_code, refused.response["error"]) == (429, "ratelimited")
        wait = int(refused.response.headers["Retry-After"])
        assert 1 <= wait <= 60 / per_minute + 1
        clock.now += wait
        await client.api_call(method, params=arguments)


async def test_about_one_post_a_second_in_each_channel(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, clock: Any
) -> None:
    slack.rate_limits = True
    other = slack.workspace.add_channel("other")
    for _ in range(5):
        await client.chat_postMessage(channel=channel.id, text="x")

    refused = await refusal(client.chat_postMessage(channel=channel.id, text="x"))
    assert refused.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel=other.id, text="x")
    clock.now += 1
    await client.chat_postMessage(channel=channel.id, text="x")
