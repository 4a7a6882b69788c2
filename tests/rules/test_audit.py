"""The audit as it is shown: who did what, where and by which rule, within Slack's limits."""

from dataclasses import replace
from typing import Any

from bot.rules.audit import Decision, Entry, audit_message
from tests.investigations.samples import HOSTILE
from tests.slack.blockkit import check_message, mrkdwn, shown

REFS = {7: "ABC2345"}


def entry(**changes: Any) -> Entry:
    known = Entry(
        key="gesture:1",
        workspace="T1",
        channel="C0ALERTS",
        person="U0ANA",
        source="button",
        decision=Decision.STARTED,
        rule="named user",
        what="Disk",
        budget="workspace 7 of 40",
        investigation_id=7,
        at=1.7e9,
    )
    return replace(known, **changes)


def shown_entries(*entries: Entry, channel: str = "") -> str:
    message = audit_message(entries, REFS, kept_days=30, channel=channel)
    check_message(message)
    return f"{message.text}\n{shown(message.blocks)}"


def test_the_audit_tells_who_what_where_by_which_rule_and_what_is_left() -> None:
    told = shown_entries(entry())
    for words in ("<@U0ANA>", "*started*", "Disk", "by button", "rule: named user", "workspace 7 of 40", "`ABC2345`"):
        assert words in told
    assert "in <#C0ALERTS>" in told
    assert "Kept for 30 days." in told
    assert "automatically" in shown_entries(entry(person="", source="automatic"), channel="C0ALERTS")
    assert "Nothing has been started or refused" in shown_entries()


def test_every_decision_has_words_and_many_long_lines_fit() -> None:
    for decision in list(Decision):
        long = entry(decision=decision, what="<" * 200, rule="&" * 160, budget="workspace 10000 of 10000, " * 6)
        check_message(audit_message([long] * 15, REFS, kept_days=400))


def test_nothing_in_an_audit_line_is_live() -> None:
    message = audit_message([entry(what=text, rule=text) for text in HOSTILE][:15], REFS, kept_days=400)
    check_message(message)
    for text in [*mrkdwn(message.blocks), message.text]:
        assert "<!channel>" not in text
        assert "<!here>" not in text
