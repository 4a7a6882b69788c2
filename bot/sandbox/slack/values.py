"""What stands in the inputs of a view or message: Slack's value objects, one shape a kind of element."""

from typing import Any

from bot.sandbox.slack.blockkit import interactive_elements
from bot.sandbox.slack.render import JSON, Values

_FIELDS: dict[str, tuple[str, str]] = {
    # kind of element: (member of the value object, member of the element that presets it)
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", ""),
}


def field_of(kind: str) -> str:
    return _FIELDS[kind][0]


def holds_value(element: JSON) -> bool:
    return element["type"] in _FIELDS


def takes_many(kind: str) -> bool:
    return field_of(kind) in (
        "selected_options",
        "selected_users",
        "selected_conversations",
        "selected_channels",
        "files",
    )


def value_object(element: JSON, value: Any) -> JSON:
    return {"type": element["type"], field_of(element["type"]): value}


def preset(element: JSON) -> JSON:
    """What stands in an element before anybody touched it."""
    name, initial = _FIELDS[element["type"]]
    return {"type": element["type"], name: element.get(initial, [] if takes_many(element["type"]) else None)}


def starting_values(blocks: list[JSON], kept: Values | None = None) -> Values:
    """The values of fresh blocks; where block id, action id and kind are as before, what people entered stays."""
    values: Values = {}
    for block in blocks:
        for element in filter(holds_value, interactive_elements(block)):
            before = (kept or {}).get(block["block_id"], {}).get(element["action_id"])
            same = before is not None and before["type"] == element["type"]
            values.setdefault(block["block_id"], {})[element["action_id"]] = before if same else preset(element)
    return values


def is_empty(value: JSON | None) -> bool:
    return value is None or value[field_of(value["type"])] in (None, "", [])
