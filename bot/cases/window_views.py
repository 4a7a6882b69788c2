"""The windows that a case's card opens: why a security case is closed, and its labels and attributes with the field that fits
each; and what was written into them. Pure."""

import math
import re
from collections.abc import Iterator, Sequence

from bot.cases.model import AttributeChanges, KnownCase
from bot.datadog.case_attributes import LINK, NUMBER, SELECT, Attributes, CustomAttribute, CustomValue
from bot.datadog.cases import CLOSING_REASONS, Case
from bot.datadog.links import open_url
from bot.slack.blocks import Block, context, option, section
from bot.slack.errors import TroubleWords
from bot.slack.forms import FormState, form_field, modal, multi_select, radio_buttons, select, text_input
from bot.slack.payloads import Payload
from bot.slack.text import cut, escape, one_line
from bot.wording import CASE, DATADOG

CLOSE_FORM = "case_close"
REASON = "case_reason"
ATTRIBUTES_FORM = "case_attributes"
PLAIN = "case_labels"

MOST_CUSTOM = 40  # fields in one window
_MOST_OPTIONS = 100
_VALUE_LIMIT = 3_000
_CUSTOM = re.compile(r"custom:(?P<kind>[A-Z_]{1,20}):(?P<multi>[01]):(?P<key>.{1,200})", re.DOTALL)
_PLAIN_NAME = re.compile(r"[^\s:,][^:,]{0,199}")


# -- why a security case is closed ------------------------------------------------------------------------------------


def closing_view(known: KnownCase, status: str, metadata: str) -> Block:
    options = [option(words, reason) for reason, words in CLOSING_REASONS.items()]
    name, word = escape(one_line(known.name, 60)), escape(one_line(status, 75))
    blocks = [
        section(
            f"*{name} is a security {CASE}.* {DATADOG} wants to know why it is set to {word}; until then it stays open."
        ),
        form_field("Reason", radio_buttons(REASON, options)),
    ]
    return modal(f"Close {CASE}", blocks, callback_id=CLOSE_FORM, metadata=metadata, submit="Close it")


def read_reason(view: Payload) -> str:
    """Empty where none was chosen."""
    reason = FormState(view).choice(REASON)
    return reason if reason in CLOSING_REASONS else ""


# -- labels and attributes ----------------------------------------------------------------------------------------------


def loading_view(known: KnownCase, metadata: str) -> Block:
    return _attributes_window([section(f"Asking {DATADOG} for the attributes of {escape(known.name)}…")], metadata)


def trouble_view(why: TroubleWords, metadata: str) -> Block:
    return _attributes_window([section(str(why))], metadata)


def attributes_view(case: Case, custom: Sequence[CustomAttribute], metadata: str) -> Block:
    held = {each.key: each for each in case.custom}
    listed = sorted(custom, key=lambda each: each.name.casefold())
    shown = listed[:MOST_CUSTOM]
    fields = [_field(number, each, held.get(each.key)) for number, each in enumerate(shown)]
    more = len(listed) - len(shown)
    left_out = (
        [context(f"{more} more attributes are in {DATADOG} only: a window has no room for them.")] if more else []
    )
    words = text_input(PLAIN, plain_words(case.attributes), limit=_VALUE_LIMIT, multiline=True)
    hint = "One a line, with its values: env: prod, staging. A line that is removed is removed from the case."
    labels = form_field("Labels and tags", words, hint=hint, optional=True)
    return _attributes_window([*fields, *left_out, labels], metadata, submit="Save")


def _attributes_window(blocks: list[Block], metadata: str, *, submit: str = "") -> Block:
    return modal("Labels and attributes", blocks, callback_id=ATTRIBUTES_FORM, metadata=metadata, submit=submit)


def plain_words(attributes: Attributes) -> str:
    """As they are edited; values that hold a comma can't be, and stay what they are as long as their line is left alone."""
    return "\n".join(f"{name}: {', '.join(values)}" for name, values in attributes)


def _field(number: int, attribute: CustomAttribute, held: CustomValue | None) -> Block:
    values = held.values if held else ()
    element = _element(f"{ATTRIBUTES_FORM}:{number}", attribute, values)
    block_id = f"custom:{attribute.kind}:{int(attribute.multi)}:{attribute.key}"
    several = attribute.multi and element["type"] == "plain_text_input"
    hint = " ".join(filter(None, [one_line(attribute.description, 400), "One a line." if several else ""]))
    return form_field(one_line(attribute.name, 150), element, block_id=block_id[:255], hint=hint, optional=True)


