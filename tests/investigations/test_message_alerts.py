from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.investigations.message_alerts import FoundAlert, find_alert, find_run_link, message_text
from bot.model import AlertRef, EventRef, MonitorRef

EVENT = "8788641826233093636"
LINK = (
    "https://us3.datadoghq.com/monitors/444839?from_ts=1788105779000&to_ts=1788106979000"
    f"&event_id={EVENT}&link_source=monitor_notif&link_monitor_id=444839&link_event_id={EVENT}"
    "&link_event_ts=1788106679&group=service%3Aweb"
)
OLDER = f"https://app.datadoghq.com/monitors/444839?from_ts=1788105779000&to_ts=1788106979000&event_id={EVENT}"
RUN = "0195c8a2-7b1e-7c3a-9f00-3a5b1c2d4e5f"
ALERT = AlertRef(444839, EVENT, 1788106679000, "High latency", "service:web")


def datadog_message(**attachment: Any) -> dict[str, Any]:
    return {"type": "message", "subtype": "bot_message", "bot_id": "B1", "text": "", "attachments": [attachment]}


def found(message: dict[str, Any]) -> FoundAlert:
    alert = find_alert(message)
    assert alert is not None
    return alert


def test_datadogs_own_alert() -> None:
    alert = found(
        datadog_message(
            title="Triggered: High latency on {service:web}",
            title_link=LINK,
            text="Latency is over 2 s.\n\nNotified: @slack-ops",
            fallback="Triggered: High latency on {service:web}",
            image_url="https://p.datadoghq.com/snapshot/1.png",
        )
    )
    assert alert.subject == ALERT
    assert alert.title == "Triggered: High latency on {service:web}"
    assert (alert.transition, alert.recovered, alert.test) == ("triggered", False, False)


def test_every_display_switch_off_leaves_the_title_link() -> None:
    assert found(datadog_message(title_link=LINK)).subject == AlertRef(444839, EVENT, 1788106679000, "", "service:web")


def test_escaped_ampersands() -> None:
    assert (
        found(datadog_message(title_link=LINK.replace("&", "&amp;"))).subject
        == found(datadog_message(title_link=LINK)).subject
    )


def test_an_older_link_gives_its_time_by_its_window() -> None:
    alert = found(datadog_message(title="Warn: Disk", title_link=OLDER))
    assert alert.subject == AlertRef(444839, EVENT, 1788106679000, "Disk")


def test_old_forms_name_the_monitor_only() -> None:
    for path in (
        "monitors#444839",
        "monitors#status/444839",
        "monitors/444839/edit",
    ):
        alert = found({"text": f"look at <https://app.datadoghq.com/{path}|this>"})
        assert alert.subject == MonitorRef(444839, "look at this")


def test_an_event_without_a_time_is_still_to_be_looked_up() -> None:
    assert found({"text": f"https://app.datadoghq.com/monitors/7?event_id={EVENT}"}).subject == EventRef(EVENT)


def test_a_jump_link_is_an_event() -> None:
    link = f"https://app.datadoghq.com/event/jump_to?event_id={EVENT}"
    assert found({"text": f"<{link}>"}).subject == EventRef(EVENT)


def test_the_link_that_names_its_event_wins() -> None:
    message = datadog_message(title="Page #52488: payments", text=f"see https://app.datadoghq.com/monitors/1 or {LINK}")
    message["text"] = "https://app.datadoghq.com/monitors/2"
    subject = found(message).subject
    assert isinstance(subject, AlertRef)
    assert subject.event_id == EVENT


def test_a_recovered_parent_says_so() -> None:
    alert = found(datadog_message(title="Recovered: High latency on {service:web}", title_link=LINK))
    assert alert.recovered
    assert alert.transition == "recovered"


def test_an_edited_message_is_found_inside_its_event() -> None:
    event = {"subtype": "message_changed", "message": datadog_message(title_link=LINK), "previous_message": {}}
    assert found(event).subject == found(datadog_message(title_link=LINK)).subject


