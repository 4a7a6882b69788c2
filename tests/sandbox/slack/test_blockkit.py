"""Slack's judgement on blocks: what stands at a limit is taken, what is one over is refused, with the place and the rule."""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack.blockkit import check_blocks, check_options, check_view, stored_blocks, text_length
from tests.sandbox.slack.harness import JSON, actions, button, field, modal, mrkdwn, option, plain, section, text_input


def select(kind: str = "static_select", **more: Any) -> JSON:
    return {"type": kind, "action_id": "pick", "placeholder": plain("Pick"), **more}


def options(count: int) -> list[JSON]:
    return [option(f"option {number}") for number in range(count)]


def confirm(**more: Any) -> JSON:
    return {"title": plain("Sure?"), "text": mrkdwn("Really"), "confirm": plain("Yes"), "deny": plain("No")} | more


LIMITS: dict[str, tuple[int, Callable[[int], JSON]]] = {
    "section text": (3000, lambda n: section("x" * n)),
    "section fields": (10, lambda n: {"type": "section", "fields": [mrkdwn("x")] * n}),
    "section field text": (2000, lambda n: {"type": "section", "fields": [mrkdwn("x" * n)]}),
    "header": (150, lambda n: {"type": "header", "text": plain("x" * n)}),
    "context elements": (10, lambda n: {"type": "context", "elements": [mrkdwn("x")] * n}),
    "actions elements": (25, lambda n: actions(*(button("x", f"a{i}") for i in range(n)))),
    "button text": (75, lambda n: actions(button("x" * n, "a"))),
    "button value": (2000, lambda n: actions(button("x", "a", value="v" * n))),
    "button url": (3000, lambda n: actions(button("x", "a", url="u" * n))),
    "accessibility label": (75, lambda n: actions(button("x", "a", accessibility_label="l" * n))),
    "action_id": (255, lambda n: actions(button("x", "a" * n))),
    "block_id": (255, lambda n: section("x", block_id="b" * n)),
    "options": (100, lambda n: actions(select(options=options(n)))),
    "option text": (75, lambda n: actions(select(options=[option("x" * n, "v")]))),
    "option value": (150, lambda n: actions(select(options=[option("x", "v" * n)]))),
    "placeholder": (150, lambda n: actions(select(options=options(1), placeholder=plain("x" * n)))),
    "overflow": (5, lambda n: actions({"type": "overflow", "action_id": "o", "options": options(n)})),
    "radio buttons": (10, lambda n: actions({"type": "radio_buttons", "action_id": "r", "options": options(n)})),
    "checkboxes": (10, lambda n: actions({"type": "checkboxes", "action_id": "c", "options": options(n)})),
    "confirm title": (100, lambda n: actions(button("x", "a", confirm=confirm(title=plain("x" * n))))),
    "confirm text": (300, lambda n: actions(button("x", "a", confirm=confirm(text=mrkdwn("x" * n))))),
    "confirm button": (30, lambda n: actions(button("x", "a", confirm=confirm(confirm=plain("x" * n))))),
    "image alt text": (2000, lambda n: {"type": "image", "image_url": "https://x.y/z.png", "alt_text": "a" * n}),
    "input label": (2000, lambda n: field("x" * n, text_input())),
    "input hint": (2000, lambda n: field("x", text_input(), hint=plain("x" * n))),
    "input max_length": (3000, lambda n: field("x", text_input(max_length=n))),
    "input initial value": (3000, lambda n: field("x", text_input(initial_value="x" * n))),
    "markdown": (12_000, lambda n: {"type": "markdown", "text": "x" * n}),
    "table rows": (100, lambda n: {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * n}),
    "table columns": (20, lambda n: {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * n]}),
    "table text": (10_000, lambda n: {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * n}]]}),
    "card body": (200, lambda n: {"type": "card", "body": mrkdwn("x" * n)}),
    "card buttons": (3, lambda n: {"type": "card", "actions": [button("x", f"a{i}") for i in range(n)]}),
    "container children": (
        10,
        lambda n: {"type": "container", "title": plain("x"), "child_blocks": [section("y")] * n},
    ),
}


