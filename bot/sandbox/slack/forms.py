"""Filling in a form as a hand would: options looked up by their words, limits of the fields kept, empty ones noticed."""

import re
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.slack.blockkit.objects import listed_options
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.places import Found, Place
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.screens import View
from bot.sandbox.slack.values import field_of, is_empty, takes_many, value_object

Suggestions = dict[tuple[str, str], list[JSON]]
"""What an external select last offered: by place and action id."""


def put(place: Place, found: Found, wanted: Any, suggested: Suggestions) -> None:
    """Leaves `wanted` in the field: words, an option's words or value, a list of those, or somebody with an id."""
    value = _value(found, wanted, suggested.get((place.key, found.action_id), []))
    place.values.setdefault(found.block_id, {})[found.action_id] = value_object(found.element, value)


def _value(found: Found, wanted: Any, offered: list[JSON]) -> Any:
    name = field_of(found.kind)
    many = takes_many(found.kind)
    if name.startswith("selected_option"):
        single = found.element.get("initial_option")
        preset = [*found.element.get("initial_options", []), *([single] if single else [])]
        known = [*listed_options(found.element), *offered, *preset]
        picked = [_option(known, one) for one in _listed(wanted)]
        return _counted(found, picked) if many else (picked[0] if picked else None)
    if name.startswith("selected_") and not name.startswith(("selected_date", "selected_time")):
        ids = [one if isinstance(one, str) else one.id for one in _listed(wanted)]
        return _counted(found, ids) if many else (ids[0] if ids else None)
    if name == "value":
        return str(wanted) if wanted not in ("", None) else None
    return wanted


def _listed(wanted: Any) -> list[Any]:
    if wanted is None:
        return []
    return list(wanted) if isinstance(wanted, (list, tuple, set)) else [wanted]


def _option(known: list[JSON], wanted: str) -> JSON:
    for option in known:
        if wanted in (option["text"]["text"], option["value"]):
            return option
    shown = ", ".join(repr(option["text"]["text"]) for option in known[:20]) or "nothing"
    raise NotOnScreen(f"{wanted!r} is not offered; there is {shown}")


def _counted(found: Found, picked: list[Any]) -> list[Any]:
    most = found.element.get("max_selected_items")
    if most is not None and len(picked) > most:
        raise NotOnScreen(f"{found.action_id} takes at most {most}")
    return picked


def dispatches(found: Found, *, enter: bool) -> bool:
    """Whether changing this field tells the app at once. `enter`: the Enter key was pressed in it."""
    if found.block["type"] != "input":
        return True
    if not found.block.get("dispatch_action"):
        return False
    if field_of(found.kind) not in ("value", "rich_text_value"):
        return True
    default = ["on_enter_pressed"]
    triggers = found.element.get("dispatch_action_config", {}).get("trigger_actions_on", default)
    return ("on_enter_pressed" if enter else "on_character_entered") in triggers


def complaints(view: View) -> dict[str, str]:
    """What Slack's own client says under the fields before it sends anything: block id to sentence."""
    found: dict[str, str] = {}
    for block in view.blocks:
        if block["type"] == "input":
            complaint = _complaint(block, view.values.get(block["block_id"], {}).get(block["element"]["action_id"]))
            if complaint:
                found[block["block_id"]] = complaint
    return found


def _complaint(block: JSON, value: JSON | None) -> str:
    if value is None or is_empty(value):
        return "" if block.get("optional") else "Please complete this required field."
    check = _CHECKS.get(value["type"])
    return check(block["element"], value["value"]) if check else ""


def _check_text(element: JSON, words: str) -> str:
    if len(words) > element.get("max_length", 3000):
        return f"Please shorten this to {element.get('max_length', 3000)} characters or fewer."
    if len(words) < element.get("min_length", 0):
        return f"Please lengthen this to {element['min_length']} characters or more."
    return ""


def _check_number(element: JSON, words: str) -> str:
    pattern = r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+"
    if not re.fullmatch(pattern, words):
        return "Please enter a number."
    low, high = float(element.get("min_value", "-inf")), float(element.get("max_value", "inf"))
    return "" if low <= float(words) <= high else f"Please enter a number between {low:g} and {high:g}."


def _check_url(_element: JSON, words: str) -> str:
    return "" if urlsplit(words).scheme in ("http", "https") else "Please enter a valid URL."


def _check_email(_element: JSON, words: str) -> str:
    return "" if re.fullmatch(r"\S+@\S+\.\S+", words) else "Please enter a valid email address."


_CHECKS = {
    "plain_text_input": _check_text,
    "number_input": _check_number,
    "url_text_input": _check_url,
    "email_text_input": _check_email,
}
