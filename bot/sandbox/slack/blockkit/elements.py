"""Block Kit's elements, each with its limits, and the blocks that take them."""

import re
from collections.abc import Iterable
from typing import Any

from bot.sandbox.slack.blockkit.objects import (
    CONFIRM,
    DISPATCH,
    FILTER,
    ID,
    OPTION,
    OPTION_GROUPS,
    OPTIONS,
    SLACK_FILE,
    STYLE,
    TYPE,
    URL,
    distinct_values,
    initial_among_options,
    option,
    plain,
)
from bot.sandbox.slack.blockkit.rules import (
    Check,
    Problems,
    anything,
    array,
    boolean,
    exactly_one,
    integer,
    obj,
    one_of,
    string,
)

PLACEHOLDER = plain(150)
_USER_IDS = array(string(50), high=100)
_CHANNEL_IDS = array(string(50), high=100)
_AT_LEAST_ONE = integer(1, 100)


def _element(
    optional: dict[str, Check],
    *,
    required: dict[str, Check] | None = None,
    also: Iterable[Check] = (),
    focus: bool = True,
) -> Check:
    common: dict[str, Check] = {"action_id": ID}
    if focus:
        common["focus_on_load"] = boolean
    return obj({"type": TYPE, **(required or {})}, {**common, **optional}, also=also)


def _select(*names: str, **optional: Check) -> Check:
    shared: dict[str, Check] = {"placeholder": PLACEHOLDER, "confirm": CONFIRM, **optional}
    also: list[Check] = [initial_among_options(name) for name in names]
    if names:
        shared |= {"options": OPTIONS, "option_groups": OPTION_GROUPS}
        also += [exactly_one("options", "option_groups"), distinct_values]
    return _element(shared, also=also)


def _pattern(expression: str, meaning: str) -> Check:
    wanted = re.compile(expression)

    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, str) or not wanted.fullmatch(value):
            problems.add(where, f"must be {meaning}")

    return check


_DATE = _pattern(r"\d{4}-\d{2}-\d{2}", "a date as YYYY-MM-DD")
_TIME = _pattern(r"([01]\d|2[0-3]):[0-5]\d", "a time as HH:mm")
_NUMBER = _pattern(r"-?\d+(\.\d+)?", "a number written as a string")


def _typed(**optional: Check) -> Check:
    return _element({"placeholder": PLACEHOLDER, "dispatch_action_config": DISPATCH, **optional})


def _lengths_in_order(element: Any, where: str, problems: Problems) -> None:
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if isinstance(low, int) and isinstance(high, int) and low > high:
        problems.add(f"{where}/min_length", "must not be more than max_length")


def _choices(initial: str, **more: Check) -> Check:
    listed = array(option(marked=True), high=10)
    return _element(
        {"confirm": CONFIRM, **more},
        required={"options": listed},
        also=[initial_among_options(initial), distinct_values],
    )


_FEEDBACK = obj({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})
IMAGE = obj(
    {"type": TYPE, "alt_text": string(2000)},
    {"image_url": URL, "slack_file": SLACK_FILE},
    also=[exactly_one("image_url", "slack_file")],
)