def test_what_stands_at_a_limit_is_taken_and_one_over_is_refused() -> None:
    for name, (limit, block) in LIMITS.items():
        assert check_blocks([block(limit)], "message") == [], name
        assert check_blocks([block(limit + 1)], "message") != [], name


REFUSED: dict[str, tuple[JSON, str]] = {
    "unknown block": ({"type": "poem"}, "unsupported type: poem [json-pointer:/blocks/0/type]"),
    "empty text": (section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "unknown member": (section("x", colour="red"), "no additional properties allowed: colour [json-pointer:/blocks/0]"),
    "no text and no fields": ({"type": "section"}, "at least one of text, fields is needed [json-pointer:/blocks/0]"),
    "mrkdwn on a button": (
        actions({"type": "button", "text": mrkdwn("x"), "action_id": "a"}),
        "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]",
    ),
    "emoji in mrkdwn": (
        {"type": "section", "text": {**mrkdwn("x"), "emoji": True}},
        "no additional properties allowed: emoji [json-pointer:/blocks/0/text]",
    ),
    "odd style": (
        actions(button("x", "a", style="bold")),
        "must be one of primary, danger [json-pointer:/blocks/0/elements/0/style]",
    ),
    "no elements": (actions(), "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
    "one action_id twice": (
        actions(button("x", "a"), button("y", "a")),
        "action_id already exists in this block [json-pointer:/blocks/0/elements]",
    ),
    "text input among actions": (
        actions(text_input()),
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
    "multi select among actions": (
        actions(select("multi_static_select", options=options(1))),
        "unsupported type: multi_static_select [json-pointer:/blocks/0/elements/0/type]",
    ),
    "options and groups": (
        actions(select(options=options(1), option_groups=[{"label": plain("g"), "options": options(1)}])),
        "exactly one of options, option_groups is needed [json-pointer:/blocks/0/elements/0]",
    ),
    "initial option that is not listed": (
        actions(select(options=options(2), initial_option=option("stranger"))),
        "must be among the options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    "odd date": (
        actions({"type": "datepicker", "action_id": "d", "initial_date": "tomorrow"}),
        "must be a date as YYYY-MM-DD [json-pointer:/blocks/0/elements/0/initial_date]",
    ),
    "min over max": (
        field("x", text_input(min_length=9, max_length=3)),
        "must not be more than max_length [json-pointer:/blocks/0/element/min_length]",
    ),
}


def test_a_refusal_names_the_rule_and_the_place() -> None:
    for block, complaint in REFUSED.values():
        assert complaint in check_blocks([block], "message")


def test_50_blocks_in_a_message_100_in_a_view() -> None:
    assert check_blocks([section("x")] * 50, "message") == []
    assert check_blocks([section("x")] * 51, "message") == ["no more than 50 items allowed [json-pointer:/blocks]"]
    assert check_view(modal(*[section("x")] * 100), "modal") == []
    assert check_view(modal(*[section("x")] * 101), "modal") == [
        "no more than 100 items allowed [json-pointer:/view/blocks]"
    ]


SURFACES = {
    "markdown": ({"type": "markdown", "text": "x"}, {"message"}),
    "table": ({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}, {"message", "home"}),
    "alert": ({"type": "alert", "text": mrkdwn("x")}, {"modal"}),
    "container": ({"type": "container", "title": plain("x"), "child_blocks": [section("y")]}, {"message"}),
    "feedback": (
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "action_id": "f",
                    "positive_button": {"text": plain("+"), "value": "1"},
                    "negative_button": {"text": plain("-"), "value": "0"},
                }
            ],
        },
        {"message"},
    ),
    "file input": (field("x", {"type": "file_input", "action_id": "f"}), {"modal"}),
    "section": (section("x"), {"message", "modal", "home"}),
}


def test_each_block_only_on_its_surfaces() -> None:
    for name, (block, allowed) in SURFACES.items():
        taken = {surface for surface in ("message", "modal", "home") if not check_blocks([block], surface)}
        assert taken == allowed, name


