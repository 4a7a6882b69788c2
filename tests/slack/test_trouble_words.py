"""Every kind of trouble has its sentences, and no word of Datadog's comes into them alive."""

from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.errors import TroubleWords, explain

HOSTILE = "<!channel> `x` *y* & \u202egnp"


def test_every_trouble_has_its_sentence_and_a_next_step() -> None:
    for kind in list(TroubleKind):
        about = "" if kind is TroubleKind.FORBIDDEN else "U5"
        words = explain(Trouble(kind, HOSTILE, "cases_write", 30, about))
        assert words.happened.endswith((".", "`."))
        assert words.next_step.endswith(".")
        assert (kind is TroubleKind.FORBIDDEN) == ("`cases_write`" in words.happened)
        assert (kind is TroubleKind.RATE_LIMITED) == ("in 30 seconds" in words.next_step)
        assert "<!channel>" not in str(explain(Trouble(kind, HOSTILE, HOSTILE, about=HOSTILE)))


def test_without_a_time_to_wait_a_minute_is_said() -> None:
    assert explain(Trouble(TroubleKind.RATE_LIMITED)).next_step == "Try again in a minute."


def test_a_room_may_say_more_than_the_table() -> None:
    own = TroubleWords("The monitor is gone.", "Choose another one.")
    trouble = Trouble(TroubleKind.NOT_FOUND)
    assert explain(trouble, {TroubleKind.NOT_FOUND: own}) == own
    assert explain(trouble, {TroubleKind.NOT_FOUND: lambda _: own}) == own
    assert explain(trouble, {TroubleKind.CONFLICT: own}) == explain(trouble)
