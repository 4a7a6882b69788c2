"""A question that goes on from an investigation: with its alert, its tags and window, and what was found so far."""

import json
from collections.abc import Iterator

from bot.investigations.model import Investigation
from bot.investigations.subject_view import monitor_name, subject_name
from bot.model import AlertRef, Question
from bot.rules.budget import Usage, used_words
from bot.slack.blocks import VALUE_LIMIT, Block, button, context, rich_section, rich_text, run
from bot.slack.forms import form_field, modal, text_input
from bot.slack.payloads import carried_in, number_of
from bot.slack.plain import plain_blocks
from bot.slack.text import clean, code, cut, one_line, utc
from bot.wording import ASK_FOLLOW_UP, COSTS

ACTION = "conclusions:follow_up"
CALLBACK = "follow_up"
TEXT = "follow_up_question"

LONGEST_TEXT = 1_500  # characters of a question, so that what goes with it has its room too
LONGEST_BACKGROUND = 2_500
_LONGEST_SUMMARY = 700
_AROUND_MS = 3_600_000


def follow_up(inv: Investigation, text: str, now: float) -> Question:
    alert = inv.alert
    if alert is not None:
        end = min(alert.event_ts + _AROUND_MS, int(now * 1_000))
        start = min(alert.event_ts, end) - _AROUND_MS
        return Question(text, _tags(alert), start, end, background(inv))
    if inv.question is not None:
        asked = inv.question
        return Question(text, asked.tags, asked.start_ts, asked.end_ts, background(inv))
    return Question(text, background=background(inv))


def _tags(alert: AlertRef) -> tuple[str, ...]:
    group = (part.strip() for part in alert.group.split(","))
    return tuple(dict.fromkeys([*alert.tags, *(part for part in group if ":" in part)]))


def background(inv: Investigation) -> str:
    """Plain words for Datadog, shown to the person before they are sent."""
    return cut("\n".join(_lines(inv)), LONGEST_BACKGROUND)


def _lines(inv: Investigation) -> Iterator[str]:
    yield "This follows an earlier investigation."
    if alert := inv.alert:
        group = f" on {one_line(alert.group, 200)}" if alert.group else ""
        fired = utc(alert.event_ts / 1_000)
        yield f"Alert: {monitor_name(alert)}{group}, monitor {alert.monitor_id}, fired {fired}."
    else:
        yield f"It was asked: {subject_name(inv)}"
    for found in inv.conclusions:
        yield f"Found ({inv.verdict or 'no verdict'}): {one_line(found.title, 200)}"
        yield cut(clean(found.summary or found.description).strip(), _LONGEST_SUMMARY)


# -- in Slack ---------------------------------------------------------------------------------------------------------


def follow_up_button(inv: Investigation, words: str = "") -> Block:
    """`words` are what somebody has asked already, to begin the question with."""
    value = str(inv.id)
    if words:
        told = json.dumps({"n": inv.id, "q": cut(clean(words), LONGEST_TEXT)}, ensure_ascii=False)
        value = told if len(told) <= VALUE_LIMIT else value
    return button(ASK_FOLLOW_UP, ACTION, value=value)


def read_button(value: str) -> tuple[int, str]:
    told = carried_in(value)
    return number_of(told.get("n") or value), str(told.get("q") or "")


def follow_up_modal(inv: Investigation, words: str, usage: Usage, *, channel: str, thread_ts: str, now: float) -> Block:
    """The question, what is sent with it, and what it costs."""
    asked = follow_up(inv, "", now)
    metadata = json.dumps({"investigation": inv.id, "channel": channel, "thread_ts": thread_ts})
    limits = usage.limits
    budget = (
        f"Today, in this workspace: {used_words(usage.workspace, limits.workspace)}; "
        f"in this channel: {used_words(usage.channel, limits.channel)}."
    )
    blocks = [
        form_field("Your question", text_input(TEXT, words, limit=LONGEST_TEXT, multiline=True)),
        rich_text(rich_section([run("What is sent with it", "bold")])),
        *plain_blocks(asked.background),
        *_narrowed(asked),
        context(COSTS, budget, "The answer comes into the same thread."),
    ]
    return modal(ASK_FOLLOW_UP, blocks, callback_id=CALLBACK, metadata=metadata, submit="Ask")


def _narrowed(asked: Question) -> list[Block]:
    told = [f"Tags: {code(' '.join(asked.tags), 1_000)}"] if asked.tags else []
    if asked.start_ts is not None and asked.end_ts is not None:
        told.append(f"Window: {utc(asked.start_ts / 1_000)} to {utc(asked.end_ts / 1_000)}")
    return [context(" · ".join(told))] if told else []
