import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.investigations import Conclusion, InvestigationDetail, InvestigationItem, InvestigationPage
from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations import answers
from bot.investigations.message_alerts import ONLY_THE_FIRST
from bot.investigations.model import State, Verdict
from bot.investigations.questions import question_modal, read_question
from bot.investigations.subject_view import alert_value, nudge_message, read_alert_value
from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, Question, Subject, ThreadRef
from bot.slack.blocks import Message
from bot.slack.errors import Meaning, SlackTrouble
from bot.slack.replies import unexpected
from bot.wording import ASK_FOLLOW_UP
from tests.investigations.samples import APP, HOSTILE, INV, RUN
from tests.slack.blockkit import buttons, check_message, check_modal, mrkdwn, shown

PERMALINK = "https://acme.slack.com/archives/C1/p1700000000000000"
ALERT = AlertRef(123, "8788641826233093636", 1788106679000, "High latency", "service:web")


def checked(message: Message) -> str:
    check_message(message)
    return message.text


def test_the_second_click_is_told_the_real_state_and_where() -> None:
    for state in State:
        inv = replace(INV, state=state, verdict=Verdict.INCONCLUSIVE)
        told = checked(answers.already(inv, PERMALINK, "U0ANA"))
        assert "<@U0ANA>" in told
        assert f"<{PERMALINK}|the thread>" in told
    concluded = replace(INV, state=State.CONCLUDED, verdict=Verdict.INCONCLUSIVE)
    assert "(inconclusive)" in checked(answers.already(concluded, "", "U0ANA"))
    assert "<@" not in checked(answers.already(replace(INV, requested_by=""), PERMALINK, ""))
    told = checked(answers.already(replace(INV, requested_by="U0FAR"), PERMALINK, ""))
    assert "Somebody in another workspace asked" in told


def test_a_question_in_a_thread_is_offered_a_follow_up_once_there_is_something_to_follow() -> None:
    for state in State:
        offer = answers.offer_in_thread(replace(INV, state=state), "and since noon?", app_url=APP)
        says = checked(offer)
        assert (ASK_FOLLOW_UP in buttons(offer.blocks)) == state.finished
        assert ("shows what would be sent" in says) == state.finished
        assert ("stands here once it has ended" in says) != state.finished


SUBJECTS: list[Subject] = [ALERT, MonitorRef(5), EventRef("77"), EventRef("AgAAuid"), Question("why"), ExistingRun(RUN)]


def test_a_failed_look_up_says_why_and_what_next() -> None:
    for subject in SUBJECTS:
        for kind in TroubleKind:
            told = checked(answers.lookup_failed(subject, Trouble(kind, "reason <!channel>", "monitors_read")))
            assert "<!" not in told
            assert told.count(".") >= 2


def test_look_up_failures_are_told_apart() -> None:
    assert "event `77`" in checked(answers.lookup_failed(EventRef("77"), Trouble(TroubleKind.NO_ALERT)))
    assert "can't follow" in checked(answers.lookup_failed(EventRef("AgAA"), Trouble(TroubleKind.NOT_FOUND)))
    assert "in 2 minutes" in checked(answers.refused(Trouble(TroubleKind.RATE_LIMITED, wait=61)))


def test_a_thread_that_was_not_read_is_never_said_to_hold_no_alert() -> None:
    assert "There is no alert in this thread" in checked(
        answers.lookup_failed(ThreadRef(), Trouble(TroubleKind.NO_ALERT))
    )
    for meaning in Meaning:
        for word in ("missing_scope", "not_in_channel", "thread_not_found", ONLY_THE_FIRST, "<!channel>"):
            told = checked(answers.could_not_read(SlackTrouble(meaning, word), channel="C1"))
            assert "There is no alert" not in told
            assert "<!" not in told
            assert "or choose “Investigate with Bits”" in told
    assert "for about 58 seconds; I go on" in checked(answers.waits_to_read(58))


WAYS = {"Newer": -10, "Older": 10}


def listed(count: int, total: int | None, *, offset: int = 0, monitor: int | None = None) -> answers.Listed:
    items = tuple(InvestigationItem(f"id-{number}", HOSTILE, "in progress") for number in range(count))
    return answers.Listed(InvestigationPage(items, total, count), offset, "default", monitor)


def test_a_list_links_each_run_with_how_it_stands_and_since_when() -> None:
    run = InvestigationItem(RUN, "Checkout is slow", "in progress")
    page = InvestigationPage((run,), 1, 1)
    message = answers.investigation_list(answers.Listed(page, 0, "default", None, {RUN: INV}), app_url=APP)
    assert checked(message) == "Bits AI investigations: Checkout is slow (⏳ running)"
    row = shown(message.blocks[1:2])
    assert row.startswith(f"⏳ *<{APP}/bits-ai/investigations/{RUN}|Checkout is slow>*")
    assert "{date_short_pretty} at {time}" in row
    assert f"ref `{INV.ref}`" in row
    assert json.loads(message.blocks[1]["accessory"]["value"]) == {"org": "default", "run": RUN}


def test_every_page_of_a_list_leads_to_its_neighbours() -> None:
    cases: list[tuple[int, int | None, int, list[str], str]] = [
        (0, 0, 0, [], "shows no"),
        (0, 10, 10, ["Newer"], "shows no more"),
        (7, 7, 0, [], "7 runs"),
        (10, 130, 0, ["Older"], "1 to 10 of 130"),
        (10, 130, 20, ["Newer", "Older"], "21 to 30 of 130"),
        (10, 130, 120, ["Newer"], "121 to 130 of 130"),
        (10, None, 0, ["Older"], "10 runs"),
        (3, None, 10, ["Newer"], "11 to 13"),
    ]
    for count, total, offset, turns, told in cases:
        message = answers.investigation_list(listed(count, total, offset=offset, monitor=5), app_url=APP)
        assert "monitor 5" in checked(message)
        assert told in shown(message.blocks), told
        leads = {text: json.loads(one["value"]) for text, one in buttons(message.blocks).items() if text in WAYS}
        assert leads == {turn: {"org": "default", "monitor": 5, "offset": offset + WAYS[turn]} for turn in turns}


