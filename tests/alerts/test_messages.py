"""What a message of Datadog's tells of its alert."""

from typing import Any

from bot.alerts.slack import transition_of
from bot.investigations.message_alerts import FoundAlert, find_alert

LINK = (
    "https://app.datadoghq.com/monitors/42?from_ts=1788105779000&event_id=8788641826233093636"
    "&link_source=monitor_notif&link_event_ts=1788106679"
)


def message(title: str = "Triggered: Disk almost full", link: str = LINK, **more: Any) -> dict[str, Any]:
    return {"bot_id": "B1", "ts": "1.1", "attachments": [{"title": title, "title_link": link}], **more}


def test_the_transition_is_told_as_rules_name_it() -> None:
    for title, transition in (
        ("Triggered: Disk", "alert"),
        ("Re-Triggered: Disk", "alert"),
        ("Warn: Disk", "warn"),
        ("Re-Warn: Disk", "warn"),
        ("No data: Disk", "no data"),
        ("Renotify: Disk", "renotify"),
        ("Disk is full", "alert"),
    ):
        found = find_alert(message(title))
        assert isinstance(found, FoundAlert)
        assert transition_of(found) == transition
