"""What an investigation is about, shown the same way everywhere: names as rich text that is live in no way, links built
from our own settings and ids, never from an alert's text."""

import json
from dataclasses import replace
from urllib.parse import quote, urlencode

from bot.datadog.links import is_datadog_url, locate
from bot.investigations.model import Investigation, SeenBefore
from bot.investigations.seen_before_view import seen_block, seen_words
from bot.model import AlertRef, MonitorRef, Question, owner_tags
from bot.slack.blocks import (
    VALUE_LIMIT,
    Block,
    Message,
    actions,
    button,
    confirmation,
    context,
    rich_link,
    rich_section,
    rich_text,
    run,
    sentences,
)
from bot.slack.text import clean, code, cut, escape, link, one_line, safe_url, utc
from bot.wording import CASE, COSTS, INVESTIGATE, INVESTIGATION, OPEN_IN_DATADOG, PRODUCT, RUN_AGAIN

INVESTIGATE_ACTION = "alert:investigate"
CREATE_CASE = "alert:create_case"
ATTACH = "alert:attach"

_NAME_LIMIT = 150
_GROUP_LIMIT = 200
_BEFORE_MS = 900_000  # the window around an event in the links of Datadog's own notifications
_AFTER_MS = 300_000


def monitor_url(app_url: str, alert: AlertRef | MonitorRef) -> str:
    """Datadog's own form of link, which opens the monitor at the time of the alert."""
    query: dict[str, str | int] = {}
    if isinstance(alert, AlertRef):
        query = {
            "from_ts": alert.event_ts - _BEFORE_MS,
            "to_ts": alert.event_ts + _AFTER_MS,
            "event_id": alert.event_id,
        }
    if alert.group and len(alert.group) <= _GROUP_LIMIT:
        query["group"] = alert.group
    return f"{app_url}/monitors/{alert.monitor_id}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")


def list_url(app_url: str) -> str:
    return f"{app_url}/bits-ai/investigations"


def run_url(app_url: str, datadog_id: str) -> str:
    return f"{list_url(app_url)}/{quote(datadog_id[:200], safe='')}" if datadog_id else list_url(app_url)


def investigation_url(inv: Investigation, app_url: str) -> str:
    """Datadog's own link where it is really Datadog's; else built from the id; else the list."""
    if is_datadog_url(inv.url) and len(inv.url) <= 2_000:
        return inv.url
    return run_url(app_url, inv.datadog_id)


def monitor_name(alert: AlertRef | MonitorRef) -> str:
    return one_line(alert.monitor_name, _NAME_LIMIT) or f"monitor {alert.monitor_id}"


def subject_name(inv: Investigation) -> str:
    """One plain line for notifications; not escaped."""
    if inv.alert:
        group = one_line(inv.alert.group, 100)
        return monitor_name(inv.alert) + (f" on {group}" if group else "")
    if inv.question:
        return one_line(inv.question.text, _NAME_LIMIT)
    return one_line(inv.title, _NAME_LIMIT) or INVESTIGATION


def subject_runs(inv: Investigation, app_url: str) -> list[Block]:
    if inv.alert:
        return alert_runs(inv.alert, app_url)
    if inv.question:
        return _question_runs(inv.question)
    return [run(subject_name(inv), "bold")]


def alert_runs(alert: AlertRef | MonitorRef, app_url: str) -> list[Block]:
    name = rich_link(monitor_url(app_url, alert), monitor_name(alert), "bold")
    group = one_line(alert.group, _GROUP_LIMIT)
    return [name, run(" on "), run(group, "code")] if group else [name]


def _question_runs(question: Question) -> list[Block]:
    runs = [run(one_line(question.text, 400), "bold")]
    if question.tags:
        runs += [run("\nTags: "), run(one_line(" ".join(question.tags)), "code")]
    if question.start_ts is not None and question.end_ts is not None:
        runs.append(run(f"\nWindow: {utc(question.start_ts / 1000)} to {utc(question.end_ts / 1000)}"))
    return runs


def facts_of(alert: AlertRef | None) -> list[str]:
    """What else is known of an alert, as mrkdwn: what stands in its group already is not told again."""
    if alert is None:
        return []
    told = [f"P{alert.priority}"] if alert.priority in range(1, 6) else []
    group = {part.strip() for part in alert.group.split(",")}
    named = (tag.partition(":") for tag in owner_tags(alert.tags) if tag not in group)
    return [*told, *(f"{name} {code(value, 60)}" for name, _, value in named)]


