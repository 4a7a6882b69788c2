"""Why nothing was started, and whom to ask: refusals by the channel's rules, and budgets that are used up."""

from bot.rules.budget import CoolingDown, OverBudget
from bot.rules.model import Starters
from bot.rules.permissions import NotAllowed, WhyNot
from bot.slack.blocks import Message, actions, button, confirmation, context, section, sentences
from bot.slack.text import code, mention, moment
from bot.wording import APP, COMMAND, COSTS, INVESTIGATION, INVESTIGATIONS

START_ANYWAY = "budget:start_anyway"
RESETS = "resets at 00:00 UTC"

_MOST_NAMED = 5
_SCOPES = {
    "workspace": "this workspace's budget",
    "channel": "this channel's budget",
    "automatic": "the share of automatic starts",
}
_NOTHING = "Nothing was started."


def refused(refusal: NotAllowed, *, doing: str = f"start {INVESTIGATIONS} here") -> Message:
    """`doing` completes "may …"."""
    whom = whom_to_ask(refusal.starters)
    match refusal.why:
        case WhyNot.OUTSIDER:
            return sentences(f"You are here from another organisation, and only people of this one may {doing}.", whom)
        case WhyNot.GUEST:
            return sentences(f"Guests may not {doing}.", whom)
        case WhyNot.DEACTIVATED:
            return sentences(f"This account is deactivated, so it may not {doing}.", whom)
        case WhyNot.NOT_NAMED:
            return sentences(f"In this channel only certain people may {doing}.", whom)
        case WhyNot.NOT_MANAGER:
            return sentences(f"Only workspace admins and those the channel's rules name may {doing}.", whom)
        case WhyNot.UNKNOWN:
            return _unknown(refusal, doing)


def _unknown(refusal: NotAllowed, doing: str) -> Message:
    reason = f"I can't tell whether you may {doing}, so I do nothing."
    if refusal.code.startswith("missing_scope"):
        scope = refusal.code.removeprefix("missing_scope").strip()
        step = f"I lack the permission {code(scope)}. Ask" if scope else "I lack a permission. Ask"
        return sentences(reason, f"{step} a workspace admin to install {APP} again with it.")
    return sentences(
        reason,
        f"Slack did not say who you are ({code(refusal.code or 'no answer', 60)}). Try again in a minute;",
        "if it goes on, ask a workspace admin.",
    )


def over_budget(over: OverBudget, starters: Starters, *, ask_id: int = 0) -> Message:
    """With the button only for somebody who may go over the budget: `ask_id` is what it starts."""
    used = f"{over.used} of {over.limit} used today, {RESETS}"
    told = f"{_SCOPES[over.scope].capitalize()} of {INVESTIGATIONS} is used up. {_NOTHING}"
    spent = context(f"{used}.")
    if not ask_id:
        whom = whom_to_ask(starters, "They can start it all the same, by the same click.")
        return Message(f"{told} {used}. {whom}", [section(f"{told} {whom}"), spent])
    anyway = button(
        "Start anyway",
        START_ANYWAY,
        value=str(ask_id),
        style="danger",
        confirm=confirmation(
            "Start over budget?", f"{used}. {COSTS}", confirm="Start anyway", deny="Leave it", style="danger"
        ),
    )
    offer = "You may start it all the same."
    return Message(f"{told} {used}. {offer}", [section(f"{told} {offer}"), actions(anyway), spent])


def cooling_down(cooling: CoolingDown) -> Message:
    return sentences(
        f"This monitor was investigated a short while ago; the next one starts after {moment(cooling.until)}."
    )


def started_anyway() -> Message:
    return sentences(f"{INVESTIGATION} requested, over budget. Its card follows in the thread.")


def offer_gone() -> Message:
    return sentences("That offer has been used, or is over an hour old. Start from the alert again.")


def whom_to_ask(starters: Starters, more: str = "") -> str:
    named = named_starters(starters)
    shown = named[:_MOST_NAMED]
    people = f"{', '.join(shown)}{' and others' if len(named) > len(shown) else ''}, or a workspace admin"
    whom = f"Ask {people if shown else 'a workspace admin'}."
    return f"{whom} {more}".strip() if more else f"{whom} It is set in `{COMMAND} settings`."


def named_starters(starters: Starters) -> list[str]:
    """mrkdwn; people first."""
    return [*(mention(user) for user in starters.users), *(f"<!subteam^{group}>" for group in starters.groups)]
