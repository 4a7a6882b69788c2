"""Votes on an answer: the pair of buttons under it and in its window, what others think, and the window that asks for the real
cause."""

import json

from bot.investigations.model import Investigation, ThreadCase, Votes
from bot.investigations.seen_before_view import judged_words
from bot.investigations.subject_view import subject_name
from bot.slack.blocks import (
    Block,
    button,
    context,
    context_actions,
    feedback_buttons,
    option,
    rich_section,
    rich_text,
    run,
)
from bot.slack.forms import checkboxes, form_field, modal, text_input
from bot.wording import CASE, PRODUCT

FEEDBACK = "conclusions:feedback"
HELPFUL = "conclusions:helpful"  # this and the next stand in windows, and under an earlier version's answers
NOT_HELPFUL = "conclusions:not_helpful"
RIGHT, WRONG = "right", "wrong"
_RIGHT_WORDS, _WRONG_WORDS = "Right cause", "Wrong cause"

CAUSE_CALLBACK = "real_cause"
CAUSE, COMMENT = "cause", "comment"
LONGEST_CAUSE = 500

NOTED = f"Your vote is noted. It counts in your team's own numbers and trains nothing at {PRODUCT}."


def votes_blocks(inv: Investigation, votes: Votes) -> list[Block]:
    """Slack's own pair, which shows each person what they chose; below it what they all think."""
    pair = feedback_buttons(FEEDBACK, (_RIGHT_WORDS, f"{inv.id}:{RIGHT}"), (_WRONG_WORDS, f"{inv.id}:{WRONG}"))
    return [context_actions(pair, block_id=f"votes:{inv.id}"), *judged(votes)]


def judged(votes: Votes) -> list[Block]:
    return [context(f"🗳️ {judged_words(votes)}")] if votes else []


def vote_buttons(inv: Investigation, own: bool | None) -> list[Block]:
    """For a window, which takes no such pair; `own`: what its reader found."""
    pairs = ((_RIGHT_WORDS, HELPFUL, True), (_WRONG_WORDS, NOT_HELPFUL, False))
    return [
        button(f"✓ {words}" if own is is_right else words, action, value=str(inv.id))
        for words, action, is_right in pairs
    ]


def read_vote(action_id: str, value: str) -> tuple[str, bool]:
    """The investigation's number, as it was sent, and whether its cause is right."""
    number, _, word = value.partition(":")
    return number, action_id == HELPFUL or word == RIGHT


def cause_modal(inv: Investigation, *, channel: str, thread_ts: str, case: ThreadCase | None) -> Block:
    metadata = json.dumps({"investigation": inv.id, "channel": channel, "thread_ts": thread_ts})
    blocks = [
        context(NOTED),
        rich_text(rich_section([run("About "), run(subject_name(inv), "bold")])),
        form_field(
            "What was the real cause?",
            text_input(CAUSE, limit=LONGEST_CAUSE, multiline=True),
            hint="It stands beside the next alerts of this monitor. Cancel if you don't know it.",
        ),
    ]
    if case is not None:
        choice = option(f"Add it to {case.key} as a comment", COMMENT)
        blocks.append(form_field(CASE.capitalize(), checkboxes(COMMENT, [choice]), optional=True))
    return modal("Wrong cause", blocks, callback_id=CAUSE_CALLBACK, metadata=metadata, submit="Save")
