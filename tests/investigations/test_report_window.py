"""The window behind Full report: everything that was found, and what can be done about it, wherever it is read."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.investigations import Conclusion
from bot.investigations import report_window
from bot.investigations.model import Investigation, ThreadCase, Votes
from bot.investigations.report_window import ReadIn, read_metadata, report_modal, run_again_modal
from bot.model import Place
from bot.slack.blocks import Block, section
from tests.investigations.samples import APP
from tests.investigations.test_view_conclusions import LONG, MARKDOWN, ONE, WORD, inv
from tests.slack.blockkit import buttons, check_modal, shown

HERE = Place("T1", "C1", "1.5")
IN_ITS_THREAD = ReadIn(HERE, awaits=True)


def window(investigation: Investigation, page: int = 0, read_in: ReadIn = IN_ITS_THREAD) -> Block:
    view = report_modal(investigation, page, read_in=read_in, app_url=APP)
    check_modal(view)
    return view


def test_what_an_answer_offers_is_offered_in_its_window_too() -> None:
    view = window(inv(ONE))
    assert {text: found["action_id"] for text, found in buttons(view["blocks"]).items()} == {
        "Create case": "conclusions:create_case",
        "Ask a follow-up": "conclusions:follow_up",
        "Right cause": "conclusions:helpful",
        "Wrong cause": "conclusions:not_helpful",
        "Attach to case": "conclusions:attach",
        "Run again": "conclusions:ask_run_again",
        "Share to a channel": "conclusions:share",
        "Open in Datadog": "conclusions:open",
    }
    assert json.loads(view["private_metadata"]) == {
        "investigation": 7,
        "page": 0,
        "channel": "C1",
        "thread_ts": "1.5",
    }


def test_read_elsewhere_nothing_is_started_from_it() -> None:
    offered = buttons(window(inv(ONE), read_in=ReadIn(HERE))["blocks"])
    assert not offered.keys() & {"Ask a follow-up", "Run again"}
    assert {"Create case", "Attach to case", "Share to a channel"} <= offered.keys()


def test_it_knows_the_case_and_what_its_reader_and_others_think() -> None:
    case = ThreadCase("CASEM-42", f"{APP}/cases/CASEM-42")
    view = window(inv(ONE), read_in=ReadIn(HERE, case=case, votes=Votes(2, 1, "a full disk"), own_vote=False))
    offered = buttons(view["blocks"])
    assert offered["Open CASEM-42"]["url"] == case.url
    assert "Create case" not in offered
    assert "Right cause" in offered
    assert "✓ Wrong cause" in offered
    assert "2 found it right, 1 found it wrong; really: a full disk" in shown(view)


def test_a_table_keeps_its_columns() -> None:
    report = "| Host | What |\n|---|---|\n| web-1 | " + "the pool was full " * 5 + "|\n| web-2 | fine |"
    view = window(inv(replace(ONE, description=report)))
    assert "table" not in {block["type"] for block in view["blocks"]}  # Slack takes none in a window
    assert "\nweb-1 | the pool was full the pool" in shown(view)
    assert "\n      | full the pool was full" in shown(view)
    assert "\nweb-2 | fine" in shown(view)


def test_running_again_asks_first_and_knows_where_it_belongs() -> None:
    view = run_again_modal(inv(ONE), channel="C1", thread_ts="1.5")
    check_modal(view)
    assert "bills" in shown(view)
    assert json.loads(view["private_metadata"]) == {"investigation": 7, "channel": "C1", "thread_ts": "1.5"}


def all_pages(investigation: Investigation) -> list[dict[str, Any]]:
    views = [window(investigation)]
    while (following := buttons(views[-1]["blocks"]).get("Next")) is not None:
        views.append(window(investigation, int(following["value"])))
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
    assert list(buttons(views[1]["blocks"]))[-2:] == ["Previous", "Next"]
    assert f"Page 2 of {len(views)}" in shown(views[1])
    assert window(investigation, 10**9) == views[-1]
    assert window(investigation, -5) == views[0]
    assert read_metadata(views[1]["private_metadata"]) == (7, 1)


def test_metadata_that_is_not_ours_is_nothing() -> None:
    for metadata in ("", "x", "7", "[]", "{}", "null", '{"investigation": null}', "[" * 100_000):
        assert read_metadata(metadata) == (0, 0)


def test_details_without_content() -> None:
    check_modal(window(inv()))
    assert "no conclusions" in shown(window(inv()))


@given(st.lists(st.builds(Conclusion, WORD, MARKDOWN, MARKDOWN), min_size=1, max_size=14))
def test_any_conclusions_fit(conclusions: list[Conclusion]) -> None:
    all_pages(inv(*conclusions))


def test_a_page_is_turned_without_reading_the_markdown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def formatted(markdown: str) -> list[Block]:
        read.append(markdown)
        return [section(markdown)] * 60

    monkeypatch.setattr(report_window, "markdown", formatted)
    report_window._pages.cache_clear()
    first = inv(Conclusion("Title", "Summary", "Description"))
    for page in (0, 1, 0):
        window(first, page)
    assert read == ["Summary", "Description"]

    # what it concluded, and not its number, tells whether the pages are still right
    window(inv(Conclusion("Title", "Summary", "Another description")))
    assert read[2:] == ["Summary", "Another description"]


def test_pages_of_few_investigations_are_kept() -> None:
    for number in range(100):
        window(inv(Conclusion(f"Title {number}", "", "")))
    assert report_window._pages.cache_info().currsize < 50
