from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from bot.datadog.investigations import Conclusion
from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations.answers import explain_failure
from bot.investigations.card_view import ended_message, no_answer_message, status_card
from bot.investigations.conclusions_view import conclusions_message
from bot.investigations.message_alerts import find_alert
from bot.investigations.model import Investigation, State, Verdict, usual
from bot.model import AlertRef, Question
from bot.slack.blocks import Message
from tests.investigations.samples import APP, HOSTILE, INV, RUN, RUNNING, SUBJECT
from tests.slack.blockkit import buttons, check_message, links, mrkdwn, shown

OLDER_KINDS = {
    "bad_request": "did not accept the request",
    "unauthorized": "does not accept my keys",
    "forbidden": "key may not do this",
    "not_found": "can't find this",
    "rate_limited": "for longer than I wait",
    "refused": "refused the request",
    "unavailable": "could not be reached for longer than I wait",
    "no_org": "is connected to this workspace",
    "no_alert": "no alert of this monitor in the last 7 days",
    "bits_failed": "itself reported that it failed",
    "vanished": "is gone from Datadog",
    "internal": "went wrong on my side",
}


def card(inv: Investigation, requester: str = "U0ANA") -> Message:
    message = status_card(inv, requester=requester, app_url=APP)
    check_message(message)
    return message


def every_state() -> list[Investigation]:
    found = replace(RUNNING, state=State.CONCLUDED, conclusions=(Conclusion("Cause", "", ""),))
    concluded = [replace(found, verdict=verdict) for verdict in [*Verdict, None]]
    failed = [
        replace(INV, state=State.FAILED, failure=Trouble(kind, HOSTILE, HOSTILE))
        for kind in map(TroubleKind, OLDER_KINDS)
    ]
    others = [replace(RUNNING, state=state) for state in State if state not in {State.CONCLUDED, State.FAILED}]
    return [*concluded, *failed, *others, replace(INV, state=State.FAILED), replace(INV, retry_at=1_700_000_060.0)]


def test_a_card_says_in_its_first_line_how_things_stand_and_since_when() -> None:
    message = card(RUNNING)
    told = shown(message.blocks)
    assert told.startswith("⏳ Investigating\n · since \n")
    assert "High latency\n on \nservice:web" in told
    assert "Asked by <@U0ANA> · alert of <!date^1788106679^{date_short_pretty} at {time}|2026-08-30 16:17 UTC>" in told
    assert "ref `INV-7K2`" in told
    window = "from_ts=1788105779000&to_ts=1788106979000"
    monitor = f"{APP}/monitors/123?{window}&event_id=8788641826233093636&group=service%3Aweb"
    assert ("High latency", monitor) in links(message.blocks)
    assert message.text.startswith("⏳ Investigating: High latency on service:web, since <!date^1700000000^")


def test_how_long_it_usually_takes_is_told_where_enough_is_known() -> None:
    minutes = [60.0 * number for number in (2, 3, 4, 5, 6, 30)]
    assert usual(minutes[:4]) is None
    message = status_card(RUNNING, requester="", app_url=APP, usual=usual(minutes))
    assert ", usually 3\u20136 min" in shown(message.blocks)
    assert "usually 3\u20136 min" in message.text
    same = usual([100.0] * 5)
    assert same is not None
    assert same.words() == "about 2 min"


def test_what_is_known_of_the_alert_stands_on_the_card_once() -> None:
    picture = "https://p.datadoghq.com/snapshot/view/x.png"
    alert = replace(SUBJECT, priority=2, tags=("service:web", "team:core"), snapshot=picture)
    message = card(replace(RUNNING, alert=alert))
    assert "P2 · team `core`" in shown(message.blocks)  # the service is the group
    assert [block["image_url"] for block in message.blocks if block["type"] == "image"] == [picture]
    assert [block for block in message.plainer if block["type"] == "image"] == []
    forged = card(replace(RUNNING, alert=replace(alert, snapshot="https://p.datadoghq.com.evil.example/x.png")))
    assert "image" not in {block["type"] for block in forged.blocks}


