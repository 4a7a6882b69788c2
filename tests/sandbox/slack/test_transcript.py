"""Channels as people read them: every kind of block as text, threads indented, whispers for their reader only."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, Person
from bot.sandbox.slack.render import block_lines
from tests.sandbox.slack.harness import JSON, actions, button, field, mrkdwn, option, plain, section, text_input


def line(*elements: JSON) -> JSON:
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str) -> JSON:
    return {"type": "text", "text": text}


RICH: JSON = {
    "type": "rich_text",
    "elements": [
        line(
            words("See "),
            {"type": "link", "url": "https://x.y/z?q=1", "text": "this"},
            {"type": "emoji", "name": "eyes"},
        ),
        {"type": "rich_text_list", "style": "ordered", "offset": 1, "elements": [line(words("b")), line(words("c"))]},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [line(words("d"))]},
        {"type": "rich_text_quote", "elements": [words("said")]},
        {"type": "rich_text_preformatted", "elements": [words("x = 1\ny = 2")]},
    ],
}
PICTURE = {"type": "image", "image_url": "https://x.y/z.png", "alt_text": "a graph"}
SELECT = {"type": "static_select", "action_id": "pick", "placeholder": plain("Pick one"), "options": [option("a")]}
BOXES = {"type": "checkboxes", "action_id": "b", "options": [option("a"), option("b")]}

BLOCKS: dict[str, tuple[JSON, list[str]]] = {
    "section": (
        {"type": "section", "text": mrkdwn("*a*\nb"), "fields": [mrkdwn("*k*\nv")], "accessory": button("Go", "go")},
        ["a", "b", "k: v", "[Go]"],
    ),
    "plain text is shown as it is": ({"type": "header", "text": plain("*a* <!here> &amp;")}, ["*a* <!here> &amp;"]),
    "context": ({"type": "context", "elements": [PICTURE, mrkdwn("_by_ ana")]}, ["(image: a graph)  by ana"]),
    "actions": (actions(button("Go", "go"), SELECT, BOXES), ["[Go] [Pick one ▾] ( ) a ( ) b"]),
    "divider": ({"type": "divider"}, ["---"]),
    "image": (PICTURE, ["(image: a graph)"]),
    "input": (field("Name", text_input(), hint=plain("yours")), ["Name: (empty)", "(yours)"]),
    "rich text": (RICH, ["See this (x.y/z):eyes:", "2. b", "3. c", "  • d", "> said", "x = 1", "y = 2"]),
    "markdown": ({"type": "markdown", "text": "## T\n**b** [l](https://x.y)"}, ["T", "b l (x.y)"]),
    "table": (
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, RICH], [{"type": "raw_number", "value": 1}]]},
        ["a | See this (x.y/z):eyes: 2. b 3. c   • d > said x = 1 y = 2", "1"],
    ),
    "alert": ({"type": "alert", "text": mrkdwn("*careful*")}, ["(!) careful"]),
    "card": (
        {"type": "card", "title": mrkdwn("*T*"), "body": plain("b"), "actions": [button("Go", "go")]},
        ["T", "b", "[Go]"],
    ),
    "container": ({"type": "container", "title": plain("T"), "child_blocks": [section("x")]}, ["T", "x"]),
    "task": ({"type": "task_card", "task_id": "1", "title": "T", "status": "complete"}, ["T (complete)"]),
    "what nobody knows": ({"type": "poem"}, ["(poem)"]),
}


def test_blocks_as_people_read_them() -> None:
    for block, lines in BLOCKS.values():
        assert block_lines([block], str) == lines


async def test_a_channel_as_two_people_read_it(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, ana: Person, ben: Person
) -> None:
    alert = await slack.post_as_datadog(
        channel,
        title="Triggered: CPU on web-1",
        title_link="https://us3.datadoghq.com/monitors/1?event_id=2&from_ts=3",
        text="*cpu* is &gt; 90\n@slack-alerts",
        image_url="https://p.datadoghq.com/snapshot.png",
        fields=[{"title": "Tags", "value": "`team:core`"}],
        footer="monitor",
    )
    card = (
        await client.chat_postMessage(channel=channel.id, thread_ts=alert.ts, text="x", blocks=[section("Running")])
    )["ts"]
    done = [section(f"<@{ana.id}>, *done*"), actions(button("Details", "details"), button("Again", "again"))]
    await client.chat_update(channel=channel.id, ts=card, text="x", blocks=done, parse="none")
    await client.chat_postEphemeral(channel=channel.id, user=ben.id, thread_ts=alert.ts, text="Not yours")
    await ana.say("thanks @Bits Bot", channel, thread=alert)
    await client.reactions_add(channel=channel.id, timestamp=card, name="eyes")
    await client.chat_postMessage(channel=channel.id, thread_ts=alert.ts, reply_broadcast=True, text="For all")

    seen_by_ana = """\
#alerts
Datadog: | Triggered: CPU on web-1 (us3.datadoghq.com/monitors/1)
  | cpu is > 90
  | @slack-alerts
  | Tags: team:core
  | (image)
  | monitor
    Bits Bot (edited): @ana, done
      [Details] [Again]
      :eyes: 1
    ana: thanks @Bits Bot
    Bits Bot (also sent to the channel): For all
Bits Bot (also sent to the channel): For all"""
    assert slack.transcript(channel, ana) == seen_by_ana
    assert slack.transcript(channel) == seen_by_ana
    whisper = "    Bits Bot (only visible to you): Not yours\n"
    assert slack.transcript(channel, ben) == seen_by_ana.replace("    ana: thanks", f"{whisper}    ana: thanks")
    assert ben.reads(alert) == "\n".join(slack.transcript(channel, ben).splitlines()[1:-1])


async def test_times_only_when_asked_for(slack: FakeSlack, channel: Channel, ana: Person, clock: Any) -> None:
    clock.now = 1_800_000_000
    await ana.say("now", channel)

    assert slack.transcript(channel, times=True) == "#alerts\n08:00:00 ana: now"
