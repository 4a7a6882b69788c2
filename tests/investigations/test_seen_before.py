"""The line that says what is known of a monitor already."""

import pytest

from bot.investigations.card_view import status_card
from bot.investigations.model import MOST_COUNTED, SeenBefore, Votes
from bot.investigations.seen_before_view import seen_block, seen_words
from bot.investigations.subject_view import nudge_message
from bot.slack.blocks import Message
from tests.investigations.samples import APP, HOSTILE, RUNNING
from tests.investigations.test_view_answers import ALERT
from tests.slack.blockkit import check_message

WHEN = 1_764_000_000.0
DATE = "<!date^1764000000^{date_short_pretty}|2025-11-24 16:00 UTC>"


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (SeenBefore(1), "Investigated 1 time in 30 days · no clear cause found"),
        (
            SeenBefore(3, 7, "log rotation stopped", WHEN, Votes(right=2)),
            f"Investigated 3 times in 30 days · last cause ({DATE}): log rotation stopped (2 found it right)",
        ),
        (
            SeenBefore(3, 7, "<!channel>", WHEN, Votes(1, 2, "disk & inode")),
            (
                f"Investigated 3 times in 30 days · last cause ({DATE}): &lt;!channel&gt; "
                "(1 found it right, 2 found it wrong; really: disk &amp; inode)"
            ),
        ),
        (
            SeenBefore(MOST_COUNTED, elsewhere=1),
            (
                f"Investigated {MOST_COUNTED} times or more in 30 days · no clear cause found · "
                "Datadog has 1 more run of it, asked for elsewhere: `/bits list monitor 42`"
            ),
        ),
        (SeenBefore(0, elsewhere=2), "Datadog has 2 more runs of it, asked for elsewhere: `/bits list monitor 42`"),
    ],
)
def test_what_is_known_is_one_line(seen: SeenBefore, words: str) -> None:
    assert seen_words(seen, 42) == words


def test_only_an_answer_has_a_button_and_it_carries_its_number() -> None:
    use = seen_block(SeenBefore(3, 7, "cause", WHEN), 42)["accessory"]
    assert (use["action_id"], use["value"], use["text"]["text"]) == ("seen:use", "7", "Use that answer")
    assert "accessory" not in seen_block(SeenBefore(3), 42)


def test_card_and_buttons_take_the_most_hostile_of_it() -> None:
    seen = SeenBefore(MOST_COUNTED, 7, HOSTILE * 20, WHEN, Votes(1_000, 1_000, HOSTILE * 20), 999)
    card = status_card(RUNNING, requester="U0ANA", app_url=APP, seen=seen)
    messages: list[Message] = [card, nudge_message(ALERT, note="*Not started*", seen=seen)]
    for message in messages:
        check_message(message)
