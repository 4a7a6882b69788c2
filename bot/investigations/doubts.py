"""What stands after `investigate` and is hardly a question: asked back with what it would cost, before anything starts."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from bot.datadog.links import is_case_key
from bot.model import Adapter, Place, Question
from bot.rules.budget import Usage, used_words
from bot.slack.blocks import VALUE_LIMIT, Message, actions, button, context, section, sentences
from bot.slack.commands import Invalid
from bot.slack.payloads import carried_in
from bot.slack.text import code, escape
from bot.wording import CASE, COMMAND, COSTS, INVESTIGATION

START, CANCEL = "doubt:start", "doubt:cancel"

_FEW_WORDS = 3  # more than these are a sentence, whatever they begin with
_LONGEST = 300
_QUESTIONS: Adapter[Question] = Adapter(Question)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A question that its person has to confirm; `why` is mrkdwn."""

    question: Question
    why: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What comes back from the button: the question, the gesture that asked it, and its thread."""

    question: Question
    key: str
    thread_ts: str


def doubtful(question: Question, is_command: Callable[[str], bool]) -> Doubtful | Invalid | None:
    """None for what may start as it stands."""
    words = question.text.split()
    if question.tags or question.start_ts is not None or len(words) > _FEW_WORDS:
        return None
    first, rest = words[0], words[1:]
    key = next((word for word in words if is_case_key(word) and word.upper() == word), "")
    if key and (not rest or words[0].lower() == CASE):
        return Doubtful(question, f"{code(key)} looks like a {CASE}'s key. Its card: {code(f'{COMMAND} case {key}')}.")
    if is_command(first):
        typed = code(f"{COMMAND} {question.text}")
        return Doubtful(question, f"{code(first)} is a command of its own, without `investigate`: {typed}.")
    if rest:
        return None
    if len(first) > _LONGEST:
        return Invalid(
            f"That is one word of {len(first):,} characters. Ask in a sentence, or give a monitor's id or link."
        )
    return Doubtful(question, f"{code(first)} is one word: no monitor id, no link, and hardly a question.")


def asked_back(doubt: Doubtful, usage: Usage, *, key: str, place: Place) -> Message:
    told = f"{doubt.why} Nothing was started."
    cost = f"Started all the same, {escape(_quoted(doubt.question))} would be the question. {COSTS}"
    spent = f"Today, in this workspace: {used_words(usage.workspace, usage.limits.workspace)}."
    carried = {"q": _QUESTIONS.dump_python(doubt.question, mode="json"), "k": key, "t": place.thread_ts}
    value = json.dumps(carried, ensure_ascii=False)
    if len(value) > VALUE_LIMIT:
        return sentences(told)
    buttons = actions(button("Start anyway", START, value=value), button("Cancel", CANCEL, style="primary"))
    return Message(f"{told} {cost} {spent}", [section(f"{told}\n{cost}"), buttons, context(spent)])


def _quoted(question: Question) -> str:
    return f"“{question.text}”"


def confirmed(value: str) -> Confirmed | None:
    """None for anything that is not of a button of ours."""
    told = carried_in(value)
    try:
        question = _QUESTIONS.validate_python(told.get("q"))
    except ValueError:
        return None
    key, thread_ts = told.get("k"), told.get("t")
    return Confirmed(question, str(key), str(thread_ts or "")) if isinstance(key, str) and key else None


def started() -> Message:
    return sentences(f"{INVESTIGATION} requested. Its card follows.")


def cancelled() -> Message:
    return sentences("Nothing was started.")
