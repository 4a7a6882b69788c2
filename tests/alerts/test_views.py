from dataclasses import replace
from typing import Any

from bot.alerts import views as alert_card
from bot.alerts.messages import links_in
from bot.alerts.model import Cycle, KnownCycle, Mute, Notice, Taken, Transition, joined
from bot.cases.model import KnownCase
from bot.datadog.investigations import Conclusion
from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations.model import State, Verdict
from bot.investigations.subject_view import read_alert_value
from bot.model import AlertRef
from bot.slack.blocks import Message
from tests.investigations.samples import INV, RUNNING
from tests.slack.blockkit import buttons, check_message, check_modal, links, mrkdwn, shown

APP = "https://app.datadoghq.com"
FOUND = (Conclusion("Log rotation stopped", "s", "d"), Conclusion("Disk full", "s", "d"))
CONCLUDED = replace(INV, state=State.CONCLUDED, verdict=Verdict.CONCLUSIVE, conclusions=FOUND)
SNAPSHOT = "https://p.datadoghq.com/snapshot/view/dd-snapshots-prod/x.png"
HOSTILE = "<!channel> @here `x` ``` *b* <@U666> <https://evil.example|Datadog> \u202egnp.exe " + "&<>" * 1_500
AT = 1_700_000_000_000
NOTICE = Notice(
    event_ts=AT,
    transition=Transition.ALERT,
    word="Triggered",
    monitor_id=42,
    event_id="8788641826233093636",
    cycle="c1",
    group="host:web-1",
    name="Disk almost full",
    priority=2,
    value="The monitor's value was 97.3.",
    tags=("team:core", "env:prod"),
    snapshot=SNAPSHOT,
)


def later(seconds: int, transition: Transition, **more: Any) -> Notice:
    return replace(NOTICE, event_ts=AT + seconds * 1000, event_id=str(seconds), transition=transition, **more)


def known(*notices: Notice, mute: Mute | None = None, taken: Taken | None = None) -> KnownCycle:
    cycle: Cycle | None = None
    for each in notices:
        cycle = joined(cycle, each)
    assert cycle is not None
    return KnownCycle(7, "abc", "default", cycle, mute or Mute(), taken or Taken())


def card(*notices: Notice, mute: Mute | None = None) -> Message:
    message = alert_card.alert_card(known(*notices, mute=mute), APP)
    check_message(message)
    if message.plainer:
        check_message(replace(message, blocks=message.plainer))
    return message


def told(*notices: Notice, mute: Mute | None = None) -> str:
    return shown(card(*notices, mute=mute).blocks)


def names(message: Message) -> list[str]:
    """What can be pressed, chosen, or opened in the menu."""
    found: list[str] = []
    for element in (each for block in message.blocks if block["type"] == "actions" for each in block["elements"]):
        words = element.get("text") or element.get("placeholder")
        found += [words["text"]] if words else [option["text"]["text"] for option in element["options"]]
    return found


def elements(message: Message) -> dict[str, dict[str, Any]]:
    return {each["action_id"]: each for each in message.blocks[-1]["elements"]}


def test_a_card_says_what_where_how_bad_and_since_when() -> None:
    message = card(NOTICE)
    words = shown(message.blocks)
    assert "Triggered: \nDisk almost full\n on \nhost:web-1" in words
    assert "The monitor's value was 97.3." in words
    since = "<!date^1700000000^{date_short_pretty} at {time} ({ago})|2023-11-14 22:13 UTC>"
    assert f"*P2* · firing since {since}" in words
    assert "`team:core` `env:prod`" in words
    assert message.text.startswith(
        "Triggered: Disk almost full on host:web-1. The monitor's value was 97.3. P2 · firing since"
    )
    ((name, url),) = [link for link in links(message.blocks) if link[0] == "Disk almost full"]
    assert url.startswith(f"{APP}/monitors/42?from_ts=1699999100000")
    assert name


def test_its_buttons_carry_the_alert_so_that_a_click_needs_no_look_up() -> None:
    message = card(NOTICE)
    assert names(message)[:3] == ["Investigate", "I'm on it", "Mute …"]
    assert names(message)[3:] == ["Create case", "Attach to case", "Tell me when it recovers", "Open in Datadog"]
    alert = AlertRef(42, "8788641826233093636", AT, "Disk almost full", "host:web-1")
    assert read_alert_value(buttons(message.blocks)["Investigate"]["value"]) == alert
    assert buttons(message.blocks)["I'm on it"]["value"] == "7"
    assert [each["value"] for each in elements(message)[alert_card.MUTE_FOR]["options"]] == [
        "1h:7",
        "4h:7",
        "morning:7",
    ]


def test_muting_asks_first_and_names_what_is_muted() -> None:
    mute = elements(card(NOTICE))[alert_card.MUTE_FOR]
    assert "Disk almost full for host:web-1" in mute["confirm"]["text"]["text"]
    whole = replace(NOTICE, group="what ever (this) is")
    mute = elements(card(whole))[alert_card.MUTE_FOR]
    assert "Disk almost full, the whole monitor" in mute["confirm"]["text"]["text"]


