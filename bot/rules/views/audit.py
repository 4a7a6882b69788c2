"""`/bits audit`: the last starts and refusals, each with who, where, what, by which rule and what it cost."""

from collections.abc import Sequence

from bot.rules.audit import Decision, Line
from bot.slack.blocks import context, section
from bot.slack.message import Message, sentences
from bot.slack.text import channel_mention, code, cut_mrkdwn, escape, mention, moment, one_line

_WORDS = {
    Decision.LOOKING_UP: "asked, being looked up",
    Decision.STARTED: "started",
    Decision.JOINED: "joined one that was there",
    Decision.REFUSED: "refused",
    Decision.OVER_BUDGET: "refused, over budget",
    Decision.COOLING_DOWN: "not started, cooling down",
    Decision.CONFIRMED: "started over budget",
    Decision.NOT_FOUND: "not started, no alert found",
    Decision.RETURNED: "cost given back, nothing was started",
    Decision.RULES_CHANGED: "rules changed",
}
_ROOM = 2_800
_LONGEST_LINE = 600


def audit_message(lines: Sequence[Line], *, channel: str = "") -> Message:
    """`channel` when only that channel's are shown; else those of the whole workspace."""
    where = f"in {channel_mention(channel)}" if channel else "in this workspace"
    if not lines:
        return sentences(f"Nothing has been started or refused {where} yet.")
    title = f"The last starts and refusals {where}"
    told = _fitting([_line(line, with_channel=not channel) for line in lines])
    note = "Newest first. Kept for 400 days."
    return Message(
        f"{title}:\n{_plain(told)}", [section(f"*{title}*"), *(section(part) for part in told), context(note)]
    )


def _line(line: Line, *, with_channel: bool) -> str:
    who = mention(line.person) if line.person else "by itself"
    parts = [
        f"{moment(line.at, '{date_short_pretty} {time}')} {who}: *{_WORDS[line.decision]}*",
        escape(one_line(line.what, 120)),
        f"by {line.source}",
        f"rule: {escape(one_line(line.rule, 120))}" if line.rule else "",
        escape(line.budget),
        f"ref {code(line.ref, 60)}" if line.ref else "",
        f"in {channel_mention(line.channel)}" if with_channel and line.channel else "",
    ]
    return cut_mrkdwn("• " + " · ".join(part for part in parts if part), _LONGEST_LINE)


def _fitting(lines: Sequence[str]) -> list[str]:
    """As many lines as fit into a section each."""
    parts: list[str] = []
    for line in lines:
        if parts and len(parts[-1]) + len(line) < _ROOM:
            parts[-1] = f"{parts[-1]}\n{line}"
        else:
            parts.append(line)
    return parts


def _plain(parts: Sequence[str]) -> str:
    return "\n".join(parts)[:3_000].rpartition("\n")[0] or parts[0]
