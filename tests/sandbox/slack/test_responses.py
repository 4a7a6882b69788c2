"""Response URLs: five answers in thirty minutes, for one person or for all, also where the bot is no member."""

from typing import Any

from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack import Channel, FakeSlack, Message, Person
from tests.sandbox.slack.harness import client_of, section


def hook(slack: FakeSlack, channel: Channel, person: Person, original: Message | None = None) -> AsyncWebhookClient:
    return AsyncWebhookClient(slack.response_urls.issue(channel, person.id, original))


async def test_five_answers_and_no_more(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    client = hook(slack, channel, ana)
    answers = [await client.send(text=f"answer {number}") for number in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert "used_url" in answers[-1].body
    assert len(ana.ephemerals) == 5


async def test_thirty_minutes(slack: FakeSlack, channel: Channel, ana: Person, clock: Any) -> None:
    client = hook(slack, channel, ana)
    clock.now += 30 * 60 + 1

    answer = await client.send(text="too late")

    assert (answer.status_code, "expired_url" in answer.body) == (404, True)


async def test_for_everyone_and_into_a_thread_where_the_bot_is_no_member(slack: FakeSlack, ana: Person) -> None:
    outside = slack.workspace.add_channel("outside", members=[ana], member=False)
    parent = await ana.say("a question", outside)
    client = hook(slack, outside, ana, parent)

    await client.send_dict({"text": "for you", "thread_ts": parent.ts})
    await client.send_dict({"text": "for all", "response_type": "in_channel", "thread_ts": parent.ts})

    assert ana.reads(outside) == (
        "#outside\nana: a question\n    Bits Bot (only visible to you): for you\n    Bits Bot: for all"
    )


async def test_answers_that_are_refused_on_somebody_elses_message(
    slack: FakeSlack, channel: Channel, ana: Person
) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"text": ""}, 400, "no_text"),
        ({"blocks": [section("")]}, 400, "invalid_blocks"),
        ({"blocks": [{"type": "markdown", "text": "x"}]}, 500, "internal_error"),
        ({"delete_original": True, "text": "x"}, 400, "invalid_arguments"),
        ({"replace_original": True, "text": "x"}, 400, "cant_update_message"),
        ({"delete_original": True}, 400, "cant_delete_message"),
    ]
    alert = await slack.post_as_datadog(channel, title="Triggered: CPU")
    for body, status, error in cases:
        answer = await hook(slack, channel, ana, alert).send_dict(body)

        assert (answer.status_code, error in answer.body) == (status, True)
        assert [message.shown for message in channel.messages] == ["| Triggered: CPU"]


async def test_an_answer_can_break_like_any_method(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    slack.break_next("response_url", status=500)
    client = hook(slack, channel, ana)

    assert (await client.send(text="x")).status_code == 500
    assert (await client.send(text="x")).status_code == 200
    assert [call.status for call in slack.calls_to("response_url")] == [500, 200]


async def test_our_own_message_is_replaced(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    ts = (await client_of(slack).chat_postMessage(channel=channel.id, text="x", blocks=[section("old")]))["ts"]
    message = channel.message(ts)
    client = hook(slack, channel, ana, message)

    await client.send(text="new", replace_original=True)
    assert [one.shown for one in channel.messages] == ["new"]
    await client.send_dict({"delete_original": True})
    assert channel.messages == []
