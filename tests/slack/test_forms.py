"""Forms as Slack takes them, and what they say when Slack sends them back."""

from typing import Any

from bot.sandbox.slack import blockkit as local_slack
from bot.slack.blocks import option, section
from bot.slack.forms import FormState, checkboxes, form_field, modal, multi_select, select, text_input

OPTIONS = [option("One", "1"), option("Two", "2")]


def sent(*fields: tuple[str, str, dict[str, Any]]) -> FormState:
    values: dict[str, dict[str, Any]] = {}
    for block_id, action_id, value in fields:
        values.setdefault(block_id, {})[action_id] = value
    return FormState({"state": {"values": values}})


def test_a_form_of_every_field_is_one_that_slack_takes() -> None:
    view = modal(
        "A title that is longer than Slack takes",
        [
            form_field("Text", text_input("text", "a\nb" * 100, limit=20, placeholder="p" * 500), hint="Any"),
            form_field("Lines", text_input("lines", "x" * 5_000, limit=3_000, multiline=True), optional=True),
            form_field("Choice", select("choice", OPTIONS, "2"), sends_changes=True),
            form_field("Several", multi_select("several", OPTIONS, ["1", "3"]), block_id="several:1"),
            form_field("Boxes", checkboxes("boxes", OPTIONS), optional=True),
        ],
        callback_id="form",
        metadata="key",
        submit="Save",
    )

    assert local_slack.check_view(view, "modal") == []
    assert [block["block_id"] for block in view["blocks"]] == ["text", "lines", "choice", "several:1", "boxes"]
    assert view["blocks"][2]["element"]["initial_option"] == OPTIONS[1]
    assert view["blocks"][3]["element"]["initial_options"] == OPTIONS[:1]
    assert "initial_options" not in view["blocks"][4]["element"]


def test_a_window_is_cancelled_where_something_can_be_submitted_and_closed_where_not() -> None:
    blocks = [section("Hello")]
    assert modal("T", blocks, callback_id="c", submit="Save")["close"]["text"] == "Cancel"
    without = modal("T", blocks, callback_id="c")
    assert without["close"]["text"] == "Close"
    assert "submit" not in without
    assert modal("T", blocks, callback_id="c", submit="Retry", close="Close")["close"]["text"] == "Close"


def test_fields_are_read_by_their_action_whatever_block_they_stand_in() -> None:
    form = sent(
        ("list:0", "chosen", {"selected_options": [{"value": "1"}, {"value": "2"}]}),
        ("list:1", "chosen", {"selected_options": [{"value": "3"}]}),
        ("note:7", "note", {"value": " two\u200b words\r\n"}),
        ("who", "who", {"selected_user": "U1"}),
        ("team", "team", {"selected_users": ["U1", "U2"]}),
        ("kind:x", "kind", {"selected_option": {"value": "MONITOR"}}),
    )

    assert form.choices("chosen") == ("1", "2", "3")
    assert (form.text("note"), form.typed("note")) == ("two words", " two\u200b words\r\n")
    assert (form.person("who"), form.people("team")) == ("U1", ("U1", "U2"))
    assert form.choice("kind") == "MONITOR"
    assert (form.block_id("chosen"), form.block_id("kind")) == ("list:0", "kind:x")


def test_what_is_left_empty_or_is_not_there_is_empty() -> None:
    for form in (
        sent(("f", "f", {"value": None, "selected_option": None, "selected_options": None, "selected_user": None})),
        FormState({}),
        FormState({"state": None, "blocks": None}),
    ):
        assert (form.text("f"), form.choice("f"), form.person("f")) == ("", "", "")
        assert (form.choices("f"), form.people("f"), tuple(form.offered("f"))) == ((), (), ())
        assert form.block_id("f") == "f"


def test_what_was_offered_is_told_apart_from_what_was_chosen() -> None:
    view = modal("T", [form_field("Several", multi_select("several", OPTIONS, ["1"]))], callback_id="c", submit="Go")
    assert list(FormState(view).offered("several")) == ["1", "2"]
