"""A small checker of the limits our views keep, stricter than Slack's where Slack's are not documented; the local Slack
of the sandbox has its say too."""

import json
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack import blockkit as local_slack

_TEXT_LIMITS = {"section": 3_000, "context": 2_000, "header": 150}
_STYLES = {"bold", "italic", "strike", "code"}
_RICH = {
    "rich_text_section": {"type", "elements"},
    "rich_text_quote": {"type", "elements", "border"},
    "rich_text_preformatted": {"type", "elements", "border"},
    "rich_text_list": {"type", "elements", "style", "indent", "offset", "border"},
}


def check_message(message: Any) -> None:
    assert 0 < len(message.text) <= 4_000
    assert 0 < len(message.blocks) <= 50
    total = sum(len(text) for text in texts(message.blocks))
    assert total <= 12_000, f"{total} characters of text in one message"
    assert local_slack.check_blocks(message.blocks, "message") == []
    check_blocks(message.blocks)


def check_modal(view: dict[str, Any]) -> None:
    assert view["type"] == "modal"
    for name in ("title", "submit", "close"):
        if name in view:
            _check_text(view[name], 24)
            assert view[name]["type"] == "plain_text"
    assert len(view["private_metadata"]) <= 3_000
    assert 0 < len(view["blocks"]) <= 100
    assert len(json.dumps(view)) <= 250_000
    assert local_slack.check_view(view, "modal") == []
    if any(block["type"] == "input" for block in view["blocks"]):
        assert "submit" in view
    check_blocks(view["blocks"])


def check_blocks(blocks: list[dict[str, Any]]) -> None:
    """For blocks of any number, such as a document's before it is paged."""
    names = [block["block_id"] for block in blocks if "block_id" in block]
    assert len(names) == len(set(names))
    for block in blocks:
        _check_block(block)


def texts(part: Any) -> Iterator[str]:
    """Every text a reader sees."""
    if isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield part["text"]
        elif part.get("type") == "link":
            yield part["url"]
        for value in part.values():
            if isinstance(value, dict | list):
                yield from texts(value)
    elif isinstance(part, list):
        for element in part:
            yield from texts(element)


def shown(part: Any) -> str:
    return "\n".join(texts(part))


def mrkdwn(part: Any) -> Iterator[str]:
    """The texts in which Slack's tokens are live."""
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield part["text"]
        for value in part.values():
            yield from mrkdwn(value)
    elif isinstance(part, list):
        for element in part:
            yield from mrkdwn(element)