BLOCK_FORMS: dict[str, list[dict[str, Any]]] = {
    "section": [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": f"*<{LINK}|Triggered: High latency on {{service:web}}>*"},
        }
    ],
    "fields": [
        {"type": "section", "text": {"type": "plain_text", "text": "Triggered: High latency on {service:web}"}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": f"<{LINK}|open>"}]},
    ],
    "rich text": [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "emoji", "name": "fire"},
                        {"type": "link", "url": LINK, "text": "Triggered: High latency on {service:web}"},
                    ],
                }
            ],
        }
    ],
    "button": [
        {"type": "header", "text": {"type": "plain_text", "text": ":fire: Triggered: High latency on {service:web}"}},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": {"type": "plain_text", "text": "View"}, "url": LINK}],
        },
    ],
}


def test_alerts_in_blocks() -> None:
    for blocks in BLOCK_FORMS.values():
        for inside in ("message", "attachment"):
            message = (
                {"text": "", "blocks": blocks}
                if inside == "message"
                else datadog_message(blocks=blocks, fallback="[no preview]")
            )
            assert found(message).subject == (
                ALERT if inside == "message" else AlertRef(444839, EVENT, 1788106679000, "[no preview]", "service:web")
            )


def test_attachment_actions_carry_links_too() -> None:
    assert found(datadog_message(title="Disk", actions=[{"type": "button", "text": "View", "url": LINK}]))


def test_no_alert() -> None:
    cases: list[dict[str, Any]] = [
        {},
        {"text": "nothing here"},
        {"text": "https://app.datadoghq.com.evil.example/monitors/1?event_id=2"},
        {"text": "https://app.datadoghq.com/dashboard/abc-def-ghi"},
        {"text": f"https://app.datadoghq.com/bits-ai/investigations/{RUN}"},
        {"text": "https://app.datadoghq.com/monitors/9999999999999999999"},
        {"attachments": "garbage", "blocks": {"type": None}},
    ]
    for message in cases:
        assert find_alert(message) is None


def test_an_investigation_already_in_the_thread() -> None:
    url = f"https://app.datadoghq.com/bits-ai/investigations/{RUN}?section=conclusion&amp;v=trace"
    thread = [datadog_message(title_link=LINK), {"text": f"Bits found something: <{url}|see>"}, {"text": "thanks"}]
    link = find_run_link(thread)
    assert link is not None
    assert link.investigation_id == RUN
    assert find_run_link(thread[:1]) is None
    assert find_run_link([{"text": url.replace("datadoghq.com", "evil.example")}]) is None


def test_the_message_as_a_reader_sees_it() -> None:
    message = datadog_message(
        pretext="Heads up <@U1>",
        title="Triggered: CPU &gt; 90%",
        text=f"See <{LINK}|the monitor> in <#C1|ops> &amp; <!here>",
        fields=[{"title": "Host", "value": "web-1"}],
    )
    assert message_text(message) == (
        "Heads up @U1\nTriggered: CPU > 90%\nSee the monitor in ops & @here\nHost: web-1"
    )  # fmt: skip


def test_text_that_only_repeats_the_blocks_stands_once() -> None:
    message = {
        "text": "checkout is *slow*",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "checkout is *slow*"}}],
    }
    assert message_text(message) == "checkout is *slow*"


def test_a_very_long_message_fits_the_question_field() -> None:
    assert len(message_text({"text": "word " * 2_000})) <= 3_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(f"<{LINK}|x>"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "blocks", "attachments", "type", "elements", "title", "fields"]), inner
        )
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["text", "blocks", "attachments", "message"]), JSON))
def test_any_payload_is_read_without_an_error(message: dict[str, Any]) -> None:
    alert = find_alert(message)
    assert alert is None or alert.subject
    assert len(message_text(message)) <= 3_000
    assert find_run_link([message]) is None
