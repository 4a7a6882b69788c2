"""Blocks and attachments as lines of text, the way people see them. Pure functions from Slack's JSON."""

from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.mrkdwn import NameOf, flatten, flatten_markdown, link

JSON = dict[str, Any]
Values = dict[str, dict[str, Any]]
"""What stands in a view's inputs: block id, then action id, then Slack's value object."""


def text_of(part: JSON | None, name_of: NameOf) -> str:
    """One text object."""
    if not part:
        return ""
    words = str(part["text"])
    return flatten(words, name_of) if part["type"] == "mrkdwn" else words


def block_lines(blocks: list[JSON], name_of: NameOf, values: Values | None = None) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        lines += _LINES.get(block["type"], _unknown)(block, name_of, values or {})
    return lines


def message_lines(text: str, blocks: list[JSON], attachments: list[JSON], name_of: NameOf) -> list[str]:
    """A message's body: its blocks, or its text where it has none, then the attachments behind their bar."""
    lines = block_lines(blocks, name_of) if blocks else flatten(text, name_of).splitlines()
    for attachment in attachments:
        lines += [f"| {line}".rstrip() for line in attachment_lines(attachment, name_of)]
    return lines


def attachment_lines(attachment: JSON, name_of: NameOf) -> list[str]:
    lines = flatten(attachment.get("pretext", ""), name_of).splitlines()
    title = attachment.get("title", "")
    if title:
        lines.append(link(attachment.get("title_link", ""), title) if attachment.get("title_link") else title)
    lines += flatten(attachment.get("text", ""), name_of).splitlines()
    for field in attachment.get("fields", []):
        lines.append(f"{field.get('title', '')}: {flatten(field.get('value', ''), name_of)}")
    lines += block_lines(attachment.get("blocks", []), name_of)
    if attachment.get("image_url"):
        lines.append("(image)")
    if attachment.get("footer"):
        lines.append(attachment["footer"])
    return lines


def element_label(element: JSON) -> str:
    """What a person calls a thing to click on: a button's text, a select's placeholder."""
    if element["type"] in ("button", "icon_button", "workflow_button"):
        return str(element["text"]["text"])
    if element["type"] == "overflow":
        return "…"
    placeholder = element.get("placeholder")
    return str(placeholder["text"]) if placeholder else str(element["action_id"])


def chosen_words(value: JSON | None, name_of: NameOf = str) -> str:
    """What stands in an input, in words."""
    if value is None:
        return ""
    kind = value["type"]
    if kind.endswith(("static_select", "external_select", "checkboxes", "radio_buttons")):
        chosen = value.get("selected_options")
        single = value.get("selected_option")
        return ", ".join(entry["text"]["text"] for entry in (chosen if chosen is not None else [single]) if entry)
    for name, entry in value.items():
        if name.startswith("selected_") and entry is not None:
            return ", ".join(map(name_of, entry)) if isinstance(entry, list) else name_of(str(entry))
    return str(value.get("value") or "")


def shown_element(element: JSON, name_of: NameOf, value: JSON | None = None) -> str:
    kind = element["type"]
    if kind == "image":
        return f"(image: {element['alt_text']})"
    if kind == "feedback_buttons":
        return " ".join(f"[{element[name]['text']['text']}]" for name in ("positive_button", "negative_button"))
    if kind in ("checkboxes", "radio_buttons"):
        picked = chosen_words(value).split(", ")
        words = [text_of(entry["text"], name_of) for entry in element["options"]]
        return " ".join(f"({'x' if word in picked else ' '}) {word}" for word in words)
    if kind == "overflow":
        return f"[… {' / '.join(entry['text']['text'] for entry in element['options'])}]"
    if kind in ("button", "icon_button", "workflow_button"):
        return f"[{element_label(element)}]"
    return f"[{chosen_words(value, name_of) or element_label(element)} ▾]"


def _value(block: JSON, element: JSON, values: Values) -> JSON | None:
    found = values.get(block.get("block_id", ""), {}).get(element.get("action_id", ""))
    return found if isinstance(found, dict) else None


def _section(block: JSON, name_of: NameOf, values: Values) -> list[str]:
    lines = text_of(block.get("text"), name_of).splitlines()
    for field in block.get("fields", []):
        lines.append(text_of(field, name_of).replace("\n", ": "))
    accessory = block.get("accessory")
    if accessory:
        lines.append(shown_element(accessory, name_of, _value(block, accessory, values)))
    return lines


def _context(block: JSON, name_of: NameOf, _values: Values) -> list[str]:
    parts = [
        shown_element(part, name_of) if part["type"] == "image" else text_of(part, name_of)
        for part in block["elements"]
    ]
    return "  ".join(parts).splitlines()


