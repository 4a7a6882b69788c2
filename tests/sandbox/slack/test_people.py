"""What people do in channels and see there: buttons, commands, shortcuts, mentions, the Home tab; against a small Bolt app."""

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, NotAcknowledged, NotOnScreen, Person
from bot.sandbox.slack.places import Address
from tests.sandbox.slack.harness import (
    Heard,
    actions,
    button,
    option,
    plain,
    posted,
    section,
)


async def test_a_button_in_a_message(app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person) -> None:
    heard = Heard()
    app.action("go")(heard)
    card = await posted(client, channel, section("Ready"), actions(button("Go", "go", value="42", style="primary")))

    seen = await ana.click("Go", on=card)

    action = heard.body["actions"][0]
    assert (action["action_id"], action["value"], action["type"]) == ("go", "42", "button")
    assert heard.body["message"]["ts"] == card.ts
    assert heard.body["container"]["is_ephemeral"] is False
    assert heard.body["channel"] == {"id": channel.id, "name": "alerts"}
    assert heard.body["user"]["id"] == ana.id
    assert (seen.answer, seen.text) == ({}, "")


async def test_a_button_by_its_address_where_labels_and_action_ids_repeat(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    heard = Heard()
    app.action("go")(heard)
    rows = [{**actions(button("Go", "go", value=name)), "block_id": name} for name in ("first", "second")]
    card = await posted(client, channel, *rows)

    await ana.click(Address("second", "go"), on=card)

    assert heard.body["actions"][0]["value"] == "second"
    for gone in (Address("second", "stop"), Address("third", "go")):
        with pytest.raises(NotOnScreen, match="no longer there"):
            await ana.click(gone, on=card)


async def test_a_part_of_one_element_by_its_address(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    heard = Heard()
    app.action("more")(heard)
    menu = {"type": "overflow", "action_id": "more", "options": [option("Mute", "m"), option("Close", "c")]}
    card = await posted(client, channel, {**section("Case"), "accessory": menu, "block_id": "case"})

    await ana.click(Address("case", "more", "c"), on=card)

    assert heard.body["actions"][0]["selected_option"]["value"] == "c"


async def test_a_confirm_dialog_can_be_declined(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    heard = Heard()
    app.action("go")(heard)
    sure = {"title": plain("Sure?"), "text": plain("It costs money."), "confirm": plain("Yes"), "deny": plain("No")}
    card = await posted(client, channel, actions(button("Go", "go", confirm=sure)))

    declined = await ana.click("Go", on=card, confirm=False)
    assert heard.bodies == []
    await ana.click("Go", on=card)

    assert declined.asked == "Sure?: It costs money. [No] [Yes]"
    assert len(heard.bodies) == 1


async def test_a_link_button_opens_its_page_and_is_sent_too(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    heard = Heard()
    app.action("open")(heard)
    card = await posted(client, channel, actions(button("Open", "open", url="https://app.datadoghq.com/")))

    seen = await ana.click("Open", on=card)

    assert seen.opened_url == "https://app.datadoghq.com/"
    assert len(heard.bodies) == 1


async def test_what_is_not_there_cannot_be_clicked(client: AsyncWebClient, channel: Channel, ana: Person) -> None:
    card = await posted(client, channel, actions(button("Go", "go"), button("Stop", "stop")))

    with pytest.raises(NotOnScreen, match="'Pause' is not there to click on; there is 'Go', 'Stop'"):
        await ana.click("Pause", on=card)
    with pytest.raises(NotOnScreen, match="has no modal open"):
        await ana.submit()


async def test_an_overflow_menu_and_a_feedback_pair(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    more, rated = Heard(), Heard()
    app.action("more")(more)
    app.action("rate")(rated)
    pair = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("Good"), "value": "up"},
        "negative_button": {"text": plain("Bad"), "value": "down"},
    }
    menu = {"type": "overflow", "action_id": "more", "options": [option("Mute", "m"), option("Close", "c")]}
    card = await posted(client, channel, section("x", accessory=menu), {"type": "context_actions", "elements": [pair]})

    await ana.click("Close", on=card)
    await ana.click("Bad", on=card)

    assert more.body["actions"][0]["selected_option"]["value"] == "c"
    assert rated.body["actions"][0]["value"] == "down"
    assert card.shown == "x\n[… Mute / Close]\n[Good] [Bad]"


async def test_a_late_or_missing_acknowledgement_is_met_as_slack_shows_it(
    slack: FakeSlack, app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    slack.delivery.ack_seconds = 0.05
    never = asyncio.Event()

    @app.command("/slow")
    async def slow(ack: Any) -> None:
        await never.wait()
        await ack()

    card = await posted(client, channel, actions(button("Go", "unheard of")))

    with pytest.raises(NotAcknowledged, match="ana sees: a warning sign beside unheard of"):
        await ana.click("Go", on=card)
    with pytest.raises(NotAcknowledged, match=r"/slow failed with the error .*no acknowledgement within 0.05 s"):
        await ana.command("/slow", in_=channel)
    never.set()


async def test_without_a_connection_nothing_works(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    with pytest.raises(NotAcknowledged, match="the app is not connected"):
        await ana.command("/bits", in_=channel)
    message = await ana.say("still here", channel)

    assert channel.messages == [message]
    assert [record.attempts for record in slack.deliveries][-1] == ["the app is not connected"]


async def test_a_command_answered_at_once_and_later(
    slack: FakeSlack, app: AsyncApp, channel: Channel, ana: Person, ben: Person
) -> None:
    later = asyncio.Event()

    @app.command("/bits")
    async def bits(ack: Any, body: dict[str, Any], respond: Any) -> None:
        await ack(f"You said {body['text']}")
        await later.wait()
        await respond("Done", response_type="in_channel")

    seen = await ana.command("/bits", "show <1> & @ben", in_=channel)
    assert seen.text == "You said show <1> & @ben"
    assert ben.sees == ""
    later.set()
    await slack.wait_for(lambda: channel.find("Done"))

    assert ana.reads(channel) == ("#alerts\nBits Bot (only visible to you): You said show <1> & @ben\nBits Bot: Done")


async def test_what_a_command_carries(
    slack: FakeSlack, app: AsyncApp, channel: Channel, ana: Person, ben: Person
) -> None:
    heard = Heard()
    app.command("/bits")(heard)
    slack.app.escapes_commands = False
    await ana.command("/bits", "a&b @ben", in_=channel)
    slack.app.escapes_commands = True
    await ana.command("/bits", "https://x.y/?a=1&b=2 @ben #alerts", in_=channel)

    plainly, escaped = heard.bodies
    assert plainly["text"] == "a&amp;b @ben"
    assert escaped["text"] == f"<https://x.y/?a=1&amp;b=2> <@{ben.id}> <#{channel.id}|alerts>"
    assert (plainly["channel_name"], plainly["user_name"], plainly["team_domain"]) == ("alerts", "ana", "acme")
    assert "thread_ts" not in plainly


async def test_a_shortcut_on_somebody_elses_message(slack: FakeSlack, app: AsyncApp, ana: Person) -> None:
    heard = Heard()
    app.shortcut("investigate_message")(heard)
    outside = slack.workspace.add_channel("outside", member=False)
    alert = await slack.post_as_datadog(
        outside, title="Triggered: CPU", title_link="https://app.datadoghq.com/monitors/1?event_id=2", text="*high*"
    )

    await ana.shortcut("investigate_message", on=alert)

    message = heard.body["message"]
    assert message["attachments"][0]["title_link"] == "https://app.datadoghq.com/monitors/1?event_id=2"
    assert (message["bot_id"], message["subtype"], message["text"]) == ("B0DATADOG", "bot_message", "")
    assert heard.body["channel"]["id"] == outside.id


async def test_a_mention_in_a_thread(slack: FakeSlack, app: AsyncApp, channel: Channel, ana: Person) -> None:
    events: list[dict[str, Any]] = []

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any], say: Any) -> None:
        events.append(event)
        await say(f"On it, <@{event['user']}>", thread_ts=event["thread_ts"])

    alert = await slack.post_as_datadog(
        channel, title="Triggered: CPU", title_link="https://app.datadoghq.com/monitors/1"
    )
    await ana.mention("investigate https://app.datadoghq.com/monitors/1?a=1&b=2", channel, thread=alert)
    await slack.wait_for(lambda: channel.find("On it"))

    assert events[0]["text"] == (
        f"<@{slack.bot_user_id}> investigate <https://app.datadoghq.com/monitors/1?a=1&amp;b=2>"
    )
    assert slack.transcript(channel) == (
        "#alerts\n"
        "Datadog: | Triggered: CPU (app.datadoghq.com/monitors/1)\n"
        "    ana: @Bits Bot investigate app.datadoghq.com/monitors/1\n"
        "    Bits Bot: On it, @ana"
    )


@pytest.mark.usefixtures("app")
async def test_where_the_app_is_no_member_it_hears_nothing(slack: FakeSlack, ana: Person) -> None:
    outside = slack.workspace.add_channel("outside", member=False)
    await ana.mention("hello", outside)
    assert slack.deliveries == []

    await ana.invite_app(outside)
    await ana.say("now you hear", outside)
    assert [record.payload["event"]["type"] for record in slack.deliveries] == ["member_joined_channel", "message"]


async def test_an_ephemeral_message_is_replaced_and_deleted_by_its_buttons(
    slack: FakeSlack, app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person, ben: Person
) -> None:
    @app.action("again")
    async def again(ack: Any, respond: Any) -> None:
        await ack()
        await respond(
            "Once more", blocks=[section("Once more"), actions(button("Away", "away"))], replace_original=True
        )

    @app.action("away")
    async def away(ack: Any, respond: Any, body: dict[str, Any]) -> None:
        await ack()
        assert "message" not in body
        await respond(delete_original=True)

    await client.chat_postEphemeral(
        channel=channel.id, user=ana.id, text="x", blocks=[actions(button("Again", "again"))]
    )
    (whispered,) = ana.ephemerals
    with pytest.raises(NotOnScreen):
        await ben.click("Again", on=whispered)

    await ana.click("Again", on=whispered)
    await slack.wait_for(lambda: "Once more" in ana.sees)
    await ana.click("Away", on=whispered)
    await slack.wait_for(lambda: not ana.ephemerals)


async def test_the_home_tab(slack: FakeSlack, app: AsyncApp, client: AsyncWebClient, ana: Person) -> None:
    heard = Heard()
    app.action("help")(heard)

    @app.event("app_home_opened")
    async def draw(event: dict[str, Any]) -> None:
        home = {"type": "home", "blocks": [section("Nothing runs"), actions(button("Help", "help"))]}
        await client.views_publish(user_id=event["user"], view=home)

    await ana.open_home()
    await slack.wait_for(lambda: ana.home)
    await ana.press("Help")

    assert ana.home is not None
    assert ana.home.text == "Nothing runs\n[Help]"
    assert heard.body["view"]["type"] == "home"
    assert heard.body["container"]["type"] == "view"


@pytest.mark.usefixtures("app")
async def test_commands_and_shortcuts_only_as_the_manifest_names_them(
    slack: FakeSlack, channel: Channel, ana: Person
) -> None:
    manifest = {
        "features": {
            "slash_commands": [{"command": "/bits", "should_escape": True}],
            "shortcuts": [{"type": "message", "callback_id": "investigate_message"}],
            "app_home": {"home_tab_enabled": True},
        },
        "oauth_config": {
            "scopes": {"bot": ["chat:write", "commands", "channels:history"], "bot_optional": ["channels:history"]}
        },
        "settings": {"event_subscriptions": {"bot_events": ["message.channels"]}},
    }
    slack.use_manifest(manifest, optional_scopes=False)
    message = await ana.mention("x", channel)

    with pytest.raises(NotOnScreen, match="/bots is not a valid command"):
        await ana.command("/bots", in_=channel)
    with pytest.raises(NotOnScreen, match="there is no global shortcut"):
        await ana.global_shortcut("investigate_message")
    with pytest.raises(NotOnScreen, match="there is no message shortcut"):
        await ana.shortcut("attach", on=message)
    assert slack.workspace.scopes == {"chat:write", "commands"}
    assert slack.deliveries == [], "no scope, no event"


async def test_a_guest_and_somebody_of_another_company(slack: FakeSlack, app: AsyncApp, channel: Channel) -> None:
    heard = Heard()
    app.command("/bits")(heard)
    guest, stranger = slack.workspace.add_user("gus", guest=True), slack.workspace.add_user("sue", stranger=True)
    shared = slack.workspace.add_channel("shared", members=[guest, stranger], shared=True)

    with pytest.raises(NotOnScreen, match="gus is not in #alerts"):
        await guest.say("x", channel)
    await stranger.say("x", shared)

    assert slack.deliveries[-1].payload["is_ext_shared_channel"] is True
    assert slack.deliveries[-1].payload["event"]["team"] == "T9999"


async def test_an_edit_and_a_reaction_are_told(slack: FakeSlack, app: AsyncApp, channel: Channel, ana: Person) -> None:
    slack.workspace.scopes.add("reactions:read")
    reacted = asyncio.Event()

    @app.event("reaction_added")
    async def seen(event: dict[str, Any]) -> None:
        assert event["reaction"] == "eyes"
        reacted.set()

    alert = await slack.post_as_datadog(
        channel, title="Triggered: CPU", title_link="https://app.datadoghq.com/monitors/1"
    )
    await slack.edit_as_datadog(
        alert, title="Recovered: CPU", title_link="https://app.datadoghq.com/monitors/1?event_id=9"
    )
    await ana.react("eyes", on=alert)
    await asyncio.wait_for(reacted.wait(), 5)

    changed = slack.deliveries[1].payload["event"]
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["attachments"][0]["title"] == "Recovered: CPU"
    assert changed["previous_message"]["attachments"][0]["title"] == "Triggered: CPU"
    assert alert.shown == "| Recovered: CPU (app.datadoghq.com/monitors/1)"
    assert slack.transcript(channel).startswith("#alerts\nDatadog (edited): | Recovered")


async def test_a_private_channel_is_closed_to_others(
    slack: FakeSlack, client: AsyncWebClient, ana: Person, ben: Person
) -> None:
    hidden = slack.workspace.add_channel("hidden", members=[ana], private=True)
    card = await posted(client, hidden, actions(button("Go", "go")))

    with pytest.raises(NotOnScreen, match="ben does not see that message"):
        await ben.click("Go", on=card)
    with pytest.raises(NotOnScreen, match="no menu of shortcuts for ben"):
        await ben.shortcut("investigate_message", on=card)
