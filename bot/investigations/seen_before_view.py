"""What is known of a monitor already, as one line with a button, beside a start that would cost."""

from bot.investigations.model import LATELY, MOST_COUNTED, SeenBefore, Votes
from bot.slack.blocks import Block, button, section
from bot.slack.text import code, escape, moment, one_line
from bot.wording import COMMAND, DATADOG, USE_ANSWER, counted

USE = "seen:use"

_CAUSE_LIMIT = 150


def seen_block(seen: SeenBefore, monitor_id: int) -> Block:
    """An earlier answer costs nothing: its button stands beside it."""
    told = section(f"🔁 {seen_words(seen, monitor_id)}")
    if not seen.answer:
        return told
    use = button(USE_ANSWER, USE, value=str(seen.answer), label=f"{USE_ANSWER}: {seen.cause}")
    return {**told, "accessory": use}


def seen_words(seen: SeenBefore, monitor_id: int) -> str:
    """mrkdwn."""
    times = f"{seen.times} times or more" if seen.times >= MOST_COUNTED else counted(seen.times, "time")
    told = [f"Investigated {times} in {LATELY // 86_400:.0f} days"] if seen.times else []
    if seen.answer:
        cause = escape(one_line(seen.cause, _CAUSE_LIMIT)) or "untitled"
        told.append(f"last cause ({moment(seen.answered_at, '{date_short_pretty}')}): {cause}{_judged(seen.votes)}")
    elif seen.times:
        told.append("no clear cause found")
    if seen.elsewhere:
        listed = code(f"{COMMAND} list monitor {monitor_id}")
        told.append(f"{DATADOG} has {counted(seen.elsewhere, 'more run')} of it, asked for elsewhere: {listed}")
    return " · ".join(told)


def _judged(votes: Votes) -> str:
    return f" ({judged_words(votes)})" if votes else ""


def judged_words(votes: Votes) -> str:
    """mrkdwn; empty without votes."""
    said = f"; really: {escape(one_line(votes.really, _CAUSE_LIMIT))}" if votes.really else ""
    parts = [f"{votes.right} found it right"] if votes.right else []
    parts += [f"{votes.wrong} found it wrong{said}"] if votes.wrong else []
    return ", ".join(parts)