def test_a_summary_of_one_run() -> None:
    for count in (0, 30):
        detail = InvestigationDetail(
            RUN, HOSTILE, "new status <!here>", (Conclusion(HOSTILE, HOSTILE, ""),) * count, "javascript:x"
        )
        message = answers.investigation_summary(detail, app_url=APP)
        checked(message)
        assert buttons(message.blocks)["Open in Datadog"]["url"] == f"{APP}/bits-ai/investigations/{RUN}"
        assert ("25 more conclusions" in shown(message.blocks)) == (count == 30)


def test_every_answer_fits_and_pings_nobody() -> None:
    cases: list[Message] = [
        answers.looking_up(ThreadRef()),
        answers.looking_up(MonitorRef(5)),
        answers.refused(Trouble(TroubleKind.NO_ORG)),
        answers.cannot_post_card(HOSTILE, channel="C0OPS", ref=HOSTILE),
        answers.unknown_investigation(HOSTILE),
        unexpected(HOSTILE),
        answers.gone(),
        answers.no_longer_alert(),
        answers.kept_waiting(),
        answers.vote_noted(),
        answers.cause_noted(commented=True, wanted=True),
        answers.refused(Trouble(TroubleKind.REFUSED, HOSTILE, HOSTILE), ref=HOSTILE),
    ]
    for message in cases:
        checked(message)
        for text in [message.text, *mrkdwn(message.blocks)]:
            assert "<!" not in text
            assert "<@U666" not in text


def test_a_nudge_carries_its_alert() -> None:
    message = nudge_message(ALERT)
    button = buttons(message.blocks)["Investigate"]
    assert "Investigate High latency on service:web" in checked(message)
    assert button["action_id"] == "alert:investigate"
    assert read_alert_value(button["value"]) == ALERT
    assert read_alert_value(alert_value(MonitorRef(5, "Disk"))) == MonitorRef(5, "Disk")


def test_a_nudge_for_any_names() -> None:
    cases: list[AlertRef | MonitorRef] = [
        AlertRef(2**62, "9" * 19, 2**60, HOSTILE, HOSTILE),
        MonitorRef(1, "漢" * 9_000, "x" * 9_000),
    ]
    for alert in cases:
        message = nudge_message(alert)
        checked(message)
        read = read_alert_value(buttons(message.blocks)["Investigate"]["value"])
        assert read is not None
        assert read.monitor_id == alert.monitor_id
        assert read.group == ""  # half a group would be another group


def test_a_forged_value_is_no_alert() -> None:
    for value in (
        "",
        "{}",
        "[]",
        "null",
        "7",
        '{"m":"5"}',
        '{"m":true}',
        '{"m":-1}',
        '{"m":1,"e":5,"t":1}',
        '{"m":1,"e":"x","t":1}',
        '{"m":1,"e":"5"}',
        "[" * 100_000,
    ):
        assert read_alert_value(value) is None


@given(
    st.text()
    | st.dictionaries(st.sampled_from("metng"), st.integers() | st.text(max_size=9) | st.just({})).map(json.dumps)
)
def test_any_value_is_read_without_an_error(value: str) -> None:
    read = read_alert_value(value)
    assert read is None or read.monitor_id > 0


def window_with(text: str | None, tags: str | None = None, window: str | None = "0") -> dict[str, Any]:
    chosen = {"text": {"type": "plain_text", "text": "x"}, "value": window} if window else None
    values = {
        "question": {"question": {"type": "plain_text_input", "value": text}},
        "tags": {"tags": {"type": "plain_text_input", "value": tags}},
        "window": {"window": {"type": "static_select", "selected_option": chosen}},
    }
    return {"state": {"values": values}}


def test_the_question_modal_is_prefilled() -> None:
    view = question_modal("checkout is slow <@U1>", '{"channel":"C1"}')
    check_modal(view)
    assert view["blocks"][0]["element"]["initial_value"] == "checkout is slow <@U1>"
    assert view["private_metadata"] == '{"channel":"C1"}'
    for prefill in ("", "\u200b", HOSTILE * 3):
        check_modal(question_modal(prefill, ""))


def test_a_question_from_the_modal() -> None:
    read = read_question(window_with("why is it slow", "#service:web, env:prod env:prod", "3600"), 1_700_000_000.5)
    assert read == Question(
        "why is it slow", ("service:web", "env:prod"), 1_700_000_000_500 - 3_600_000, 1_700_000_000_500
    )
    assert read_question(window_with("why"), 0) == Question("why")
    assert read_question(window_with("why", None, None), 0) == Question("why")


def test_what_is_wrong_stands_beside_its_field() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        (window_with(None), "question"),
        (window_with("  \u200b"), "question"),
        (window_with("x" * 5_000), "question"),
        (window_with("why", "no tag: at all"), "tags"),
        ({"state": {"values": {}}}, "question"),
    ]
    for given_view, field in cases:
        read = read_question(given_view, 0)
        assert isinstance(read, dict)
        assert list(read) == [field]
        assert read[field]


def test_a_forged_window_is_no_window() -> None:
    assert read_question(window_with("why", window="99999999"), 0) == Question("why")