def test_a_muted_card_says_until_when_and_by_whom_and_offers_the_way_back() -> None:
    mute = Mute(1_700_003_600.0, "U0ANA", "d-1")
    assert "Muted until <!date^1700003600^{date_short_pretty} at {time}|2023-11-14 23:13 UTC> by <@U0ANA>." in told(
        NOTICE, mute=mute
    )
    assert "the whole monitor" in told(replace(NOTICE, group=""), mute=mute)
    assert names(card(NOTICE, mute=mute))[2] == "Unmute"
    over = card(NOTICE, later(60, Transition.RECOVERED), mute=mute)
    assert "Unmute" in names(over)


def test_it_says_who_is_on_it_and_lets_somebody_else_take_over() -> None:
    taken = known(NOTICE, taken=Taken("U0ANA", 1_700_000_060.0, "T1"))
    message = alert_card.alert_card(taken, APP, alert_card.Following(workspace="T1"))
    check_message(message)
    assert "🙋 <@U0ANA> is on it since <!date^1700000060" in shown(message.blocks)
    assert "Take over" in names(message)
    elsewhere = shown(alert_card.alert_card(taken, APP, alert_card.Following(workspace="T2")).blocks)
    assert "Somebody in another workspace is on it" in elsewhere
    assert "<@" not in elsewhere


def test_a_mute_of_another_workspace_names_nobody() -> None:
    muted = known(NOTICE, mute=Mute(1_700_003_600.0, "U0ANA", "d-1", "", "T1"))
    words = shown(alert_card.alert_card(muted, APP, alert_card.Following(workspace="T2")).blocks)
    assert "by somebody in another workspace" in words
    assert "<@" not in words


WORDS = """\
Checkout is slow for customers. @slack-alerts @ana@acme.com
Runbook: https://wiki.acme.com/runbooks/checkout
[Logs](https://app.datadoghq.com/logs?query=service%3Acheckout)
The monitor's value was 2.31 when its query was last evaluated: avg(last_5m):p95:checkout.latency{*} > 1.2"""


def test_the_value_stands_against_its_threshold_and_the_monitors_words_and_links_with_it() -> None:
    condition = WORDS.splitlines()[-1]
    tags = ("region:us", "version:4", "env:prod", "team:payments", "service:checkout")
    message = card(replace(NOTICE, message=WORDS, value=condition, tags=tags))
    words = shown(message.blocks)
    assert "2.31\n (threshold > 1.2)" in words
    assert "Checkout is slow for customers." in words
    assert "@slack" not in words
    assert "`service:checkout` `team:payments` `env:prod` `region:us`" in words
    found = dict(links(message.blocks))
    assert found["Runbook (wiki.acme.com)"] == "https://wiki.acme.com/runbooks/checkout"
    assert found["Logs"] == "https://app.datadoghq.com/logs?query=service%3Acheckout"
    assert found["Traces"].startswith(f"{APP}/apm/traces?query=service%3Acheckout&start=")


def test_no_link_of_a_message_can_hide_where_it_leads() -> None:
    told = "Runbook: https://evil.example/x\n[Logs](https://evil.example/logs) http://u:p@runbook.example/"
    assert links_in(told) == {"Runbook (evil.example)": "https://evil.example/x"}


def test_what_came_of_it_lives_on_the_card() -> None:
    case = KnownCase(id=3, org="default", case_id="u", key="CASEM-42", status="IN_PROGRESS", status_name="In Progress")
    for inv, words in (
        (RUNNING, "⏳ Bits AI is investigating"),
        (CONCLUDED, "Likely cause: \nLog rotation stopped (and 1 more finding)"),
        (replace(CONCLUDED, verdict=Verdict.INCONCLUSIVE), "🟡 Bits AI investigated: inconclusive"),
        (replace(INV, state=State.UNCERTAIN), "Not sure the Bits AI investigation started"),
    ):
        message = alert_card.alert_card(known(NOTICE), APP, alert_card.Following("", inv, case))
        check_message(message)
        assert words in shown(message.blocks)
        assert "CASEM-42\n · 🟠 In Progress" in shown(message.blocks)
        assert "Create case" not in names(message)
        assert ("Full report" in names(message)) == bool(inv.conclusions)
        assert "Investigate" not in names(message)
    for state in State:
        check_message(alert_card.alert_card(known(NOTICE), APP, alert_card.Following("", replace(INV, state=state))))


def test_an_unmuted_card_says_who_did_it() -> None:
    assert "Unmuted by <@U0BEN>." in told(NOTICE, mute=Mute(undone_by="U0BEN"))