def _element(action_id: str, attribute: CustomAttribute, values: tuple[str, ...]) -> Block:
    if attribute.kind == SELECT and attribute.options:
        # what it holds is offered too, though nobody may choose it anew
        offered = [each for each in dict.fromkeys((*values, *attribute.options)) if 0 < len(each) <= 75]
        options = [option(each, each) for each in offered[:_MOST_OPTIONS]]
        return multi_select(action_id, options, values) if attribute.multi else select(action_id, options, *values[:1])
    if attribute.multi:
        return text_input(action_id, "\n".join(values), limit=_VALUE_LIMIT, multiline=True)
    value = values[0] if values else ""
    if attribute.kind == LINK and (not value or open_url(value)):
        return {"type": "url_text_input", "action_id": action_id} | ({"initial_value": value} if value else {})
    if attribute.kind == NUMBER and (not value or _is_number(value)):
        element = {"type": "number_input", "action_id": action_id, "is_decimal_allowed": True}
        return element | ({"initial_value": value} if value else {})
    return text_input(action_id, value, limit=_VALUE_LIMIT, multiline=attribute.kind != LINK and "\n" in value)


def _is_number(written: str) -> bool:
    try:
        return math.isfinite(float(written))
    except ValueError:
        return False


# -- what was written into it -------------------------------------------------------------------------------------------


def read_changes(view: Payload) -> AttributeChanges | dict[str, str]:
    """What differs from what the window showed, or what is wrong with it, a sentence for each block."""
    state, problems = FormState(view), dict[str, str]()
    custom, names = list[CustomValue](), list[tuple[str, str]]()
    before = ""
    for block in view.get("blocks") or ():
        element, block_id = block.get("element") or {}, str(block.get("block_id") or "")
        if element.get("action_id") == PLAIN:
            before = str(element.get("initial_value") or "")
        found = _CUSTOM.fullmatch(block_id)
        if found is None:
            continue
        value = CustomValue(found["key"], found["kind"], found["multi"] == "1", tuple(_entered(state, element)))
        if value.values == tuple(_shown(element)):
            continue
        if problem := next(filter(None, (_wrong(value.kind, each) for each in value.values)), ""):
            problems[block_id] = problem
        custom.append(value)
        names.append((value.key, str((block.get("label") or {}).get("text") or value.key)))
    plain = _plain_changes(before, state.text(PLAIN))
    if isinstance(plain, str):
        problems[state.block_id(PLAIN)] = plain
        plain = ()
    return problems or AttributeChanges(plain, tuple(custom), tuple(names))


def _entered(state: FormState, element: Payload) -> Iterator[str]:
    name = str(element.get("action_id") or "")
    match element.get("type"):
        case "multi_static_select":
            yield from state.choices(name)
        case "static_select":
            yield from filter(None, [state.choice(name)])
        case _:
            yield from _lines(element, state.text(name))


def _shown(element: Payload) -> Iterator[str]:
    match element.get("type"):
        case "multi_static_select":
            yield from (str(each.get("value")) for each in element.get("initial_options") or ())
        case "static_select":
            chosen = element.get("initial_option")
            yield from [str(chosen.get("value"))] if chosen else []
        case _:
            yield from _lines(element, str(element.get("initial_value") or "").strip())


def _lines(element: Payload, words: str) -> Iterator[str]:
    several = bool(element.get("multiline"))
    yield from (line.strip() for line in (words.splitlines() if several else [words]) if line.strip())


def _wrong(kind: str, value: str) -> str:
    if kind == LINK and open_url(value) is None:
        return f"“{cut(value, 60)}” is no https:// link."
    if kind == NUMBER and not _is_number(value):
        return f"“{cut(value, 60)}” is no number."
    return ""


def _plain_changes(before: str, after: str) -> Attributes | str:
    """Those that are new, changed or gone; or what is wrong with a line."""
    held, wanted = dict(_read_plain(before)), dict[str, tuple[str, ...]]()
    for line in filter(None, map(str.strip, after.splitlines())):
        name, values = _read_line(line)
        if not _PLAIN_NAME.fullmatch(name) or not values:
            return f"“{cut(line, 60)}” names no attribute: write it like env: prod, staging."
        wanted[name] = tuple(dict.fromkeys((*wanted.get(name, ()), *values)))
    changed = {name: values for name, values in wanted.items() if held.get(name) != values}
    gone = {name: () for name in held if name not in wanted}
    return tuple((changed | gone).items())


def _read_plain(words: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    return (_read_line(line) for line in words.splitlines() if line.strip())


def _read_line(line: str) -> tuple[str, tuple[str, ...]]:
    name, _, values = line.partition(":")
    return name.strip(), tuple(filter(None, (each.strip() for each in values.split(","))))