def names_service(alert: AlertRef) -> bool:
    return any(tag.strip().startswith("service:") for tag in (*alert.tags, *alert.group.split(",")))


def is_datadogs_picture(url: str) -> bool:
    """Slack fetches a picture for everyone who sees it."""
    host = safe_url(url)
    return host is not None and url.startswith("https://") and locate(host) is not None


def subject_link(inv: Investigation, app_url: str) -> str:
    """The subject as mrkdwn, in one line."""
    if inv.alert is None:
        return escape(subject_name(inv))
    group = code(inv.alert.group, _GROUP_LIMIT)
    name = link(monitor_url(app_url, inv.alert), monitor_name(inv.alert))
    return f"{name} on {group}" if group else name


def open_button(action_id: str, inv: Investigation, app_url: str) -> Block:
    return button(OPEN_IN_DATADOG, action_id, url=investigation_url(inv, app_url))


def run_again_button(action_id: str, inv: Investigation, *, text: str = RUN_AGAIN) -> Block:
    """Costs money, so it asks first."""
    confirm = confirmation(f"Start a new {INVESTIGATION}?", COSTS, confirm="Start it")
    return button(text, action_id, value=str(inv.id), confirm=confirm)


# -- the buttons under an alert; their value carries it, so that a click needs no look-up ------------------------------


def nudge_message(alert: AlertRef | MonitorRef, *, note: str = "", seen: SeenBefore | None = None) -> Message:
    name = monitor_name(alert)
    group = one_line(alert.group, 100)
    where = [run(" on "), run(group, "code")] if group else []
    words = [run(f"Investigate with {PRODUCT}? "), run(name, "bold"), *where]
    text = f"Investigate {escape(name)}{f' on {escape(group)}' if group else ''} with {PRODUCT}?"
    known = [seen_block(seen, alert.monitor_id)] if seen else []
    noted = [context(note)] if note else []
    told = f"{seen_words(seen, alert.monitor_id)}." if seen else ""
    blocks = [rich_text(rich_section(words)), *known, *noted, actions(*alert_buttons(alert))]
    return Message(" ".join(part for part in (text, told, note) if part), blocks)


def nudge_overtaken() -> Message:
    """In the place of buttons that came too late."""
    return sentences("This alert is being looked into already: its status card stands in this thread.")


def alert_buttons(alert: AlertRef | MonitorRef) -> list[Block]:
    value, name = alert_value(alert), monitor_name(alert)
    return [
        button(INVESTIGATE, INVESTIGATE_ACTION, value=value, style="primary", label=f"{INVESTIGATE} {name}"),
        button(f"Create {CASE}", CREATE_CASE, value=value, label=f"Create {CASE} for {name}"),
        button(f"Attach to {CASE}", ATTACH, value=value, label=f"Attach {name} to {CASE}"),
    ]


def alert_value(alert: AlertRef | MonitorRef) -> str:
    event = {"e": alert.event_id, "t": alert.event_ts} if isinstance(alert, AlertRef) else {}
    names = {"n": cut(clean(alert.monitor_name), 200), "g": clean(alert.group)}
    needed = {"m": alert.monitor_id, **event, **({"h": alert.host} if alert.host else {})}
    for told in ({**needed, **names, **_known_facts(alert)}, {**needed, **names}):
        value = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        if len(value) <= VALUE_LIMIT:
            return value
    return json.dumps(needed)


def _known_facts(alert: AlertRef | MonitorRef) -> dict[str, object]:
    if not isinstance(alert, AlertRef):
        return {}
    facts = {"p": alert.priority, "o": alert.tags, "s": alert.snapshot}
    return {name: told for name, told in facts.items() if told}


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
    alert = AlertRef(told["m"], event_id, int(str(event_ts)), str(name), str(group), str(host))
    tags, snapshot = told.get("o"), told.get("s")
    return replace(
        alert,
        priority=told["p"] if told.get("p") in range(1, 6) else None,
        tags=owner_tags(map(str, tags)) if isinstance(tags, list) else (),
        snapshot=snapshot if isinstance(snapshot, str) and is_datadogs_picture(snapshot) else "",
    )


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63
