"""Votes on an answer: the pair of buttons under it, and the window that asks for the real cause."""

import json

from bot.investigations.model import Investigation, ThreadCase
from bot.investigations.subject_view import subject_name
from bot.slack.blocks import Block, context, context_actions, feedback_buttons, option, rich_section, rich_text, run
from bot.slack.forms import checkboxes, form_field, modal, text_input
from bot.wording import CASE, PRODUCT

FEEDBACK = "conclusions:feedback"
HELPFUL = "conclusions:helpful"  # this and the next are of an earlier version's answers
NOT_HELPFUL = "conclusions:not_helpful"
RIGHT, WRONG = "right", "wrong"

CAUSE_CALLBACK = "real_cause"
CAUSE, COMMENT = "cause", "comment"
LONGEST_CAUSE = 500

NOTED = f"Your vote is noted. It counts in your team's own numbers and trains nothing at {PRODUCT}."


def votes_block(inv: Investigation) -> Block:
    """Slack's own pair, which shows each person what they chose."""
    return context_actions(
        feedback_buttons(FEEDBACK, ("Right cause", f"{inv.id}:{RIGHT}"), ("Wrong cause", f"{inv.id}:{WRONG}"))
    )


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
