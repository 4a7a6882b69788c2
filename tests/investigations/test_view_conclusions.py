from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.investigations import Conclusion
from bot.investigations import conclusions_view
from bot.investigations.conclusions_view import conclusions_message, details_modal, read_metadata
from bot.investigations.model import Investigation, State, Verdict
from bot.slack.blocks import Block, Message, section
from tests.investigations.samples import APP, RUNNING
from tests.slack.blockkit import buttons, check_message, check_modal, shown

LONG = "# Findings\n\n" + "".join(
    f"## Part {number}\n\nWords <!channel> @here of part{number}, see [log](https://evil.example/{number}).\n\n"
    f"| a | b |\n|---|---|\n| cell{number} | `x` |\n\n```\ncode{number}\n```\n\n- one\n  - two{number}\n\n"
    for number in range(70)
)
ONE = Conclusion("Connection pool exhausted", "The pool of *checkout* is **full**.", "## Why\n\nA deploy halved it.")


def inv(*conclusions: Conclusion, verdict: Verdict = Verdict.CONCLUSIVE) -> Investigation:
    return replace(RUNNING, state=State.CONCLUDED, verdict=verdict, conclusions=conclusions)


def reply(investigation: Investigation, *, may_repeat: bool = False) -> Message:
    message = conclusions_message(investigation, requester="U0ANA", app_url=APP, may_repeat=may_repeat)
    check_message(message)
    return message


def test_one_conclusion() -> None:
    message = reply(inv(ONE))
    told = shown(message.blocks)
    assert told.startswith("<@U0ANA>, here is what Bits AI found.")
    assert "Connection pool exhausted\nThe pool of \ncheckout\n is \nfull\n." in told
    assert "1. " not in told
    assert "Shortened" not in told
    assert "can be wrong" in told
    assert "your team's own numbers" in told
    assert message.text.endswith("High latency on service:web. Connection pool exhausted")


def test_its_buttons() -> None:
    found = buttons(reply(inv(ONE)).blocks)
    assert {text: button["action_id"] for text, button in found.items()} == {
        "Details": "conclusions:details",
        "Create case": "conclusions:create_case",
        "Attach to case": "conclusions:attach",
        "Open in Datadog": "conclusions:open",
        "Run again": "conclusions:run_again",
        "👍 Helpful": "conclusions:helpful",
        "👎 Not helpful": "conclusions:not_helpful",
    }
    assert {button.get("value", "7") for button in found.values()} == {"7"}
    assert "bills" in shown(found["Run again"]["confirm"])


def test_no_conclusion_says_what_to_do() -> None:
    for verdict in Verdict:
        message = reply(inv(verdict=verdict))
        assert "Open it in Datadog" in shown(message.blocks)
        assert "Open it in Datadog" in message.text
        assert message.text.startswith("<@U0ANA>, the Bits AI investigation has ended.")
        assert "Details" not in buttons(message.blocks)


def test_many_conclusions_stand_in_order_and_the_rest_is_counted() -> None:
    many = [Conclusion(f"Cause{number}", f"summary{number}", "") for number in range(1, 14)]
    told = shown(reply(inv(*many)).blocks)
    positions = [told.index(f"{number}. Cause{number}\n") for number in range(1, 11)]
    assert positions == sorted(positions)
    assert "Cause11" not in told
    assert "3 more conclusions under Details" in told


def test_what_is_cut_is_said_and_one_click_away() -> None:
    table = f"{'a' * 59} | b\n--|--\n" + "x|y\n" * 900
    for count, summary in ((1, LONG), (40, LONG), (1, "word " * 3_000), (1, table), (3, "http://a.b " * 900)):
        message = reply(inv(*[Conclusion("T" * 400, summary, LONG)] * count))
        assert "Shortened here: the full text stands under Details." in shown(message.blocks)
        assert "Details" in buttons(message.blocks)


def test_a_conclusion_without_a_summary_shows_its_description() -> None:
    assert "A deploy halved it." in shown(reply(inv(Conclusion("", "", "A deploy halved it."))).blocks)


def test_a_reply_that_may_stand_there_twice_says_so() -> None:
    assert "may have seen this already" in shown(reply(inv(ONE), may_repeat=True).blocks)
    assert "may have seen" not in shown(reply(inv(ONE)).blocks)


def all_pages(investigation: Investigation) -> list[dict[str, Any]]:
    views = [details_modal(investigation)]
    while (following := buttons(views[-1]["blocks"]).get("Next")) is not None:
        views.append(details_modal(investigation, int(following["value"])))
    return views


def test_details_hold_everything_on_pages_one_can_turn() -> None:
    long = (replace(ONE, description=LONG), replace(ONE, description="word " * 40_000))
    investigation = inv(ONE, *long, replace(ONE, summary="sum up", description="sum up"))
    views = all_pages(investigation)
    for view in views:
        check_modal(view)
    told = "\n".join(shown(view) for view in views)
    assert len(views) > 2
    assert all(f"part{number}" in told and f"code{number}" in told for number in range(70))
    assert "2. Connection pool exhausted" in told
    assert told.count("sum up") == 1
    assert list(buttons(views[1]["blocks"])) == ["Previous", "Next"]
    assert f"Page 2 of {len(views)}" in shown(views[1])
    assert details_modal(investigation, 10**9) == views[-1]
    assert details_modal(investigation, -5) == views[0]
    assert read_metadata(views[1]["private_metadata"]) == (7, "")


def test_metadata_that_is_not_ours_is_nothing() -> None:
    for metadata in ("", "x", "7", "[]", "{}", "null", '{"investigation": null}', "[" * 100_000):
        assert read_metadata(metadata) == (0, "")


def test_details_without_content() -> None:
    check_modal(details_modal(inv()))
    assert "no conclusions" in shown(details_modal(inv()))


WORD = st.text(max_size=120)


@given(st.lists(st.builds(Conclusion, WORD, WORD, WORD), max_size=14))
def test_any_conclusions_fit(conclusions: list[Conclusion]) -> None:
    investigation = inv(*conclusions)
    reply(investigation)
    for view in all_pages(investigation):
        check_modal(view)


def test_a_page_is_turned_without_reading_the_markdown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def formatted(markdown: str) -> list[Block]:
        read.append(markdown)
        return [section(markdown)] * 60

    monkeypatch.setattr(conclusions_view, "_formatted", formatted)
    conclusions_view._pages.cache_clear()
    first = inv(Conclusion("Title", "Summary", "Description"))
    for page in (0, 1, 0):
        details_modal(first, page)
    assert read == ["Summary", "Description"]

    # what it concluded, and not its number, tells whether the pages are still right
    details_modal(inv(Conclusion("Title", "Summary", "Another description")))
    assert read[2:] == ["Summary", "Another description"]


def test_pages_of_few_investigations_are_kept() -> None:
    for number in range(100):
        details_modal(inv(Conclusion(f"Title {number}", "", "")))
    assert conclusions_view._pages.cache_info().currsize < 50