ELEMENTS: dict[str, Check] = {
    "button": _element(
        {
            "url": URL,
            "value": string(2000),
            "style": STYLE,
            "confirm": CONFIRM,
            "accessibility_label": string(75),
            "agent_prompt": string(4000),
            "agent_prompt_display": anything,
            "visible_to_user_ids": _USER_IDS,
        },
        required={"text": plain(75)},
        focus=False,
    ),
    "workflow_button": _element(
        {"style": STYLE, "accessibility_label": string(75)},
        required={"text": plain(75), "workflow": anything},
        focus=False,
    ),
    "overflow": _element(
        {"confirm": CONFIRM},
        required={"options": array(option(links=True), high=5)},
        also=[distinct_values],
        focus=False,
    ),
    "image": IMAGE,
    "checkboxes": _choices("initial_options", initial_options=array(option(marked=True), high=10)),
    "radio_buttons": _choices("initial_option", initial_option=option(marked=True)),
    "static_select": _select("initial_option", initial_option=OPTION),
    "multi_static_select": _select("initial_options", initial_options=OPTIONS, max_selected_items=_AT_LEAST_ONE),
    "external_select": _select(initial_option=OPTION, min_query_length=integer(0, 3000)),
    "multi_external_select": _select(
        initial_options=OPTIONS, min_query_length=integer(0, 3000), max_selected_items=_AT_LEAST_ONE
    ),
    "users_select": _select(initial_user=string(50)),
    "multi_users_select": _select(initial_users=_USER_IDS, max_selected_items=_AT_LEAST_ONE),
    "conversations_select": _select(
        initial_conversation=string(50),
        response_url_enabled=boolean,
        filter=FILTER,
        default_to_current_conversation=boolean,
    ),
    "multi_conversations_select": _select(
        initial_conversations=_CHANNEL_IDS,
        filter=FILTER,
        default_to_current_conversation=boolean,
        max_selected_items=_AT_LEAST_ONE,
    ),
    "channels_select": _select(initial_channel=string(50), response_url_enabled=boolean),
    "multi_channels_select": _select(initial_channels=_CHANNEL_IDS, max_selected_items=_AT_LEAST_ONE),
    "datepicker": _element({"placeholder": PLACEHOLDER, "confirm": CONFIRM, "initial_date": _DATE}),
    "timepicker": _element(
        {"placeholder": PLACEHOLDER, "confirm": CONFIRM, "initial_time": _TIME, "timezone": string(100)}
    ),
    "datetimepicker": _element({"confirm": CONFIRM, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}),
    "plain_text_input": _element(
        {
            "placeholder": PLACEHOLDER,
            "dispatch_action_config": DISPATCH,
            "initial_value": string(3000, shortest=0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        also=[_lengths_in_order],
    ),
    "rich_text_input": _typed(initial_value=anything, min_lines=integer(1, 100), max_lines=integer(1, 100)),
    "email_text_input": _typed(initial_value=string(3000)),
    "url_text_input": _typed(initial_value=string(3000)),
    "number_input": _element(
        {
            "placeholder": PLACEHOLDER,
            "dispatch_action_config": DISPATCH,
            "initial_value": _NUMBER,
            "min_value": _NUMBER,
            "max_value": _NUMBER,
        },
        required={"is_decimal_allowed": boolean},
    ),
    "file_input": _element({"filetypes": array(string(50), high=100), "max_files": integer(1, 10)}, focus=False),
    "feedback_buttons": _element(
        {}, required={"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, focus=False
    ),
    "icon_button": _element(
        {
            "accessibility_label": string(75),
            "value": string(2000),
            "visible_to_user_ids": _USER_IDS,
            "confirm": CONFIRM,
        },
        required={"icon": one_of("trash"), "text": plain(75)},
        focus=False,
    ),
}

_SINGLE = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
_MULTI = tuple(f"multi_{name}" for name in _SINGLE)
_PICKED = ("checkboxes", "radio_buttons", "datepicker", "timepicker")

IN_SECTION = ("button", "workflow_button", "overflow", "image", *_PICKED, *_SINGLE, *_MULTI)
IN_ACTIONS = ("button", "workflow_button", "overflow", "datetimepicker", *_PICKED, *_SINGLE)
IN_INPUT = (
    *_PICKED,
    *_SINGLE,
    *_MULTI,
    "datetimepicker",
    "plain_text_input",
    "rich_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "file_input",
)
IN_CONTEXT_ACTIONS = ("feedback_buttons", "icon_button")
MODAL_INPUT_ONLY = ("file_input",)


def elements(names: Iterable[str]) -> dict[str, Check]:
    return {name: ELEMENTS[name] for name in names}