def test_every_state_has_a_word_and_a_sign() -> None:
    cases: list[tuple[Transition, str, str]] = [
        (Transition.ALERT, "Triggered: ", "red_circle"),
        (Transition.WARN, "Warning: ", "large_yellow_circle"),
        (Transition.NO_DATA, "No data: ", "white_circle"),
        (Transition.RECOVERED, "Recovered: ", "large_green_circle"),
        (Transition.RENOTIFY, "Triggered: ", "red_circle"),
        (Transition.OTHER, "Quantum: ", "large_orange_circle"),
    ]
    for transition, word, sign in cases:
        message = card(replace(NOTICE, transition=transition, word="Quantum"))
        assert word in shown(message.blocks)
        assert message.blocks[0]["elements"][0]["elements"][0] == {"type": "emoji", "name": sign}


def test_a_recovery_says_how_long_it_took_and_can_not_be_muted() -> None:
    message = card(NOTICE, later(720, Transition.RECOVERED, value="Back to 61.0."))
    assert "lasted 12 minutes" in shown(message.blocks)
    assert "Back to 61.0." in shown(message.blocks)
    assert "Mute …" not in names(message)
    assert "Tell me when it recovers" not in names(message)
    assert "Investigate" in names(message)


def test_a_recovery_alone_says_no_duration() -> None:
    words = told(later(0, Transition.RECOVERED))
    assert "recovered <!date" in words
    assert "lasted" not in words


def test_a_repetition_says_when_it_was_last_told() -> None:
    assert "last notified <!date^1700000600" in told(NOTICE, later(600, Transition.RENOTIFY))


def test_the_picture_is_shown_and_left_out_where_slack_can_not_fetch_it() -> None:
    message = card(NOTICE)
    (picture,) = [block for block in message.blocks if block["type"] == "image"]
    assert picture["image_url"] == SNAPSHOT
    assert "Disk almost full" in picture["alt_text"]
    assert [block for block in message.plainer if block["type"] == "image"] == []
    assert names(replace(message, blocks=message.plainer)) == names(message)


def test_the_picture_of_the_trouble_stays_when_the_recovery_has_none() -> None:
    message = card(NOTICE, later(60, Transition.RECOVERED, snapshot=""))
    assert [block["image_url"] for block in message.blocks if block["type"] == "image"] == [SNAPSHOT]


def test_pictures_from_elsewhere_are_not_fetched() -> None:
    for url in (
        "",
        "https://evil.example/x.png",
        "http://p.datadoghq.com/x.png",
        "https://datadoghq.com.evil.example/x",
        HOSTILE,
    ):
        message = card(replace(NOTICE, snapshot=url))
        assert [block for block in message.blocks if block["type"] == "image"] == []
        assert message.plainer == []


def test_many_tags_are_folded_and_shown_in_a_window() -> None:
    many = replace(NOTICE, tags=tuple(f"tag{number}:value" for number in range(200)))
    words = told(many)
    assert "`tag4:value` and 195 more" in words
    assert "tag5" not in words
    assert "All tags" in names(card(many))
    modal = alert_card.tags_modal(known(many))
    check_modal(modal)
    assert "tag199:value" in shown(modal["blocks"])


def test_a_window_of_hostile_tags_keeps_its_limits() -> None:
    check_modal(alert_card.tags_modal(known(replace(NOTICE, tags=(HOSTILE[:200],) * 200))))
    check_modal(alert_card.tags_modal(known(replace(NOTICE, tags=()))))


def test_a_test_notification_is_shown_as_such_and_can_not_be_investigated() -> None:
    message = card(replace(NOTICE, test=True, event_id=""))
    assert "[TEST] Triggered: " in shown(message.blocks)
    assert "nothing is wrong, and nothing is investigated" in shown(message.blocks)
    assert message.text.startswith("[TEST] Triggered")
    assert names(message) == ["Open in Datadog"]


def test_an_alert_without_a_monitor_says_what_to_do_about_it() -> None:
    message = card(replace(NOTICE, monitor_id=0))
    assert "bits-bot webhook-template" in shown(message.blocks)
    assert names(message) == []


def test_an_alert_that_says_next_to_nothing_still_makes_a_card() -> None:
    message = card(Notice(event_ts=AT, transition=Transition.OTHER, monitor_id=42))
    assert "Alert: \nmonitor 42" in shown(message.blocks)


def test_hostile_words_stay_words() -> None:
    for transition in Transition:
        notice = replace(
            NOTICE,
            transition=transition,
            word=HOSTILE,
            name=HOSTILE,
            group=HOSTILE,
            value=HOSTILE,
            tags=(HOSTILE,) * 9,
        )
        message = card(notice, mute=Mute(1.0, HOSTILE, HOSTILE))
        for text in (message.text, *mrkdwn(message.blocks)):
            assert "<!channel>" not in text
            assert "<@U666>" not in text
            assert "<https://evil" not in text


def test_a_refused_mute_names_the_permission_and_what_holds_now() -> None:
    failure = Trouble(TroubleKind.FORBIDDEN, "Forbidden", "monitors_downtime")
    message = alert_card.mute_refused(failure, unmute=False)
    check_message(message)
    assert "Nothing was muted." in message.text
    assert "`monitors_downtime`" in message.text
    assert "It is still muted." in alert_card.mute_refused(failure, unmute=True).text