def test_once_an_answer_stands_below_it_the_card_is_one_line() -> None:
    ended = replace(RUNNING, state=State.CONCLUDED, started_at=1_700_000_000, finished_at=1_700_000_240)
    found = (Conclusion("Cause", "", ""),)
    cases = {
        "✅ Answered in 4 min": replace(ended, verdict=Verdict.CONCLUSIVE, conclusions=found),
        "🟡 No clear cause after 4 min": replace(ended, verdict=Verdict.INCONCLUSIVE, conclusions=found),
        "✅ Answered": replace(ended, verdict=Verdict.CONCLUSIVE, conclusions=found, adopted=True),
    }
    for line, inv in cases.items():
        message = card(inv)
        assert shown(message.blocks).startswith(f"{line}\n: \nHigh latency\n on \nservice:web")
        assert len(message.blocks) == 1
        assert message.text == f"{line}: High latency on service:web."


def test_each_state_offers_what_makes_sense() -> None:
    to_cases = ["Create case", "Attach to case"]
    refused = replace(INV, state=State.FAILED, failure=Trouble(TroubleKind.FORBIDDEN))
    cases: list[tuple[Investigation, list[str]]] = [
        (INV, to_cases),
        (replace(INV, state=State.TRIGGERING), to_cases),
        (RUNNING, ["Open in Datadog", *to_cases]),
        (replace(RUNNING, state=State.CONCLUDED, conclusions=(Conclusion("Cause", "", ""),)), []),
        (replace(RUNNING, state=State.EXPIRED), ["Keep waiting", "Open in Datadog"]),
        (replace(INV, state=State.UNCERTAIN), ["Start again", "Open in Datadog"]),
        (replace(INV, state=State.FAILED, failure=Trouble(TroubleKind.BAD_REQUEST)), ["Run again", *to_cases]),
        (refused, to_cases),
        (replace(refused, failure=Trouble(TroubleKind.UNAUTHORIZED)), to_cases),
        (replace(refused, failure=Trouble(TroubleKind.NO_ORG)), to_cases),
    ]
    for inv, expected in cases:
        assert list(buttons(card(inv).blocks)) == expected


def test_what_is_no_answer_is_told_on_the_card_alone_and_votes_and_models_have_no_part_in_it() -> None:
    empty = replace(RUNNING, state=State.CONCLUDED, verdict=Verdict.INCONCLUSIVE)
    failed = replace(RUNNING, state=State.FAILED, failure=Trouble(TroubleKind.BITS_FAILED))
    cases = [
        (empty, ["Open in Datadog", "Run again", "Create case"], "wrote down no conclusion"),
        (failed, ["Open in Datadog", "Run again", "Create case"], "reported that it failed"),
        (replace(RUNNING, state=State.EXPIRED), ["Keep waiting", "Open in Datadog"], "I have stopped watching"),
        (replace(failed, failure=Trouble(TroubleKind.UNAUTHORIZED)), ["Open in Datadog"], "may still finish"),
    ]
    for inv, offered, words in cases:
        message = card(inv)
        assert message == no_answer_message(inv, requester="U0ANA", app_url=APP)  # where no card can stand
        assert list(buttons(message.blocks))[: len(offered)] == offered
        assert len(buttons(message.blocks)) <= 3
        assert words in shown(message.blocks)
        assert "AI" not in message.text.replace("Bits AI", "")


def test_who_asked_is_called_to_a_card_without_an_answer_and_nothing_of_it_is_repeated() -> None:
    ended = replace(RUNNING, started_at=1_700_000_000, finished_at=1_700_000_240, state=State.FAILED)
    link = "https://team.slack.com/archives/C1/p1"
    message = ended_message(ended, requester="U0ANA", card_link=link)
    check_message(message)
    assert message.text == (
        "❌ Failed after 4 min: High latency on service:web. "
        f"<@U0ANA>: <{link}|the card above> says why and what you can do."
    )
    assert not buttons(message.blocks)


def test_what_costs_asks_first_and_what_is_free_does_not() -> None:
    told = no_answer_message(replace(RUNNING, state=State.EXPIRED), requester="", app_url=APP)
    expired = buttons(told.blocks)
    again = buttons(card(replace(INV, state=State.UNCERTAIN)).blocks)["Start again"]
    assert "confirm" not in expired["Keep waiting"]
    assert expired["Keep waiting"]["value"] == again["value"] == "7"
    assert "bills" in shown(again["confirm"])
    assert again["action_id"] == "card:start_again"


