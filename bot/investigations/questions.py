"""A question in one's own words: tags and time windows as people write them, in a command or in the question window."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.datadog.investigations import LONGEST_QUESTION
from bot.model import Question
from bot.slack.blocks import Block, context, option
from bot.slack.forms import FormState, form_field, modal, select, text_input
from bot.wording import COSTS, DATADOG, INVESTIGATE, PRODUCT

CALLBACK = "question"
TEXT = "question"  # block and action ids of the fields are the same word
TAGS = "tags"
WINDOW = "window"

_TAG_WORD = re.compile(r"(?<!\S)#([A-Za-z][\w./-]*:[^\s#,]*[^\s#,.;:?!])[,.;:?!]*(?!\S)")
_TAG = re.compile(r"[A-Za-z][\w./-]*(?::\S+)?\Z")
_UNITS = {"m": 60, "min": 60, "minute": 60, "h": 3_600, "hr": 3_600, "hour": 3_600, "d": 86_400, "day": 86_400}
_UNITS |= {"w": 604_800, "week": 604_800}
_WINDOW = re.compile(
    r"(?<![\w-])(?:(?:in|over|during|for|within|from)\s+)?(?:the\s+)?(?:last|past)\s+"
    r"(?:(?P<number>\d{1,6})\s*(?P<unit>m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
    r"|(?P<word>minute|hour|day|week))(?![\w-])",
    re.IGNORECASE,
)
_LONGEST_WINDOW = 31 * 86_400
_MOST_TAGS = 50
_WINDOWS = {
    "0": f"{DATADOG}'s default (last 4 hours)",
    "900": "Last 15 minutes",
    "3600": "Last hour",
    "14400": "Last 4 hours",
    "86400": "Last 24 hours",
    "604800": "Last 7 days",
}


@dataclass(frozen=True, slots=True)
class Unclear:
    """Why this is no question yet, in one sentence for the person who wrote it (mrkdwn)."""

    reason: str


def read_free_text(text: str, now: float) -> Question | Unclear:
    """`#service:web` words become tags and `last 2h` the window; both leave the text."""
    tags = tuple(dict.fromkeys(_TAG_WORD.findall(text)))
    without_tags = _TAG_WORD.sub("", text)
    window = _WINDOW.search(without_tags)
    words = _WINDOW.sub("", without_tags, count=1) if window else without_tags
    return question(_tidied(words), tags, _seconds(window) if window else None, now)


def question(text: str, tags: tuple[str, ...], window: int | None, now: float) -> Question | Unclear:
    """`now` in Unix seconds; a window ends there."""
    if not text:
        return Unclear("Say in words what I should look into, for example `why is checkout slow #service:web last 2h`.")
    if len(text) > LONGEST_QUESTION:
        return Unclear(
            f"That is {len(text):,} characters; Datadog takes at most {LONGEST_QUESTION:,}. Please shorten it."
        )
    if len(tags) > _MOST_TAGS:
        return Unclear(f"That is {len(tags)} tags; please keep to {_MOST_TAGS}.")
    if window is None:
        return Question(text, tags)
    if not 0 < window <= _LONGEST_WINDOW:
        return Unclear("The time window has to lie between one minute and 31 days, for example `last 2h`.")
    end = int(now * 1000)
    return Question(text, tags, end - window * 1000, end)


def _seconds(window: re.Match[str]) -> int:
    unit = (window["word"] or window["unit"]).lower()
    return int(window["number"] or 1) * (_UNITS.get(unit) or _UNITS[unit.rstrip("s")])


def _tidied(text: str) -> str:
    """Without the holes that tags and window leave behind."""
    lines = (re.sub(r"[ \t]+([,.;:?!](?:\s|$))", r"\1", " ".join(line.split())) for line in text.split("\n"))
    return "\n".join(lines).strip().strip(",;").strip()


# -- the window -----------------------------------------------------------------------------------------------------


def question_modal(prefill: str, metadata: str) -> Block:
    windows = select(WINDOW, [option(text, seconds) for seconds, text in _WINDOWS.items()], chosen="0")
    fields = [
        form_field("What should it look into?", text_input(TEXT, prefill, limit=3_000, multiline=True)),
        form_field(
            "Tags", text_input(TAGS, limit=1_000), optional=True, hint="Separated by spaces: service:web env:prod"
        ),
        form_field("Time window", windows, optional=True),
    ]
    return modal(
        f"Ask {PRODUCT}", [*fields, context(COSTS)], callback_id=CALLBACK, metadata=metadata, submit=INVESTIGATE
    )


def read_question(view: Mapping[str, Any], now: float) -> Question | dict[str, str]:
    """The question, or a sentence for each field that is wrong."""
    form = FormState(view)
    tags, window = _read_tags(form.text(TAGS)), form.choice(WINDOW)
    if isinstance(tags, Unclear):
        return {TAGS: tags.reason}
    seconds = int(window) if window in _WINDOWS else 0
    asked = question(form.text(TEXT), tags, seconds or None, now)
    return {TEXT: asked.reason.replace("`", "")} if isinstance(asked, Unclear) else asked


def _read_tags(text: str) -> tuple[str, ...] | Unclear:
    """Separated by spaces or commas, with or without #."""
    words = [word.removeprefix("#") for word in re.split(r"[\s,]+", text) if word.strip("#")]
    odd = next((word for word in words if not _TAG.match(word)), None)
    if odd is not None:
        return Unclear("Write tags like service:web, separated by spaces.")
    return tuple(dict.fromkeys(words))
