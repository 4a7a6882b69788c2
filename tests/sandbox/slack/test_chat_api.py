"""chat.*: what is posted, edited and deleted, and each reason for which Slack refuses it."""

import json
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, Message, Person
from tests.sandbox.slack.harness import actions, button, error_of, mrkdwn, refusal, section

KEY = {"event_type": "bits_bot_post", "event_payload": {"key": "card-1"}}


async def post(client: AsyncWebClient, channel: Channel, **more: Any) -> Message:
    answer = await client.chat_postMessage(channel=channel.id, **({"text": "hello"} | more))
    message = channel.message(answer["ts"])
    assert message is not None
    return message


async def test_a_post_is_seen_and_answered_with_what_slack_stored(client: AsyncWebClient, channel: Channel) -> None:
    answer = await client.chat_postMessage(channel="#alerts", text="hello", blocks=[section("*hello*")], metadata=KEY)

    assert answer["channel"] == channel.id
    assert answer["message"]["blocks"][0]["block_id"]
    assert answer["message"]["metadata"] == KEY
    assert answer["message"]["app_id"] == "A0BITS"
    assert [message.shown for message in channel.messages] == ["hello"]


async def test_posts_that_are_refused(client: AsyncWebClient, channel: Channel) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"text": ""}, "no_text"),
        ({"channel": "C9999"}, "channel_not_found"),
        ({"thread_ts": "1.000001"}, "thread_not_found"),
        ({"blocks": "{nonsense"}, "invalid_blocks_format"),
        ({"blocks": [section("x" * 3000)] * 5}, "msg_blocks_too_long"),
        ({"attachments": [{"text": "x"}] * 101}, "too_many_attachments"),
        ({"metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"metadata": {"event_type": "x", "event_payload": {"x": "y" * 4000}}}, "metadata_too_large"),
        ({"markdown_text": "*x*", "text": "x"}, "markdown_text_conflict"),
    ]
    for arguments, error in cases:
        call = client.api_call("chat.postMessage", json={"channel": channel.id, "text": "x"} | arguments)
        assert await error_of(call) == error
        assert channel.messages == []


async def test_bad_blocks_are_refused_with_the_place(client: AsyncWebClient, channel: Channel) -> None:
    refused = await refusal(client.chat_postMessage(channel=channel.id, text="x", blocks=[section("x" * 3001)]))

    assert refused.response["error"] == "invalid_blocks"
    assert refused.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_channels_the_bot_may_not_post_in(slack: FakeSlack, client: AsyncWebClient) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"member": False}, "not_in_channel"),
        ({"member": False, "private": True}, "channel_not_found"),
        ({"archived": True}, "is_archived"),
        ({"posting": "restricted"}, "restricted_action"),
    ]
    for furnished, error in cases:
        channel = slack.workspace.add_channel("elsewhere", **furnished)

        assert await error_of(client.chat_postMessage(channel=channel.id, text="x")) == error