def _actions(block: JSON, name_of: NameOf, values: Values) -> list[str]:
    return [" ".join(shown_element(part, name_of, _value(block, part, values)) for part in block["elements"])]


def _input(block: JSON, name_of: NameOf, values: Values) -> list[str]:
    element = block["element"]
    value = _value(block, element, values)
    shown = chosen_words(value, name_of)
    if element["type"] in ("checkboxes", "radio_buttons"):
        shown = shown_element(element, name_of, value)
    hint = block.get("hint")
    return [f"{block['label']['text']}: {shown or '(empty)'}", *([f"({hint['text']})"] if hint else [])]


def rich_text_lines(block: JSON, name_of: NameOf) -> list[str]:
    lines: list[str] = []
    for part in block["elements"]:
        if part["type"] == "rich_text_list":
            for number, item in enumerate(part["elements"], 1 + part.get("offset", 0)):
                mark = f"{number}." if part["style"] == "ordered" else "•"
                lines.append(f"{'  ' * part.get('indent', 0)}{mark} {_inline(item['elements'], name_of)}")
        else:
            prefix = "> " if part["type"] == "rich_text_quote" else ""
            lines += [f"{prefix}{line}" for line in _inline(part["elements"], name_of).splitlines()]
    return lines


def _inline(elements: list[JSON], name_of: NameOf) -> str:
    return "".join(_INLINE.get(part["type"], _unknown_inline)(part, name_of) for part in elements)


_INLINE: dict[str, Callable[[JSON, NameOf], str]] = {
    "text": lambda part, _: str(part["text"]),
    "link": lambda part, _: link(part["url"], part.get("text", "")),
    "user": lambda part, name_of: f"@{name_of(part['user_id'])}",
    "usergroup": lambda part, name_of: f"@{name_of(part['usergroup_id'])}",
    "channel": lambda part, name_of: f"#{name_of(part['channel_id'])}",
    "broadcast": lambda part, _: f"@{part['range']}",
    "emoji": lambda part, _: f":{part['name']}:",
    "date": lambda part, _: str(part.get("fallback", part["timestamp"])),
}


def _unknown_inline(part: JSON, _name_of: NameOf) -> str:
    return f"({part['type']})"


def _cell(cell: JSON, name_of: NameOf) -> str:
    if cell["type"] == "rich_text":
        return " ".join(rich_text_lines(cell, name_of))
    return str(cell.get("text", cell.get("value", "")))


def _table(block: JSON, name_of: NameOf, _values: Values) -> list[str]:
    rows = [" | ".join(_cell(cell, name_of) for cell in row) for row in block["rows"]]
    return [*([block["caption"]] if "caption" in block else []), *rows]


def _card(block: JSON, name_of: NameOf, _values: Values) -> list[str]:
    lines = [text_of(block[name], name_of) for name in ("title", "subtitle", "body", "subtext") if name in block]
    buttons = " ".join(shown_element(button, name_of) for button in block.get("actions", []))
    return [*lines, *([buttons] if buttons else [])]


def _container(block: JSON, name_of: NameOf, values: Values) -> list[str]:
    title = [text_of(block[name], name_of) for name in ("title", "subtitle") if name in block]
    heading = rich_text_lines(block["rich_text_title"], name_of) if "rich_text_title" in block else title
    return [*heading, *block_lines(block["child_blocks"], name_of, values)]


def _task_card(block: JSON, name_of: NameOf, _values: Values) -> list[str]:
    parts = [line for name in ("details", "output") if name in block for line in rich_text_lines(block[name], name_of)]
    return [f"{block['title']} ({block.get('status', 'pending')})", *parts]


def _unknown(block: JSON, _name_of: NameOf, _values: Values) -> list[str]:
    return [f"({block['type']})"]


_LINES: dict[str, Callable[[JSON, NameOf, Values], list[str]]] = {
    "section": _section,
    "header": lambda block, name_of, _: [text_of(block["text"], name_of)],
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "divider": lambda _block, _name_of, _values: ["---"],
    "image": lambda block, _name_of, _values: [f"(image: {block['alt_text']})"],
    "input": _input,
    "rich_text": lambda block, name_of, _: rich_text_lines(block, name_of),
    "markdown": lambda block, name_of, _: flatten_markdown(block["text"], name_of).splitlines(),
    "table": _table,
    "data_table": _table,
    "alert": lambda block, name_of, _: [f"(!) {text_of(block['text'], name_of)}"],
    "card": _card,
    "carousel": lambda block, name_of, values: block_lines(block["elements"], name_of, values),
    "container": _container,
    "task_card": _task_card,
    "plan": lambda block, name_of, values: [block["title"], *block_lines(block.get("tasks", []), name_of, values)],
}
