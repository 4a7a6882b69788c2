"""Modals as people fill them in: fields and their limits, errors under them, searching selects, stacks of views."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, NotAcknowledged, NotOnScreen, Person
from tests.sandbox.slack.harness import (
    Heard,
    field,
    modal,
    option,
    plain,
    section,
    text_input,
)


async def test_a_form_is_filled_refused_and_sent(
    app: AsyncApp, channel: Channel, ana: Person, client: AsyncWebClient
) -> None:
    sent: list[dict[str, Any]] = []

    @app.command("/case")
    async def case(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        kind = {
            "type": "static_select",
            "action_id": "kind",
            "options": [option("Standard", "s"), option("Other", "o")],
        }
        tags = {"type": "multi_static_select", "action_id": "tags", "options": [option("a"), option("b"), option("c")]}
        view = modal(
            field("Title", text_input(max_length=5), block_id="title"),
            field("Kind", kind, block_id="kind"),
            field("Tags", tags, block_id="tags", optional=True),
            title="New case",
            submit="Create",
            callback_id="new_case",
            private_metadata="key-1",
        )
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("new_case")
    async def create(ack: Any, view: dict[str, Any]) -> None:
        values = view["state"]["values"]
        if values["title"]["words"]["value"] == "CPU":
            await ack(response_action="errors", errors={"title": "There is one already."})
            return
        sent.append(view)
        await ack()

    await ana.command("/case", in_=channel)
    form = await ana.waits_for_modal()
    assert form.text == "== New case ==\nTitle: (empty)\nKind: (empty)\nTags: (empty)\n[Cancel] [Create]"

    empty = await ana.submit()
    required = "Please complete this required field."
    assert empty.errors == {"Title": required, "Kind": required}
    await ana.fill({"Title": "too long", "Kind": "Standard", "Tags": ["a", "c"]})
    assert (await ana.submit()).errors == {"Title": "Please shorten this to 5 characters or fewer."}
    await ana.fill({"Title": "CPU"})
    assert (await ana.submit()).errors == {"Title": "There is one already."}
    assert "Title: CPU\n! There is one already." in await ana.waits_for_modal()
    await ana.fill({"Title": "Disk"})
    done = await ana.submit()

    assert done.errors == {}
    assert ana.modal is None
    values = sent[0]["state"]["values"]
    assert values["kind"]["kind"]["selected_option"]["value"] == "s"
    assert [chosen["value"] for chosen in values["tags"]["tags"]["selected_options"]] == ["a", "c"]
    assert (sent[0]["private_metadata"], sent[0]["callback_id"]) == ("key-1", "new_case")
    with pytest.raises(NotOnScreen):
        await ana.submit()


async def opened(app: AsyncApp, client: AsyncWebClient, person: Person, channel: Channel, view: dict[str, Any]) -> None:
    @app.command("/open")
    async def open_it(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    await person.command("/open", in_=channel)
    await person.waits_for_modal()


async def test_a_searching_select(app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person) -> None:
    asked: list[str] = []

    @app.options("case")
    async def cases(ack: Any, body: dict[str, Any]) -> None:
        asked.append(body["value"])
        await ack(options=[option(f"CASEM-{body['value']} Disk", "case-42")])

    heard = Heard()
    app.action("case")(heard)
    select = {
        "type": "external_select",
        "action_id": "case",
        "min_query_length": 1,
        "placeholder": plain("Find a case"),
    }
    await opened(app, client, ana, channel, modal(section("Case", accessory=select), submit=None))

    assert await ana.type_in("Find a case", "") == []
    assert await ana.type_in("Find a case", "42") == ["CASEM-42 Disk"]
    with pytest.raises(NotOnScreen, match="'CASEM-7' is not offered; there is 'CASEM-42 Disk'"):
        await ana.choose("Case", "CASEM-7")
    await ana.choose("Case", "CASEM-42 Disk")

    assert asked == ["42"]
    assert heard.body["actions"][0]["selected_option"]["value"] == "case-42"
    assert heard.body["view"]["state"]["values"][heard.body["actions"][0]["block_id"]]["case"]["selected_option"]


async def test_options_that_break_the_rules_do_not_load(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    @app.options("case")
    async def cases(ack: Any) -> None:
        await ack(options=[option("x" * 76)])

    select = {"type": "external_select", "action_id": "case", "min_query_length": 0}
    await opened(app, client, ana, channel, modal(field("Case", select)))

    with pytest.raises(NotAcknowledged, match=r"No results .*must be less than 76 characters"):
        await ana.type_in("Case")


async def test_views_pushed_updated_and_cleared(
    slack: FakeSlack, app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    answers: dict[str, dict[str, Any]] = {
        "first": {"response_action": "push", "view": modal(section("2"), title="Second", callback_id="second")},
        "second": {"response_action": "update", "view": modal(section("3"), title="Third", callback_id="third")},
        "third": {"response_action": "clear"},
    }

    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        await ack(**answers[view["callback_id"]])

    for name in answers:
        app.view(name)(submitted)
    await opened(app, client, ana, channel, modal(section("1"), title="First", callback_id="first"))

    titles = []
    while ana.modal is not None:
        titles.append(ana.modal.title)
        await ana.submit()

    assert titles == ["First", "Second", "Third"]
    assert slack.screens.stacks[ana.id] == []


async def test_an_answer_to_a_form_that_slack_cannot_read(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    @app.view("form")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"nowhere": "What?"})

    await opened(app, client, ana, channel, modal(field("x", text_input(), optional=True), callback_id="form"))

    with pytest.raises(NotAcknowledged, match=r"trouble connecting.*errors for blocks that are no inputs"):
        await ana.submit()


async def test_closing_is_told_only_where_it_was_asked_for(
    slack: FakeSlack, app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    heard = Heard()
    app.view_closed("told")(heard)
    await opened(app, client, ana, channel, modal(section("x"), callback_id="told", notify_on_close=True))
    await ana.close()
    await ana.command("/open", in_=channel)
    await ana.waits_for_modal()
    slack.screens.stacks[ana.id][0].definition["notify_on_close"] = False
    await ana.close(everything=True)

    assert heard.body["is_cleared"] is False
    assert ana.modal is None


async def test_typing_that_is_sent_while_it_happens(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    heard = Heard()
    app.action("words")(heard)
    config = {"trigger_actions_on": ["on_character_entered"]}
    eager = field("Eager", text_input("words", dispatch_action_config=config), block_id="e", dispatch_action=True)
    patient = field("Patient", text_input("words"), block_id="p", dispatch_action=True)
    await opened(app, client, ana, channel, modal(eager, patient))

    await ana.fill({"Eager": "now", "Patient": "not yet"})
    assert [body["actions"][0]["value"] for body in heard.bodies] == ["now"]
    await ana.press_enter("Patient")
    assert [body["actions"][0]["value"] for body in heard.bodies] == ["now", "not yet"]


async def test_every_kind_of_field_holds_its_value(
    app: AsyncApp, client: AsyncWebClient, channel: Channel, ana: Person, ben: Person
) -> None:
    heard = Heard()
    app.view("form")(heard)
    kinds: dict[str, dict[str, Any]] = {
        "People": {"type": "multi_users_select"},
        "Channel": {"type": "conversations_select", "response_url_enabled": True},
        "Day": {"type": "datepicker"},
        "Time": {"type": "timepicker"},
        "Moment": {"type": "datetimepicker"},
        "Number": {"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "9"},
        "Address": {"type": "url_text_input"},
        "Mail": {"type": "email_text_input"},
        "Boxes": {"type": "checkboxes", "options": [option("a"), option("b")]},
        "Radio": {"type": "radio_buttons", "options": [option("a"), option("b")]},
    }
    fields = [field(name, {"action_id": name, **kind}, block_id=name) for name, kind in kinds.items()]
    await opened(app, client, ana, channel, modal(*fields, callback_id="form"))
    entered = {
        "People": [ana, ben],
        "Channel": channel,
        "Day": "2026-11-21",
        "Time": "03:00",
        "Moment": 1_800_000_000,
        "Number": "99",
        "Address": "nowhere",
        "Mail": "nobody",
        "Boxes": ["a", "b"],
        "Radio": "b",
    }
    await ana.fill(entered)
    assert (await ana.submit()).errors == {
        "Number": "Please enter a number between 1 and 9.",
        "Address": "Please enter a valid URL.",
        "Mail": "Please enter a valid email address.",
    }
    await ana.fill({"Number": "7", "Address": "https://x.y", "Mail": "ana@x.y"})
    assert ana.modal is not None
    assert ana.modal.fields["People"] == "ana, ben"
    assert "Boxes: (x) a (x) b" in ana.modal
    await ana.submit()

    values = {name: value[name] for name, value in heard.body["view"]["state"]["values"].items()}
    assert values["People"]["selected_users"] == [ana.id, ben.id]
    assert values["Channel"]["selected_conversation"] == channel.id
    assert values["Moment"]["selected_date_time"] == 1_800_000_000
    assert [heard.body["response_urls"][0][name] for name in ("block_id", "channel_id")] == ["Channel", channel.id]
    assert values["Radio"]["selected_option"]["value"] == "b"
