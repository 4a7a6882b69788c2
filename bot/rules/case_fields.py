"""The rule for cases that are made and closed by themselves, in words and in the settings form."""

import re
from collections.abc import MutableMapping
from dataclasses import replace

from bot.rules.model import LONGEST_LASTING, USUAL_LASTING, AutoCase, CaseDefaults
from bot.slack.blocks import Block, option
from bot.slack.forms import FormState, checkboxes, form_field, select
from bot.wording import CASE, counted

CREATE = "auto_case"
_PRIORITY, _MINUTES, _CLOSE = "auto_case_priority", "auto_case_minutes", "auto_case_close"
_TICK = "yes"
_NEVER, _CONCLUDED, _LASTS = "never", "concluded", "lasts"
_WHEN = {
    _NEVER: "Never",
    _CONCLUDED: "When its investigation has conclusions",
    _LASTS: "When it lasts longer than …",
}
_URGENT = {"1": "P1", "2": "P1 and P2", **{str(number): f"P1 to P{number}" for number in (3, 4, 5)}}
_USUAL = "2"


def rule_words(rule: AutoCase) -> str:
    """Completes "for alerts of …"."""
    urgent = _URGENT[str(rule.priority)]
    if rule.minutes is None:
        return f"{urgent}, once the investigation has conclusions"
    return f"{urgent} that last longer than {counted(rule.minutes, 'minute')}"


def case_rule_lines(case: CaseDefaults) -> list[str]:
    """mrkdwn, one rule a line; nothing where there is none."""
    if case.create is None:
        return []
    closed = ". Closed again when the alert recovers, if nobody has touched it" if case.close else ""
    return [f"A {CASE} is created automatically for alerts of {rule_words(case.create)}{closed}"]


def case_rule_fields(case: CaseDefaults, chosen: str) -> list[Block]:
    """`chosen` is what is chosen in the form already; empty where it is just being opened."""
    when = chosen if chosen in _WHEN else _mode(case)
    fields = [_choice(CREATE, f"Create a {CASE} for an alert automatically", _WHEN, when, sends_changes=True)]
    if when == _NEVER:
        return fields
    fields.append(_choice(_PRIORITY, "For alerts of priority", _URGENT, _urgency(case)))
    if when == _LASTS:
        fields.append(form_field("Minutes that it has to last", _minutes(case)))
    words = f"Close the {CASE} again if nobody has touched it"
    ticked = [_TICK] if case.close else []
    closing = checkboxes(_CLOSE, [option(words, _TICK)], ticked)
    return [*fields, form_field("When the alert recovers", closing, optional=True)]


def read_case_rule(form: FormState, case: CaseDefaults, errors: MutableMapping[str, str]) -> CaseDefaults:
    """As it is to be; what is wrong is added to `errors`, by field. A form without these fields changes nothing."""
    if not form.has(CREATE):
        return case
    when = form.choice(CREATE)
    if when not in {_CONCLUDED, _LASTS}:
        return replace(case, create=None, close=False)
    urgency = form.choice(_PRIORITY)
    priority = int(urgency if urgency in _URGENT else _urgency(case))
    minutes = _read_minutes(form, case, errors) if when == _LASTS else None
    close = _TICK in form.choices(_CLOSE) if form.has(_CLOSE) else case.close
    return replace(case, create=AutoCase(priority, minutes), close=close)


def _read_minutes(form: FormState, case: CaseDefaults, errors: MutableMapping[str, str]) -> int:
    if not form.has(_MINUTES):
        return _lasting(case)
    written = form.text(_MINUTES)
    if re.fullmatch(r"[0-9]{1,9}", written) and 1 <= int(written) <= LONGEST_LASTING:
        return int(written)
    errors[_MINUTES] = f"Write a whole number from 1 to {LONGEST_LASTING:,}."
    return USUAL_LASTING


def _mode(case: CaseDefaults) -> str:
    if case.create is None:
        return _NEVER
    return _CONCLUDED if case.create.minutes is None else _LASTS


def _urgency(case: CaseDefaults) -> str:
    return str(case.create.priority) if case.create else _USUAL


def _lasting(case: CaseDefaults) -> int:
    return (case.create.minutes if case.create else None) or USUAL_LASTING


def _choice(name: str, label: str, words: dict[str, str], chosen: str, *, sends_changes: bool = False) -> Block:
    options = [option(each, value) for value, each in words.items()]
    return form_field(label, select(name, options, chosen), sends_changes=sends_changes)


def _minutes(case: CaseDefaults) -> Block:
    return {
        "type": "number_input",
        "action_id": _MINUTES,
        "is_decimal_allowed": False,
        "min_value": "1",
        "max_value": str(LONGEST_LASTING),
        "initial_value": str(_lasting(case)),
    }
