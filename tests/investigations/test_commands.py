from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

from hypothesis import given
from hypothesis import strategies as st

from bot.investigations.commands import InvestigationCommands, ListRequest, ShowRequest
from bot.investigations.doubts import Confirmed, Doubtful, asked_back, confirmed
from bot.investigations.requests import Investigate
from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, Place, Question, Subject, ThreadRef
from bot.rules.budget import Limits, Usage
from bot.slack.blocks import Message
from bot.slack.commands import Commands, Typed
from tests.slack.blockkit import buttons, check_message

NOW = 1_700_000_000.0
RUN = "0195c8a2-7b1e-7c3a-9f00-3a5b1c2d4e5f"
EVENT = "8788641826233093636"
APP = "https://app.datadoghq.com"
COMMANDS = Commands("", "")
NOTHING: Any = MagicMock()
COMMANDS.add(
    *replace(InvestigationCommands(*([NOTHING] * 9)), is_command=COMMANDS.knows, clock=lambda: NOW).commands(),
)


def wanted(text: str) -> object:
    typed = COMMANDS.parse(text)
    assert isinstance(typed, Typed), typed
    return typed.request


def subject(text: str) -> Subject:
    request = wanted(text)
    assert isinstance(request, Investigate)
    return request.subject


def asked(text: str) -> Question:
    question = subject(f"investigate {text}")
    assert isinstance(question, Question)
    return question


def reason(text: str) -> str:
    told = COMMANDS.parse(text)
    assert isinstance(told, Message), told
    return told.text


def test_a_monitor() -> None:
    for text in ("investigate 12345", "INVESTIGATE 12345", "investigate: 12345", "investigate monitor 12345"):
        assert subject(text) == MonitorRef(12345)


def test_what_a_link_or_id_means() -> None:
    cases: list[tuple[str, Subject]] = [
        (f"{APP}/monitors/5", MonitorRef(5)),
        (f"<{APP}/monitors/5?group=host%3Aa&amp;event_id={EVENT}|High &gt; latency>", EventRef(EVENT)),
        (f"<{APP}/monitors/5?from_ts=1788105779000&amp;event_id={EVENT}>", AlertRef(5, EVENT, 1788106679000)),
        (f"{APP}/event/jump_to?event_id={EVENT}", EventRef(EVENT)),
        (f"{APP}/bits-ai/investigations/{RUN}?section=conclusion", ExistingRun(RUN)),
        (RUN.upper(), ExistingRun(RUN)),
        (EVENT, EventRef(EVENT)),
        (f"“{APP}/monitors/5”", MonitorRef(5)),
        (f"{APP}/monitors/5 please, it is slow", MonitorRef(5)),
        (f"this alert: {APP}/monitors/5 please!", MonitorRef(5)),
        (f"event {EVENT}", EventRef(EVENT)),
    ]
    for link, expected in cases:
        assert subject(f"investigate {link}") == expected


def test_nothing_named_means_the_alert_of_the_thread() -> None:
    for text in ("investigate", "investigate this", "<@U0BITS> investigate this alert please"):
        assert subject(text) == ThreadRef()


def test_a_mention_comes_before_or_after_a_greeting() -> None:
    assert subject("<@U0BITS> investigate 5") == MonitorRef(5)
    assert subject("<@U0BITS|bits>: investigate 5") == MonitorRef(5)
    assert subject("hey <@U0BITS> investigate 5") == MonitorRef(5)


def test_what_is_hardly_a_question_is_asked_back() -> None:
    for text, why in (
        ("checkout", "one word"),
        ("CASEM-42", "`/bits case CASEM-42`"),
        ("case CASEM-42 please", "`/bits case CASEM-42`"),
        ("list", "`/bits list`"),
        ("Help", "`/bits Help`"),
        ("show the latest", "`/bits show the latest`"),
    ):
        doubt = wanted(f"investigate {text}")
        assert isinstance(doubt, Doubtful), text
        assert why in doubt.why
        message = asked_back(doubt, Usage(3, 1, 0, Limits(20)), key="k", place=Place("T1", "C1", "1.2"))
        check_message(message)
        assert "Nothing was started" in message.text
        assert "Datadog bills each one" in message.text
        assert "3 of 20 used" in message.text
        value = buttons(message.blocks)["Start anyway"]["value"]
        assert confirmed(value) == Confirmed(doubt.question, "k", "1.2")


def test_what_can_be_a_question_starts_as_it_stands() -> None:
    for text in (
        "checkout slow",
        "status 500 on the checkout",
        "checkout #service:web",
        "errors last 2h",
        "web-1 down",
    ):
        assert asked(text)


def test_a_value_that_is_none_of_ours_confirms_nothing() -> None:
    for value in (
        "",
        "12",
        "[]",
        "{}",
        '{"q": {"text": "why"}}',
        '{"q": 5, "k": "x"}',
        '{"q": {"text": "a"}, "k": ""}',
    ):
        assert confirmed(value) is None