def test_block_ids_are_unique_in_a_message() -> None:
    twice = [section("x", block_id="b"), section("y", block_id="b")]

    assert check_blocks(twice, "message") == ["block_id already exists: b [json-pointer:/blocks/1/block_id]"]


def test_markdown_counts_in_sum_and_there_is_one_table() -> None:
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}

    assert check_blocks([{"type": "markdown", "text": "x" * 6001}] * 2, "message")
    assert check_blocks([table, table], "message") == ["only one table is allowed in a message [json-pointer:/blocks]"]


VIEWS: dict[str, tuple[JSON, str]] = {
    "title": (modal(section("x"), title="x" * 25), "must be less than 25 characters [json-pointer:/view/title/text]"),
    "submit": (
        modal(section("x"), submit="x" * 25),
        "must be less than 25 characters [json-pointer:/view/submit/text]",
    ),
    "private_metadata": (
        modal(section("x"), private_metadata="x" * 3001),
        "must be less than 3001 characters [json-pointer:/view/private_metadata]",
    ),
    "input without submit": (
        modal(field("x", text_input()), submit=None),
        "missing required field: submit (there is an input block) [json-pointer:/view]",
    ),
    "unknown member": (
        modal(section("x"), colour="red"),
        "no additional properties allowed: colour [json-pointer:/view]",
    ),
    "home as modal": ({"type": "home", "blocks": []}, "must be modal [json-pointer:/view/type]"),
    "two fields in focus": (
        modal(
            field("x", text_input("a", focus_on_load=True)),
            field("y", text_input("b", focus_on_load=True)),
        ),
        "only one element may have focus_on_load [json-pointer:/view/blocks]",
    ),
}


def test_a_modal_has_limits_of_its_own() -> None:
    for view, complaint in VIEWS.values():
        assert complaint in check_view(view, "modal")


def test_a_modal_at_its_limits_is_taken() -> None:
    view = modal(field("x", text_input()), title="x" * 24, submit="x" * 24, private_metadata="x" * 3000)

    assert check_view(view | {"callback_id": "c" * 255, "close": plain("x" * 24)}, "modal") == []


def test_options_for_a_select_up_to_100() -> None:
    assert check_options({"options": []}) == []
    assert check_options({"options": options(100)}) == []
    assert check_options({"options": options(101)}) == ["no more than 100 items allowed [json-pointer:/options]"]
    assert check_options({"option_groups": [{"label": plain("g"), "options": options(100)}] * 100}) == []
    assert check_options({}) != []


def test_stored_blocks_have_ids_and_say_all_of_themselves() -> None:
    sent = [section("x", accessory={"type": "button", "text": plain("y")})]
    stored = stored_blocks(sent)

    assert "block_id" not in sent[0], "the sender's own blocks are left alone"
    assert stored[0]["block_id"]
    assert stored[0]["accessory"]["action_id"]
    assert stored[0]["text"]["verbatim"] is False
    assert stored_blocks(stored) == stored
    assert check_blocks(stored, "message") == []


def test_the_length_of_all_text_in_a_message() -> None:
    assert text_length([section("four"), actions(button("five5", "a")), {"type": "divider"}]) == 9


odd_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "options"]), inner),
    max_leaves=8,
)
sound_blocks = st.sampled_from([block(1) for _, block in LIMITS.values()] + [block for block, _ in SURFACES.values()])


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a block, so that any part of it can be spoiled."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [place for key, inner in pairs for place in [(value, key), *places_in(inner)]]


@given(st.data(), sound_blocks, odd_values)
def test_whatever_stands_anywhere_in_a_block_it_is_judged_never_a_crash(
    data: st.DataObject, block: JSON, odd: Any
) -> None:
    spoiled = copy.deepcopy(block)
    container, key = data.draw(st.sampled_from(places_in(spoiled)))
    container[key] = odd

    complaints = check_blocks([spoiled], "message")

    assert all("[json-pointer:/blocks" in complaint for complaint in complaints)
    if not complaints:
        assert check_blocks(stored_blocks([spoiled]), "message") == []
