"""Why nothing was started, and whom to ask: all within Slack's limits."""

from bot.rules import no_start
from bot.rules.budget import CoolingDown, Limits, OverBudget, Usage
from bot.rules.model import Starters
from bot.rules.permissions import NotAllowed, WhyNot
from tests.slack.blockkit import buttons, check_message, shown

NAMED = Starters(everyone=False, groups=("S0SRE",), users=("U0ANA",))
USAGE = Usage(7, 3, 2, Limits(40, 12, 10))


def test_every_refusal_says_why_and_whom_to_ask() -> None:
    for why in WhyNot:
        for starters in (Starters(), NAMED, Starters(users=tuple(f"U{n:04}" for n in range(200)))):
            message = no_start.refused(NotAllowed(why, starters, "missing_scope usergroups:read"))
            check_message(message)
            assert "admin" in message.text
            if why is WhyNot.UNKNOWN:
                assert "`usergroups:read`" in message.text
            elif starters == NAMED:
                assert "<@U0ANA>, <!subteam^S0SRE>" in message.text


def test_who_slack_does_not_name_is_told_to_try_again() -> None:
    told = no_start.refused(NotAllowed(WhyNot.UNKNOWN, Starters(), "ratelimited")).text
    assert "`ratelimited`" in told
    assert "Try again in a minute" in told


def test_the_budgets_refusal_has_the_numbers_and_the_button_only_for_who_may() -> None:
    over = OverBudget("workspace", 12, 12, USAGE)
    for ask_id in (0, 7):
        message = no_start.over_budget(over, NAMED, ask_id=ask_id)
        check_message(message)
        assert "12 of 12 used today, resets at 00:00 UTC" in message.text
        assert "12 of 12 used today, resets at 00:00 UTC" in shown(message.blocks)
        assert set(buttons(message.blocks)) == ({"Start anyway"} if ask_id else set())
    anyway = buttons(message.blocks)["Start anyway"]
    assert (anyway["style"], anyway["confirm"]["style"], anyway["value"]) == ("danger", "danger", "7")
    assert "<@U0ANA>" in no_start.over_budget(over, NAMED).text


def test_the_small_answers_are_messages_too() -> None:
    for message in (no_start.cooling_down(CoolingDown(1.7e9)), no_start.started_anyway(), no_start.offer_gone()):
        check_message(message)
