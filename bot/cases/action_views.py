"""What whoever changed a case is told when it came to nothing: why, what to do, and what they wrote, so that it is not lost."""

from collections.abc import Callable

from bot.cases.card import priority_word
from bot.cases.model import ATTRIBUTE_CHANGES, CaseAction, CaseActionKind, Closing, KnownCase
from bot.cases.views import CaseAnswer
from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.blocks import Message, button
from bot.slack.errors import TroubleWords, explain
from bot.slack.text import escape, one_line
from bot.wording import CASE, DATADOG

ACTION_AGAIN = "case:act_again"

_GONE = TroubleWords(f"{DATADOG} has no such {CASE} any more.", "Its card says so now.")
_UNDONE: dict[CaseActionKind, Callable[[str], str]] = {
    CaseActionKind.STATUS: lambda value: f"The status was not set to {_word(value)}",
    CaseActionKind.PRIORITY: lambda value: f"The priority was not set to {escape(priority_word(value))}",
    CaseActionKind.ASSIGN: lambda _: "You were not assigned",
    CaseActionKind.COMMENT: lambda _: "The comment was not added",
    CaseActionKind.CLOSE: lambda value: f"The status was not set to {_word(Closing.read(value).status)}",
    CaseActionKind.ARCHIVE: lambda _: "Nothing was archived",
    CaseActionKind.UNARCHIVE: lambda _: "Nothing was taken out of the archive",
    CaseActionKind.ATTRIBUTES: lambda _: "Not all that you changed was taken over",
}


def action_failed(action: CaseAction, known: KnownCase, trouble: Trouble) -> Message:
    words = [f"*{undone(action)} on {escape(known.name)}.* {explain(trouble, {TroubleKind.NOT_FOUND: _GONE})}"]
    kept = _kept(action)
    if kept:
        words.append("Here it is again, so that you don't lose it:")
    again = (button("Try again", ACTION_AGAIN, value=str(action.id)),) if trouble.may_pass else ()
    return CaseAnswer(tuple(words), one_line(trouble.detail, 800), again, kept).message


def undone(action: CaseAction) -> str:
    """Mrkdwn."""
    told = _UNDONE.get(action.kind)
    return told(action.value) if told else "Nothing was changed"


def _word(status: str) -> str:
    return escape(one_line(status, 75))


def _kept(action: CaseAction) -> str:
    """What somebody wrote."""
    if action.kind is CaseActionKind.ATTRIBUTES:
        return ATTRIBUTE_CHANGES.validate_json(action.value).words
    return action.value if action.kind is CaseActionKind.COMMENT else ""
