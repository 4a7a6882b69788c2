"""The one button under an alert that isn't ours: Investigate. Its value carries the alert, so that a click needs no
look-up and works after any restart."""

import json
from typing import Any

from bot.investigations.views.subject import monitor_name
from bot.model import AlertRef, MonitorRef
from bot.slack.blocks import VALUE_LIMIT, Block, Message, actions, button, rich_section, rich_text, run
from bot.slack.text import clean, cut, escape, one_line
from bot.wording import CASE, INVESTIGATE, PRODUCT

INVESTIGATE_ACTION = "alert:investigate"
CREATE_CASE = "alert:create_case"
ATTACH = "alert:attach"


def nudge_message(alert: AlertRef | MonitorRef) -> Message:
    name = monitor_name(alert)
    group = one_line(alert.group, 100)
    where = [run(" on "), run(group, "code")] if group else []
    words = [run(f"Investigate with {PRODUCT}? "), run(name, "bold"), *where]
    text = f"Investigate {escape(name)}{f' on {escape(group)}' if group else ''} with {PRODUCT}?"
    return Message(text, [rich_text(rich_section(words)), actions(*alert_buttons(alert))])


def investigate_button(alert: AlertRef | MonitorRef) -> dict[str, Any]:
    label = f"{INVESTIGATE} {monitor_name(alert)}"
    return button(INVESTIGATE, INVESTIGATE_ACTION, value=alert_value(alert), style="primary", label=label)


def alert_buttons(alert: AlertRef | MonitorRef) -> list[Block]:
    value = alert_value(alert)
    return [
        investigate_button(alert),
        button(f"Create {CASE}", CREATE_CASE, value=value, label=f"Create {CASE} for {monitor_name(alert)}"),
        button(f"Attach to {CASE}", ATTACH, value=value, label=f"Attach {monitor_name(alert)} to {CASE}"),
    ]


def alert_value(alert: AlertRef | MonitorRef) -> str:
    event = {"e": alert.event_id, "t": alert.event_ts} if isinstance(alert, AlertRef) else {}
    names = {"n": cut(clean(alert.monitor_name), 200), "g": clean(alert.group)}
    needed = {"m": alert.monitor_id, **event, **({"h": alert.host} if alert.host else {})}
    value = json.dumps({**needed, **names}, ensure_ascii=False, separators=(",", ":"))
    return value if len(value) <= VALUE_LIMIT else json.dumps(needed)


def read_alert_value(value: str) -> AlertRef | MonitorRef | None:
    """The alert of a button of ours; None for anything else that comes back from a client."""
    try:
        told = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(told, dict) or not _is_id(told.get("m")):
        return None
    name, group, host = (told.get(key) if isinstance(told.get(key), str) else "" for key in ("n", "g", "h"))
    if "e" not in told and "t" not in told:
        return MonitorRef(told["m"], str(name), str(group), str(host))
    event_id, event_ts = told.get("e"), told.get("t")
    if not isinstance(event_id, str) or not event_id.isascii() or not event_id.isdigit() or not _is_id(event_ts):
        return None
    return AlertRef(told["m"], event_id, int(str(event_ts)), str(name), str(group), str(host))


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63