def test_a_mention_inside_a_question_is_part_of_it() -> None:
    assert asked("why <@U0ANA> list is slow").text == "why @U0ANA list is slow"


def test_free_text_with_tags_and_window() -> None:
    question = asked("why is checkout slow in the last 2h #service:web, #env:prod?")
    assert question == Question(
        "why is checkout slow", ("service:web", "env:prod"), int(NOW * 1000) - 7_200_000, int(NOW * 1000)
    )


def test_windows() -> None:
    cases: list[tuple[str, str, int]] = [
        ("why is it slow last 2h", "why is it slow", 7_200),
        ("why is it slow last 2 hours", "why is it slow", 7_200),
        ("last 30m why is it slow", "why is it slow", 1_800),
        ("over the past 1d, why is it slow", "why is it slow", 86_400),
        ("errors in the last hour?", "errors?", 3_600),
        ("LAST 15 MINUTES of checkout", "of checkout", 900),
        ("why did it last 2h", "why did it", 7_200),
    ]
    for written, text, seconds in cases:
        question = asked(written)
        assert question.end_ts == int(NOW * 1000)
        assert question.start_ts == int(NOW * 1000) - seconds * 1000
        assert question.text == text


def test_words_that_are_no_window() -> None:
    for text in ("why did the last deploy fail", "the last 3 deploys", "blast 2h", "the last 2html pages"):
        question = asked(text)
        assert (question.text, question.start_ts, question.end_ts) == (text, None, None)


def test_tags_leave_the_text() -> None:
    assert asked("why is #service:web slow #env:prod") == Question("why is slow", ("service:web", "env:prod"))
    assert asked("<#C123|service>:web slow").tags == ("service:web",)
    assert asked("issue #42 and #general and #nocolon").tags == ()


def test_slack_markup_in_a_question_becomes_plain() -> None:
    text = f"“why” is <{APP}/dashboard/abc|this board> &lt;slow&gt; says <@U1|ana> in <#C1|ops>"
    assert asked(text).text == f'"why" is {APP}/dashboard/abc (this board) <slow> says @ana in #ops'


def test_a_quoted_question_is_unquoted() -> None:
    assert asked("“why is checkout slow”").text == "why is checkout slow"


def test_a_number_that_begins_a_sentence_is_no_monitor() -> None:
    assert asked("500 errors on checkout").text == "500 errors on checkout"
    assert asked("the monitor of checkout is noisy").text == "the monitor of checkout is noisy"


def test_lines_are_kept() -> None:
    assert asked("first line\nsecond  line").text == "first line\nsecond line"


def test_limits() -> None:
    assert len(asked("x " * 2_047 + "xx").text) == 4_096
    assert "one word of 500 characters" in reason(f"investigate {'x' * 500}")
    assert "4,097" in reason("investigate " + "x" * 4_097)
    assert "window" in reason("investigate slow last 0h")
    assert "31 days" in reason("investigate slow last 999999w")
    assert "tags" in reason("investigate slow " + " ".join(f"#a:{number}" for number in range(60)))


def test_what_does_not_fit_is_said() -> None:
    cases: list[tuple[str, str]] = [
        ("investigate #service:web last 2h", "in words"),
        ("investigate 0", "no monitor id"),
        (f"investigate {'9' * 30}", "no monitor id"),
        ("investigate https://evil.example/monitors/5", "Datadog"),
        (f"investigate {APP}/dashboard/abc", "no monitor, alert or investigation"),
        (f"investigate {APP}/monitors/9999999999999999999", "no monitor"),
        ("list everything", "no monitor"),
        ("list 99999999999999999999", "no monitor"),
        ("show", "which investigation"),
        ("show 5", "no investigation"),
        (f"show {APP}/monitors/5", "no investigation"),
        ("show <!channel>`x`", "no investigation"),
    ]
    for text, hint in cases:
        said = reason(text)
        assert hint in said
        assert "<!" not in said


def test_list_and_show() -> None:
    assert wanted("list") == ListRequest()
    for words in ("list 5", "list monitor 5", "list of monitor:5", "LIST Monitor 5"):
        assert wanted(words) == ListRequest(5)
    assert wanted(f"ls <{APP}/monitors/5>") == ListRequest(5)
    assert wanted(f"show {RUN.upper()}") == ShowRequest(RUN)
    assert wanted(f"show <{APP}/bits-ai/investigations/{RUN}>") == ShowRequest(RUN)


@given(st.sampled_from(["", "investigate ", "list ", "show ", "<@U1> "]), st.text(max_size=200))
def test_any_text_is_understood_or_refused(command: str, text: str) -> None:
    typed = COMMANDS.parse(command + text)
    if isinstance(typed, Message):
        assert "<!" not in typed.text
    elif isinstance(typed.request, Investigate) and isinstance(typed.request.subject, Question):
        assert 0 < len(typed.request.subject.text) <= 4_096