def test_a_card_names_its_alert_to_the_shortcut_too() -> None:
    found = find_alert({"text": card(INV).text, "blocks": card(INV).blocks})
    assert found is not None
    assert isinstance(found.subject, AlertRef)
    assert (found.subject.event_id, found.subject.event_ts) == ("8788641826233093636", 1788106679000)


def test_states_tell_themselves_apart() -> None:
    cards = {card(inv).text for inv in every_state()}
    alike = ["no verdict reads as inconclusive", "triggering is no news after requested"]
    assert len(cards) == len(every_state()) - len(alike)


def test_a_refusal_says_whether_anything_was_started() -> None:
    failure = Trouble(TroubleKind.FORBIDDEN)
    assert "Nothing was started." in card(replace(INV, state=State.FAILED, failure=failure)).text
    running = no_answer_message(replace(RUNNING, state=State.FAILED, failure=failure), requester="", app_url=APP)
    assert "Nothing was started" not in running.text
    assert "may still finish in Datadog" in running.text


def test_a_failure_as_rows_have_it_has_its_own_sentence_and_next_step() -> None:
    for kind, words in OLDER_KINDS.items():
        record = {"kind": kind, "detail": "", "permission": ""}
        failure = TypeAdapter(Trouble).validate_python(record)
        told = explain_failure(failure)
        assert words in told.happened
        assert told.next_step
        assert "below" not in told.happened
        assert "below" in explain_failure(replace(failure, detail="reason")).happened


def test_adopted_and_presumed_runs_say_so() -> None:
    assert "Started elsewhere" in card(replace(RUNNING, adopted=True)).text
    assert "the only one that can be ours" in shown(card(replace(RUNNING, presumed=True, run=2)).blocks)
    assert "run 2" in shown(card(replace(RUNNING, run=2)).blocks)


def test_a_question_shows_its_words_tags_and_window() -> None:
    asked = Question("why is `checkout` slow", ("service:web",), 1_700_000_000_000, 1_700_003_600_000)
    told = shown(card(replace(INV, alert=None, question=asked)).blocks)
    assert "why is `checkout` slow" in told
    assert "service:web" in told
    assert "2023-11-14 22:13 UTC to 2023-11-14 23:13 UTC" in told


def test_an_adopted_run_without_a_subject_uses_datadogs_title() -> None:
    assert "Checkout is slow" in card(replace(RUNNING, alert=None, title="Checkout is slow")).text


def test_an_automatic_start_has_nobody_to_name() -> None:
    message = card(RUNNING, requester="")
    assert "Started automatically" in message.text
    assert "<@" not in message.text


def test_only_datadogs_own_link_is_opened() -> None:
    forged = replace(RUNNING, url="https://app.datadoghq.com.evil.example/x")
    assert buttons(card(forged).blocks)["Open in Datadog"]["url"] == f"{APP}/bits-ai/investigations/{RUN}"
    nowhere = replace(INV, state=State.UNCERTAIN)
    assert buttons(card(nowhere).blocks)["Open in Datadog"]["url"] == f"{APP}/bits-ai/investigations"


def test_hostile_words_stay_words() -> None:
    for number, inv in enumerate(every_state()):
        hostile = replace(
            inv,
            alert=AlertRef(1, "2", 3, HOSTILE, HOSTILE) if number % 2 else None,
            question=None if number % 2 else Question(HOSTILE[:4_000], (HOSTILE,)),
            title=HOSTILE,
            conclusions=(Conclusion(HOSTILE, HOSTILE, HOSTILE),),
        )
        for message in (
            card(hostile),
            no_answer_message(hostile, requester="U0ANA", app_url=APP),
            conclusions_message(hostile, requester="U0ANA", app_url=APP, may_repeat=False),
        ):
            check_message(message)
            pinging: list[Any] = [message.text, *mrkdwn(message.blocks)]
            for text in pinging:
                assert "<!channel" not in text
                assert "<@U666" not in text
                assert "|Datadog>" not in text
                assert "\u202e" not in text
