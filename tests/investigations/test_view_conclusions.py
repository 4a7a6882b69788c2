from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.investigations import Conclusion
from bot.investigations import conclusions_view
from bot.investigations.conclusions_view import (
    conclusions_message,
    details_modal,
    read_metadata,
    read_place,
    run_again_modal,
)
from bot.investigations.model import Investigation, State, ThreadCase, Verdict
from bot.investigations.report import NextStep, next_step
from bot.model import Question
from bot.slack.blocks import Block, Message, section
from tests.investigations.samples import APP, RUNNING, SUBJECT
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


def test_the_cause_comes_first_and_who_asked_last() -> None:
    message = reply(replace(inv(ONE), started_at=1_700_000_000, finished_at=1_700_000_240))
    told = shown(message.blocks)
    assert told.startswith("✅ Likely cause: Connection pool exhausted\nThe pool of \ncheckout\n is \nfull\n.")
    assert message.text.startswith("✅ Likely cause: Connection pool exhausted. High latency on service:web.")
    assert "Shortened" not in told
    last = shown(message.blocks[-1])
    assert last.startswith(f"<{APP}/monitors/123?")
    when = "<!date^1700000240^{date_short_pretty} at {time}|2023-11-14 22:17 UTC> in 4 min"
    assert last.endswith(f"Asked by <@U0ANA> · answered {when} · ref `INV-7K2` · AI-written, check before you act")


def test_its_buttons_are_three_at_most_with_the_rest_in_a_menu() -> None:
    message = reply(inv(ONE))
    found = buttons(message.blocks)
    assert {text: button["action_id"] for text, button in found.items()} == {
        "Full report": "conclusions:details",
        "Create case": "conclusions:create_case",
        "Ask a follow-up": "conclusions:follow_up",
        "Attach to case": "conclusions:attach",
        "Run again": "conclusions:ask_run_again",
        "Open in Datadog": "conclusions:open",
    }
    assert {button.get("value") or "7" for button in found.values()} == {"7"}
    first_row = next(block["elements"] for block in message.blocks if block["type"] == "actions")
    assert [element["type"] for element in first_row] == ["button", "button", "button", "overflow"]


def test_where_the_thread_has_a_case_the_button_leads_there() -> None:
    case = ThreadCase("CASEM-42", f"{APP}/cases/CASEM-42")
    message = conclusions_message(inv(ONE), requester="", app_url=APP, may_repeat=False, case=case)
    check_message(message)
    found = buttons(message.blocks)
    assert "Create case" not in found
    assert found["Open CASEM-42"]["url"] == case.url
    assert found["Open CASEM-42"]["action_id"].endswith(":open")  # the browser does it


def test_running_again_asks_first_and_knows_where_it_belongs() -> None:
    view = run_again_modal(inv(ONE), channel="C1", thread_ts="1.5")
    check_modal(view)
    assert "bills" in shown(view)
    assert read_place(view["private_metadata"]) == (7, ("C1", "1.5"))


def test_an_inconclusive_one_names_what_would_help() -> None:
    found = inv(ONE, verdict=Verdict.INCONCLUSIVE)
    told = shown(reply(found).blocks)
    assert told.startswith("🟡 No clear cause: Connection pool exhausted")
    assert "a runbook link in its message, and logs and traces of what it watches" in told
    assert "`service` tag" not in told  # its group has one
    untagged = replace(found, alert=replace(SUBJECT, group="host:web-1"))
    assert "a `service` tag on the monitor" in shown(reply(untagged).blocks)
    asked = replace(found, alert=None, question=Question("why is it slow"))
    assert "one service and a short window" in shown(reply(asked).blocks)


def test_the_other_conclusions_are_folded() -> None:
    many = [Conclusion(f"Cause{number}", f"summary{number}", "") for number in range(1, 14)]
    told = shown(reply(inv(*many)).blocks)
    assert "Also found: Cause2; Cause3; Cause4, and 9 more. See Full report." in told
    assert "summary1" in told
    assert "summary2" not in told
    assert "Cause5" not in told


REPORT = """## Evidence
| Signal | Before | After |
|---|--:|---|
| `disk{host:db-3}` | 0.61 | 0.97 |
| failures an hour | | 60 |

```bash
sudo groupadd --system dbagent
```

## Next step
Create the group on the *four* hosts.

## Appendix
Nothing.
"""