async def test_with_chat_write_public_a_public_channel_needs_no_membership(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.workspace.scopes.add("chat:write.public")
    channel = slack.workspace.add_channel("open", member=False)
    closed = slack.workspace.add_channel("closed", member=False, private=True)

    await client.chat_postMessage(channel=channel.id, text="x")
    assert await error_of(client.chat_postMessage(channel=closed.id, text="x")) == "channel_not_found"


async def test_a_locked_thread_and_a_reply_to_a_reply(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel
) -> None:
    parent = await post(client, channel)
    reply = await post(client, channel, thread_ts=parent.ts)

    assert (
        await error_of(client.chat_postMessage(channel=channel.id, text="x", thread_ts=reply.ts))
        == "cannot_reply_to_message"
    )
    channel.posting = "threads_locked"
    locked = client.chat_postMessage(channel=channel.id, text="x", thread_ts=parent.ts)
    assert await error_of(locked) == "restricted_action_thread_locked"
    assert slack.transcript(channel) == "#alerts\nBits Bot: hello\n    Bits Bot: hello"


async def test_a_missing_scope_is_named(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    slack.workspace.scopes.discard("chat:write")
    refused = await refusal(client.chat_postMessage(channel=channel.id, text="x"))

    assert refused.response["error"] == "missing_scope"
    assert refused.response["needed"] == "chat:write"
    assert "commands" in refused.response["provided"]


async def test_a_long_bare_text_is_cut_into_several_messages(client: AsyncWebClient, channel: Channel) -> None:
    await client.chat_postMessage(channel=channel.id, text="x" * 9000, metadata=KEY)

    assert [len(message.text) for message in channel.messages] == [4000, 4000, 1000]
    assert [message.metadata for message in channel.messages] == [KEY, None, None]


async def test_an_edit_keeps_what_it_does_not_name(client: AsyncWebClient, channel: Channel) -> None:
    message = await post(client, channel, blocks=[section("old")], metadata=KEY)

    await client.chat_update(channel=channel.id, ts=message.ts, blocks=[section("new")], text="new")
    assert (message.shown, message.metadata, message.edits) == ("new", KEY, 1)
    await client.chat_update(channel=channel.id, ts=message.ts, text="newer", metadata={})
    assert (message.text, message.shown, message.metadata) == ("newer", "new", None)
    await client.chat_update(channel=channel.id, ts=message.ts, text="bare", blocks=[])
    assert message.shown == "bare"


async def test_edits_that_are_refused(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    alert = await slack.post_as_datadog(
        channel, title="Triggered: CPU", title_link="https://app.datadoghq.com/monitors/1"
    )
    message = await post(client, channel)

    assert await error_of(client.chat_update(channel=channel.id, ts=alert.ts, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=channel.id, ts=alert.ts)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel=channel.id, ts="1.000001", text="x")) == "message_not_found"
    assert await error_of(client.chat_update(channel=channel.id, ts=message.ts, text="x" * 4001)) == "msg_too_long"
    empty = client.api_call("chat.update", json={"channel": channel.id, "ts": message.ts, "text": ""})
    assert await error_of(empty) == "no_text"


async def test_a_deleted_message_leaves_a_stone_when_it_has_a_thread(client: AsyncWebClient, channel: Channel) -> None:
    alone, parent = await post(client, channel), await post(client, channel)
    await post(client, channel, thread_ts=parent.ts, text="a reply")

    await client.chat_delete(channel=channel.id, ts=alone.ts)
    await client.chat_delete(channel=channel.id, ts=parent.ts)

    assert [message.shown for message in channel.messages] == ["This message was deleted.", "a reply"]
    assert await error_of(client.chat_update(channel=channel.id, ts=parent.ts, text="x")) == "message_not_found"


async def test_an_ephemeral_message_is_for_one_member_only(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, ana: Person, ben: Person
) -> None:
    cleo = slack.workspace.add_user("cleo")
    await client.chat_postEphemeral(channel=channel.id, user=ana.id, text="psst", metadata=KEY)

    assert ana.sees == "#alerts: psst"
    assert ben.sees == ""
    assert slack.transcript(channel) == "#alerts"
    assert slack.transcript(channel, ana) == "#alerts\nBits Bot (only visible to you): psst"
    assert ana.ephemerals[0].metadata is None
    assert (
        await error_of(client.chat_postEphemeral(channel=channel.id, user=cleo.id, text="x")) == "user_not_in_channel"
    )


async def test_a_post_to_a_user_is_a_direct_message(client: AsyncWebClient, ana: Person) -> None:
    await client.chat_postMessage(channel=ana.id, text="for you")

    assert ana.sees == "DM from Bits Bot: for you"


async def test_permalinks_of_messages_and_replies(client: AsyncWebClient, channel: Channel) -> None:
    parent = await post(client, channel)
    reply = await post(client, channel, thread_ts=parent.ts)

    top = (await client.chat_getPermalink(channel=channel.id, message_ts=parent.ts))["permalink"]
    below = (await client.chat_getPermalink(channel=channel.id, message_ts=reply.ts))["permalink"]

    assert top == f"https://acme.slack.com/archives/{channel.id}/p{parent.ts.replace('.', '')}"
    assert below.endswith(f"?thread_ts={parent.ts}&cid={channel.id}")


async def test_whom_our_posts_ping_is_recorded(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    await post(client, channel, text=f"<@{ana.id}> @here", blocks=[section("&lt;!channel&gt;")])
    assert [(ping.kind, ping.target) for ping in slack.pings] == [("user", ana.id)]
    assert slack.broadcasts == []

    await post(client, channel, text="x", blocks=[{"type": "markdown", "text": "<!here>"}])
    await post(client, channel, text="@channel", parse="full")
    await slack.post_as_datadog(channel, text="<!everyone>")

    assert [ping.kind for ping in slack.broadcasts] == ["here", "channel"]


async def test_an_edit_reads_bare_names_unless_told_otherwise(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel
) -> None:
    message = await post(client, channel)

    await client.chat_update(channel=channel.id, ts=message.ts, text="@here", parse="none")
    assert slack.broadcasts == []
    await client.chat_update(channel=channel.id, ts=message.ts, text="@here")
    assert [ping.kind for ping in slack.broadcasts] == ["here"]


async def test_form_bodies_and_tokens_in_the_body_work_too(slack: FakeSlack, channel: Channel) -> None:
    import aiohttp

    form = {
        "token": slack.bot_token,
        "channel": channel.id,
        "blocks": json.dumps([actions(button("Go", "go")), {"type": "context", "elements": [mrkdwn("ctx")]}]),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{slack.api_url}chat.postMessage", data=form) as response,
    ):
        assert (await response.json())["ok"]

    assert channel.messages[0].shown == "[Go]\nctx"
    assert slack.calls[0].structure("blocks")[0]["type"] == "actions"
    assert slack.bot_token not in str(slack.calls)
