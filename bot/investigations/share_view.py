"""An answer for another channel: the window that asks which one, and the short message that stands there."""

import json

from bot.investigations.conclusions_view import CAUSES, DETAILS_ACTION
from bot.investigations.model import Investigation, Verdict, Votes
from bot.investigations.report import formatted
from bot.investigations.subject_view import facts_of, subject_link, subject_name
from bot.investigations.vote_views import judged
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    rich_quote,
    rich_section,
    rich_text,
    run,
    sentences,
)
from bot.slack.errors import posting_sentence
from bot.slack.forms import channel_select, form_field, modal, text_input
from bot.slack.text import channel_mention, clean, code, cut, escape, fit_mrkdwn, mention, one_line
from bot.wording import AI_WRITTEN, DATADOG, FULL_REPORT, PRIVATE_CHANNELS, SHARE

CALLBACK = "share"
CHANNEL, NOTE = "share_channel", "share_note"
OPEN_THREAD = "share:open"

LONGEST_NOTE = 500
_LONGEST_SUMMARY = 500
_TITLE_LIMIT = 140


def share_modal(inv: Investigation, *, channel: str, thread_ts: str) -> Block:
    metadata = json.dumps({"investigation": inv.id, "channel": channel, "thread_ts": thread_ts})
    blocks = [
        rich_text(rich_section([run(_title(inv), "bold"), run(f"\n{subject_name(inv)}")])),
        form_field("Channel", channel_select(CHANNEL), hint=PRIVATE_CHANNELS),
        form_field("Note", text_input(NOTE, limit=LONGEST_NOTE, multiline=True), optional=True),
        context("The cause, your note and a link to this thread are posted there, with your name."),
    ]
    return modal(SHARE, blocks, callback_id=CALLBACK, metadata=metadata, submit="Share")


def shared_message(
    inv: Investigation,
    *,
    by: str,
    note: str,
    from_channel: str,
    link: str,
    app_url: str,
    may_repeat: bool,
    votes: Votes,
) -> Message:
    """`link` leads to the answer in its thread; empty where Slack gives none now."""
    first = inv.conclusions[0]
    summary = cut((first.summary or first.description).strip(), _LONGEST_SUMMARY)
    said = [rich_text(rich_quote([run(cut(clean(note), LONGEST_NOTE))]))] if note else []
    thread = [button("Open the thread", OPEN_THREAD, url=link)] if link else []
    report = button(FULL_REPORT, DETAILS_ACTION, value=str(inv.id))
    about = " · ".join([subject_link(inv, app_url), *facts_of(inv.alert)])
    who = (
        f"Shared by {mention(by)} from {channel_mention(from_channel)}" if from_channel else f"Shared by {mention(by)}"
    )
    again = ["It may stand above already: I was interrupted while posting it."] if may_repeat else []
    blocks = [
        rich_text(rich_section([run(_title(inv), "bold")])),
        *said,
        *formatted(summary, len(summary) + 100),
        actions(*thread, report),
        *judged(votes),
        context(f"{about}\n{who} · ref {code(inv.ref, 60)} · {AI_WRITTEN}", *again),
    ]
    told = f"{note}: " if (note := fit_mrkdwn(one_line(note, 300), 400)) else ""
    return Message(f"{told}{fit_mrkdwn(_title(inv), 1_000)}. {escape(subject_name(inv))}. {who}. {AI_WRITTEN}.", blocks)


def _title(inv: Investigation) -> str:
    word = CAUSES[inv.verdict or Verdict.INCONCLUSIVE]
    return f"{word}: {one_line(inv.conclusions[0].title, _TITLE_LIMIT) or 'see the report'}"


# -- to who shares it ------------------------------------------------------------------------------------------------


def sharing(channel: str) -> Message:
    return sentences(
        f"Sharing it to {channel_mention(channel)}. You hear from me only if Slack does not take it there."
    )


def not_shared(error: str, *, channel: str) -> Message:
    return sentences("Nothing was shared.", posting_sentence(error, channel=channel))


NO_CHANNEL = "Choose a channel."
NOT_HERE = "You may not share answers from here any more."
NOT_THERE = "You may not see investigations in that channel, so you can't share one to it. Choose another channel."
OTHER_ORG = (
    f"That channel works with another {DATADOG} organisation, so this answer is not for it. Choose another channel, or "
    "change the organisation in its settings."
)