def buttons(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The buttons by their text, and what menus hold as the buttons that it stands for."""
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    pressed = [each for row in rows for element in row for each in _pressable(element)]
    return {each["text"]["text"]: _as_button(each) for each in pressed}


def _pressable(element: dict[str, Any]) -> list[dict[str, Any]]:
    if element["type"] == "overflow":
        return list(element["options"])
    return [element] if element["type"] == "button" else []


def _as_button(element: dict[str, Any]) -> dict[str, Any]:
    if "action_id" in element:
        return element
    action_id, _, value = element["value"].partition(" ")
    return element | {"action_id": action_id, "value": value}


def links(part: Any) -> list[tuple[str, str]]:
    """(label, target) of every rich_text link."""
    found = []
    if isinstance(part, dict):
        if part.get("type") == "link":
            found.append((part.get("text", ""), part["url"]))
        for value in part.values():
            found += links(value)
    elif isinstance(part, list):
        for element in part:
            found += links(element)
    return found


def _check_block(block: dict[str, Any]) -> None:
    kind = block["type"]
    if kind in {"section", "header"}:
        _check_text(block["text"], _TEXT_LIMITS[kind])
    elif kind == "context":
        assert 1 <= len(block["elements"]) <= 10
        for element in block["elements"]:
            _check_text(element, 2_000)
    elif kind == "actions":
        ids = [element["action_id"] for element in block["elements"]]
        assert 1 <= len(ids) == len(set(ids)) <= 25
        for element in block["elements"]:
            _check_element(element)
    elif kind == "rich_text":
        assert block["elements"]
        assert sum(len(text) for text in texts(block)) <= 3_000
        for element in block["elements"]:
            _check_rich(element)
    elif kind == "image":
        assert 1 <= len(block["alt_text"]) <= 2_000
        assert block["image_url"].startswith("https://")
        assert len(block["image_url"]) <= 3_000
    elif kind == "table":
        _check_table(block)
    else:
        _check_rest(block)


def _check_rest(block: dict[str, Any]) -> None:
    if block["type"] == "input":
        _check_text(block["label"], 2_000)
        _check_element(block["element"])
    elif block["type"] == "context_actions":
        assert 1 <= len(block["elements"]) <= 5
        for element in block["elements"]:
            assert element["type"] == "feedback_buttons"
            for pressed in (element["positive_button"], element["negative_button"]):
                _check_text(pressed["text"], 75)
                assert 1 <= len(pressed["value"]) <= 2_000
    else:
        assert block["type"] == "divider", block["type"]


def _check_table(block: dict[str, Any]) -> None:
    assert len({len(row) for row in block["rows"]}) == 1
    for cell in (cell for row in block["rows"] for cell in row):
        assert cell["type"] in {"raw_text", "rich_text"}
        if cell["type"] == "rich_text":
            _check_block(cell)


def _check_text(text: dict[str, Any], limit: int) -> None:
    assert text["type"] in {"plain_text", "mrkdwn"}
    assert 1 <= len(text["text"]) <= limit, text["text"]
    if text["type"] == "plain_text":
        assert text["emoji"] is False
        assert "verbatim" not in text


def _check_element(element: dict[str, Any]) -> None:
    assert 1 <= len(element["action_id"]) <= 255
    if element["type"] == "button":
        _check_text(element["text"], 75)
        assert len(element.get("value", "")) <= 2_000
        assert len(element.get("url", "")) <= 3_000
        if "confirm" in element:
            _check_confirm(element["confirm"])
    elif element["type"] == "plain_text_input":
        assert element.get("max_length", 1) <= 3_000
        assert len(element.get("initial_value", "")) <= element.get("max_length", 3_000)
        assert element.get("initial_value", "x") != ""
    elif element["type"] == "overflow":
        assert 1 <= len(element["options"]) <= 5
        for item in element["options"]:
            _check_text(item["text"], 75)
            assert 1 <= len(item["value"]) <= 75
            assert len(item.get("url", "")) <= 3_000
    elif element["type"] == "checkboxes":
        assert 1 <= len(element["options"]) <= 10
    elif element["type"] == "users_select":
        assert element["placeholder"]
    else:
        least, most = {"static_select": (1, 100), "overflow": (2, 5)}[element["type"]]
        assert least <= len(element["options"]) <= most
        assert element.get("initial_option", element["options"][0]) in element["options"]
        assert ("placeholder" in element) or "initial_option" in element or element["type"] == "overflow"
        for option in element["options"]:
            _check_text(option["text"], 75)
            assert 1 <= len(option["value"]) <= 150


def _check_confirm(confirm: dict[str, Any]) -> None:
    for name, limit in {"title": 100, "text": 300, "confirm": 30, "deny": 30}.items():
        _check_text(confirm[name], limit)


def _check_rich(element: dict[str, Any]) -> None:
    kind = element["type"]
    assert set(element) <= _RICH[kind], element
    assert element["elements"]
    if kind == "rich_text_list":
        assert 0 <= element["indent"] <= 8
        assert element.get("offset", 0) >= 0
        for item in element["elements"]:
            assert item["type"] == "rich_text_section"
            _check_rich(item)
        return
    for run in element["elements"]:
        _check_run(run)


def _check_run(run: dict[str, Any]) -> None:
    assert set(run.get("style", {})) <= _STYLES
    if run["type"] == "text":
        assert run["text"]
    elif run["type"] == "link":
        assert run["url"].startswith(("https://", "http://"))
        assert len(run["url"]) <= 3_000
        assert run.get("text", "x")
    elif run["type"] == "date":
        assert run["timestamp"] > 0
        assert run["format"]
        assert run["fallback"].endswith("UTC")
    else:
        assert run["type"] in {"user", "emoji"}  # and never broadcast, usergroup or channel