def test_the_table_and_the_next_step_of_the_report_stand_in_the_answer() -> None:
    message = reply(inv(replace(ONE, description=REPORT)))
    kinds = [block["type"] for block in message.blocks]
    assert kinds[:5] == ["rich_text", "rich_text", "table", "rich_text", "rich_text"]
    table = message.blocks[2]
    assert [cell["text"] for cell in table["rows"][0]] == ["Signal", "Before", "After"]
    assert shown(table["rows"][1]) == "disk{host:db-3}\n0.61\n0.97"
    assert table["rows"][2][1] == {"type": "raw_text", "text": "-"}
    assert [column["align"] for column in table["column_settings"]] == ["left", "right", "right"]
    assert shown(message.blocks[3]) == "Next step:\n Create the group on the \nfour\n hosts."
    assert shown(message.blocks[4]) == "sudo groupadd --system dbagent"
    assert message.blocks[4]["elements"][0]["type"] == "rich_text_preformatted"
    check_message(replace(message, blocks=message.plainer))
    assert "table" not in {block["type"] for block in message.plainer}
    assert "disk{host:db-3}  |   0.61 |  0.97" in shown(message.plainer)


@pytest.mark.parametrize(
    ("report", "words", "command"),
    [
        ("## Next steps\n1. one\n2. two\n\n```\nmend\n```\n## More\nx", "1. one\n2. two", "mend"),
        ("**Recommended action:** roll back\n\n```sh\nundo\n```", "roll back", "undo"),
        ("```sh\nlook\n```\n```sh\nlook again\n```\n### Remediation\nroll back", "roll back", ""),
        ("```python\nprint()\n```\n# Fix\nroll back", "roll back", ""),
        ("```\n## Next step\nno\n```\nwords", "", ""),
        ("We next step on it.\n## What happened next\nx", "", ""),
        ("", "", ""),
    ],
)
def test_a_next_step_is_found_and_its_command_is_never_a_guess(report: str, words: str, command: str) -> None:
    assert next_step(report) == NextStep(words, command)


def test_what_is_cut_is_said_and_one_click_away() -> None:
    table = f"{'a' * 59} | b\n--|--\n" + "x|y\n" * 900
    step = f"## Next step\n{'word ' * 400}"
    for count, summary, report in ((1, LONG, LONG), (40, "word " * 3_000, ""), (1, table, ""), (1, "short", step)):
        message = reply(inv(*[Conclusion("T" * 400, summary, report)] * count))
        assert "Shortened here: Full report has all of it." in shown(message.blocks)
        assert "Full report" in buttons(message.blocks)


def test_half_a_command_is_none() -> None:
    report = f"## Next step\nDo this.\n```sh\n{'x' * 2_000}\n```"
    told = shown(reply(inv(replace(ONE, description=report))).blocks)
    assert "xxx" not in told
    assert "Shortened here" in told


def test_a_conclusion_without_a_summary_shows_its_description() -> None:
    told = shown(reply(inv(Conclusion("", "", "A deploy halved it.\n\n## Next step\nMend it."))).blocks)
    assert "A deploy halved it." in told
    assert told.count("Mend it.") == 1


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


MARKDOWN = st.lists(
    st.sampled_from(
        ["## Next step", "| a | b |", "|---|---|", "| `x` | [y](https://z.example) |", "```sh", "```", "- one", ""]
    )
    | WORD,
    max_size=20,
).map("\n".join)


@given(st.lists(st.builds(Conclusion, WORD, MARKDOWN, MARKDOWN), min_size=1, max_size=14))
def test_any_conclusions_fit(conclusions: list[Conclusion]) -> None:
    investigation = inv(*conclusions)
    message = reply(investigation)
    if message.plainer:
        check_message(replace(message, blocks=message.plainer))
    for view in all_pages(investigation):
        check_modal(view)


def test_a_page_is_turned_without_reading_the_markdown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def formatted(markdown: str) -> list[Block]:
        read.append(markdown)
        return [section(markdown)] * 60

    monkeypatch.setattr(conclusions_view, "markdown", formatted)
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
