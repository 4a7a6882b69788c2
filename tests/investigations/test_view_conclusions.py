from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.investigations import Conclusion
from bot.investigations.conclusions_view import conclusions_message
from bot.investigations.model import Investigation, State, ThreadCase, Verdict, Votes
from bot.investigations.report import NextStep, next_step
from bot.model import Question
from bot.slack.blocks import Message
from tests.investigations.samples import APP, RUNNING, SUBJECT
from tests.slack.blockkit import buttons, check_message, shown

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
        "Share to a channel": "conclusions:share",
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


def test_what_others_think_of_it_stands_below_the_votes() -> None:
    plain = reply(inv(ONE))
    assert "found it" not in shown(plain.blocks)
    message = conclusions_message(
        inv(ONE), requester="", app_url=APP, may_repeat=False, votes=Votes(2, 1, "<!channel> a full disk")
    )
    check_message(message)
    assert "🗳️ 2 found it right, 1 found it wrong; really: &lt;!channel&gt; a full disk" in shown(message.blocks)
