"""Work Objects as Slack's guide describes them: what an entity may hold in a message and in its details pane, and what each
person was shown of one last."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.render import JSON

FIELDS: dict[str, frozenset[str]] = {
    "slack#/entities/task": frozenset(
        ("description", "created_by", "date_created", "date_updated", "assignee", "status", "due_date", "priority")
    ),
    "slack#/entities/incident": frozenset(
        ("status", "severity", "priority", "urgency", "created_by", "assigned_to", "date_created", "date_updated")
    )
    | {"description", "service"},
    "slack#/entities/content_item": frozenset(
        ("preview", "description", "created_by", "date_created", "date_updated", "last_modified_by")
    ),
    "slack#/entities/file": frozenset(
        ("preview", "created_by", "date_created", "date_updated", "last_modified_by", "file_size", "mime_type")
    ),
    "slack#/entities/item": frozenset(),
}
_ARRAYS = ("string", "integer", "slack#/types/channel_id", "slack#/types/user", "slack#/types/entity_ref")
_USER, _IMAGE, _REF = "slack#/types/user", "slack#/types/image", "slack#/types/entity_ref"
TYPES = {"string", "integer", "boolean", "array", _USER, _IMAGE, _REF, "slack#/types/channel_id"}
TYPES |= {f"slack#/types/{name}" for name in ("timestamp", "date", "link", "email")}
_COLOURS = {"red", "yellow", "green", "gray", "blue"}
_LINKED = {"string", "slack#/types/date", "slack#/types/timestamp"}
_ATTRIBUTES = {"title", "display_id", "display_type", "product_name", "product_icon", "full_size_preview", "locale"}
_ATTRIBUTES |= {"metadata_last_modified"}
_FIELD = {
    "value",
    "type",
    "label",
    "icon",
    "link",
    "tag_color",
    "format",
    "item_type",
    "image_url",
    "long",
    "slack_file",
}
_FIELD |= {"alt_text", "user", "boolean", "entity_ref", "edit", "key"}
_EDIT = {"enabled", "placeholder", "hint", "optional", "select", "number", "text", "boolean"}
_SELECT = {"current_value", "current_values", "static_options", "fetch_options_dynamically", "min_query_length"}
_ACTION = {"text", "action_id", "value", "style", "url", "accessibility_label", "processing_state"}
_ADDRESS = re.compile(r"https?://[^\s/]+\S*")
_STATUSES = {"restricted", "internal_error", "not_found", "custom", "custom_partial_view", "timeout", "edit_error"}
_ERROR = {"status", "custom_title", "custom_message", "message_format", "actions"}


@dataclass(slots=True)
class Pane:
    """What one person sees of a Work Object: its details, or why there are none."""

    metadata: JSON = field(default_factory=dict)
    error: JSON = field(default_factory=dict)
    opened: JSON = field(default_factory=dict)  # where it was opened from

    @property
    def fields(self) -> dict[str, JSON]:
        payload = self.metadata.get("entity_payload", {})
        named = {each["key"]: each for each in payload.get("custom_fields", ())}
        return {**payload.get("fields", {}), **named}

    @property
    def text(self) -> str:
        """As it is read, a field a line."""
        if self.error:
            return "\n".join(str(self.error[name]) for name in ("custom_title", "custom_message") if name in self.error)
        attributes = self.metadata.get("entity_payload", {}).get("attributes", {})
        head = [attributes.get("display_type", ""), attributes.get("display_id", ""), attributes["title"]["text"]]
        lines = [f"{told.get('label', name)}: {_shown(told)}" for name, told in self.fields.items()]
        return "\n".join([" ".join(filter(None, head)), *lines])


def _shown(told: JSON) -> str:
    if told.get("type") == _USER:
        return str(told["user"].get("text") or told["user"].get("user_id"))
    value = told.get("value", "")
    return "; ".join(_shown(each) for each in value) if isinstance(value, list) else str(value)


# -- what is wrong with one ---------------------------------------------------------------------------------------------

Problems = Iterator[str]


def problems_of(entity: Any, where: str) -> list[str]:
    """Nothing for a sound one."""
    return list(_entity(entity, where)) if isinstance(entity, dict) else [f"{where} must be an object"]


def problems_of_error(error: Any) -> list[str]:
    if not isinstance(error, dict):
        return ["error must be an object"]
    found = list(_unknown(error, _ERROR, "error"))
    if error.get("status") not in _STATUSES:
        found.append("error.status is none of those there are")
    if error.get("message_format", "markdown") != "markdown":
        found.append("error.message_format can only be markdown")
    return found + [
        f"error.{name} must be text" for name in _ERROR & error.keys() - {"actions"} if not _text(error[name])
    ]


def _entity(entity: JSON, where: str) -> Problems:
    yield from _unknown(entity, {"entity_type", "entity_payload", "external_ref", "url", "app_unfurl_url"}, where)
    kind, ref, payload = entity.get("entity_type"), entity.get("external_ref"), entity.get("entity_payload")
    if kind not in FIELDS:
        yield f"{where}.entity_type is none of those there are"
    if not _ADDRESS.fullmatch(str(entity.get("url"))):
        yield f"{where}.url must be an address"
    if not isinstance(ref, dict) or not _text(ref.get("id")) or not _text(ref.get("type", "x")):
        yield f"{where}.external_ref needs an id"
    elif ref.keys() - {"id", "type"}:
        yield f"{where}.external_ref holds more than an id and a type"
    if not isinstance(payload, dict):
        yield f"{where}.entity_payload must be an object"
    else:
        yield from _payload(payload, FIELDS.get(str(kind), frozenset()), f"{where}.entity_payload")


def _payload(payload: JSON, known: frozenset[str], where: str) -> Problems:
    yield from _unknown(
        payload, {"attributes", "fields", "custom_fields", "display_order", "actions", "slack_file"}, where
    )
    attributes = payload.get("attributes")
    if not isinstance(attributes, dict):
        yield f"{where}.attributes must be an object"
    else:
        yield from _unknown(attributes, _ATTRIBUTES, f"{where}.attributes")
        title = attributes.get("title")
        if not isinstance(title, dict) or not _text(title.get("text")):
            yield f"{where}.attributes.title needs a text"
        elif "edit" in title:
            yield from _edit(title["edit"], f"{where}.attributes.title")
    fields, own = payload.get("fields", {}), payload.get("custom_fields", [])
    if not isinstance(fields, dict) or not isinstance(own, list):
        yield f"{where}.fields must be an object, and custom_fields a list"
        return
    yield from _unknown(fields, known, f"{where}.fields")
    for name, told in fields.items():
        yield from _field(told, f"{where}.fields.{name}", named=False)
    for number, told in enumerate(own):
        yield from _field(told, f"{where}.custom_fields.{number}", named=True)
    order = payload.get("display_order", [])
    keys = [*fields, *(str(each.get("key")) for each in own if isinstance(each, dict))]
    if not isinstance(order, list) or set(order) - set(keys) or len(set(keys)) != len(keys):
        yield f"{where}.display_order names what is not there, or a key stands twice"
    yield from _actions(payload.get("actions", {}), f"{where}.actions")


def _field(told: Any, where: str, *, named: bool) -> Problems:
    if not isinstance(told, dict):
        yield f"{where} must be an object"
        return
    yield from _unknown(told, _FIELD if named else _FIELD - {"key"}, where)
    kind = told.get("type", "" if named else "string")
    if named and not (_text(told.get("key")) and _text(told.get("label"))):
        yield f"{where} needs a key and a label"
    if kind not in TYPES:
        yield f"{where}.type is none of those there are"
        return
    yield from _value(told, str(kind), where)
    if "tag_color" in told and (kind != "string" or told["tag_color"] not in _COLOURS or "icon" in told):
        yield f"{where}.tag_color does not go here"
    if "link" in told and (kind not in _LINKED or not _ADDRESS.fullmatch(str(told["link"]))):
        yield f"{where}.link does not go here"
    if "format" in told and (kind != "string" or told["format"] != "markdown" or told.keys() & {"icon", "link"}):
        yield f"{where}.format does not go here"
    if "edit" in told:
        yield from _edit(told["edit"], where)


def _value(told: JSON, kind: str, where: str) -> Problems:
    if kind == _USER:
        user = told.get("user")
        if not isinstance(user, dict) or ("user_id" in user) == ("text" in user):
            yield f"{where}.user needs either a user_id or a text"
        elif user.keys() - {"user_id", "text", "url", "email", "icon"}:
            yield f"{where}.user holds what no user has"
    elif kind == _IMAGE:
        if not _text(told.get("alt_text")) or not told.keys() & {"image_url", "slack_file"}:
            yield f"{where} needs alt_text and an image"
    elif kind == "array":
        items = told.get("value")
        if told.get("item_type") not in _ARRAYS or not isinstance(items, list):
            yield f"{where} needs an item_type and a list"
            return
        for number, item in enumerate(items):
            yield from _field({"type": told["item_type"], **item}, f"{where}.value.{number}", named=False)
    elif not _VALUES[kind](told.get("value")) and kind != _REF:
        yield f"{where}.value is no {kind}"


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_VALUES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: _text(value) or _whole(value),  # moments among the fields have no type
    "integer": _whole,
    "boolean": lambda value: isinstance(value, bool),
    "slack#/types/timestamp": _whole,
    "slack#/types/date": lambda value: bool(re.fullmatch(r"\d{4}-\d\d-\d\d", str(value))),
    "slack#/types/channel_id": _text,
    "slack#/types/link": lambda value: bool(_ADDRESS.fullmatch(str(value))),
    "slack#/types/email": lambda value: "@" in str(value),
    _REF: lambda _: True,
}


def _edit(edit: Any, where: str) -> Problems:
    if not isinstance(edit, dict) or not isinstance(edit.get("enabled"), bool):
        yield f"{where}.edit needs enabled"
        return
    yield from _unknown(edit, _EDIT, f"{where}.edit")
    for name in ("placeholder", "hint"):
        if name in edit and not _is_plain(edit[name], 2000):
            yield f"{where}.edit.{name} must be plain text"
    lengths = edit.get("text", {})
    if not all(_whole(size) and 0 <= size <= 3000 for size in lengths.values()) or lengths.keys() - {
        "min_length",
        "max_length",
    }:
        yield f"{where}.edit.text goes from 0 to 3000"
    select = edit.get("select", {})
    yield from _unknown(select, _SELECT, f"{where}.edit.select")
    for option in select.get("static_options", ()):
        if not _text(option.get("value")) or len(option["value"]) > 150:
            yield f"{where}: the value of an option has 1 to 150 characters"
        if not _is_plain(option.get("text"), 75) or not _is_plain(option.get("description", _PLAIN), 75):
            yield f"{where}: the words of an option have 1 to 75 characters"


_PLAIN = {"type": "plain_text", "text": "x"}


def _is_plain(told: Any, longest: int) -> bool:
    is_plain = isinstance(told, dict) and told.get("type") == "plain_text" and _text(told.get("text"))
    return is_plain and len(told["text"]) <= longest


def _actions(actions: Any, where: str) -> Problems:
    if not isinstance(actions, dict):
        yield f"{where} must be an object"
        return
    yield from _unknown(actions, {"primary_actions", "overflow_actions"}, where)
    for name, most in (("primary_actions", 2), ("overflow_actions", 5)):
        its = actions.get(name, [])
        if len(its) > most:
            yield f"{where}.{name} takes {most} at most"
        for each in its:
            yield from _unknown(each, _ACTION, f"{where}.{name}")
            if not _text(each.get("text")) or not 0 < len(each.get("action_id", "")) <= 255:
                yield f"{where}.{name}: a button needs text and action_id"
            if len(each.get("value", "")) > 2000 or len(each.get("url", "")) > 3000:
                yield f"{where}.{name}: a button carries too much"


def _unknown(told: JSON, known: set[str] | frozenset[str], where: str) -> Problems:
    return (f"{where}.{name} is unknown" for name in sorted(told.keys() - known))
