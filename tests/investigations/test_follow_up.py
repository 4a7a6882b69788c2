"""What goes with a question that follows an investigation, within Datadog's and Slack's limits."""

import json
from dataclasses import replace

from bot.datadog.investigations import LONGEST_QUESTION, Conclusion
from bot.investigations.follow_up import (
    LONGEST_TEXT,
    follow_up,
    follow_up_button,
    follow_up_modal,
    read_button,
)
from bot.investigations.model import State, Verdict
from bot.investigations.records import subject_key
from bot.investigations.trigger_worker import described
from bot.model import SUBJECTS, Question
from bot.rules.budget import Limits, Usage
from tests.investigations.samples import HOSTILE, INV, RUNNING, SUBJECT
from tests.slack.blockkit import check_modal, shown

FOUND = replace(
    RUNNING, state=State.CONCLUDED, verdict=Verdict.CONCLUSIVE, conclusions=(Conclusion("Cause", "Because.", "long"),)
)
NOW = SUBJECT.event_ts / 1_000 + 600
USAGE = Usage(7, 3, 2, Limits(40, 12, 10))


def test_it_carries_the_alert_its_tags_its_window_and_what_was_found() -> None:
    asked = follow_up(FOUND, "why?", NOW)
    assert asked.tags == ("service:web",)
    assert asked.start_ts == SUBJECT.event_ts - 3_600_000
    assert asked.end_ts == int(NOW * 1_000)
    assert asked.background.split("\n") == [
        "This follows an earlier investigation.",
        "Alert: High latency on service:web, monitor 123, fired 2026-08-30 16:17 UTC.",
        "Found (conclusive): Cause",
        "Because.",
    ]
    later = follow_up(FOUND, "why?", NOW + 86_400)
    assert later.end_ts == SUBJECT.event_ts + 3_600_000


def test_a_follow_up_of_a_question_keeps_its_tags_and_window() -> None:
    question = Question("is checkout slow", ("service:web",), 1, 2)
    asked = follow_up(replace(FOUND, alert=None, question=question), "and now?", NOW)
    assert (asked.tags, asked.start_ts, asked.end_ts) == (("service:web",), 1, 2)
    assert "It was asked: is checkout slow" in asked.background


def test_what_is_sent_fits_and_the_question_is_never_what_is_cut() -> None:
    many = replace(FOUND, conclusions=(Conclusion(HOSTILE, HOSTILE, HOSTILE),) * 9)
    longest = "q" * LONGEST_TEXT
    sent = described(follow_up(many, longest, NOW))
    assert len(sent) <= LONGEST_QUESTION
    assert sent.startswith(f"{longest}\n\nThis follows an earlier investigation.")
    assert described(Question("alone")) == "alone"


def test_the_same_words_about_something_else_are_another_question() -> None:
    one, other = follow_up(FOUND, "why?", NOW), follow_up(replace(FOUND, conclusions=()), "why?", NOW)
    assert subject_key(one) != subject_key(other)
    assert subject_key(one) == subject_key(follow_up(FOUND, "why?", NOW))
    assert SUBJECTS.validate_python(SUBJECTS.dump_python(one, mode="json")) == one


def test_the_window_shows_all_of_it_and_takes_hostile_words() -> None:
    many = replace(FOUND, conclusions=(Conclusion(HOSTILE, HOSTILE, HOSTILE),) * 9)
    for inv in (FOUND, many, replace(INV, alert=None), replace(FOUND, alert=None, title=HOSTILE)):
        check_modal(view := follow_up_modal(inv, HOSTILE, USAGE, channel="C1", thread_ts="1.2", now=NOW))
        told = shown(view["blocks"])
        assert follow_up(inv, "", NOW).background[:40] in told
        assert "in this workspace: 7 of 40 used; in this channel: 3 of 12 used" in told


def test_words_of_a_mention_go_along_while_they_fit() -> None:
    assert read_button(follow_up_button(INV)["value"]) == (7, "")
    assert read_button(follow_up_button(INV, "was it the deploy?")["value"]) == (7, "was it the deploy?")
    assert read_button(follow_up_button(INV, '"' * 3_000)["value"]) == (7, "")
    for odd in ("", "x", "[]", json.dumps({"n": "seven"}), json.dumps({"n": {}})):
        assert read_button(odd)[0] == 0
