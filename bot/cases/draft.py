"""A case filled in before anybody types: title, description, priority, comment and candidates of insights. Pure.

Titles, names and conclusions come from outside. They are cleaned of invisible characters and never put into a link.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.cases.model import CaseSource
from bot.datadog.case_attributes import Attributes
from bot.datadog.insight_recognition import recognise
from bot.datadog.insights import InsightDraft, InsightType, default_ref, draft, event_draft, named
from bot.datadog.investigations import Conclusion
from bot.datadog.links import Location
from bot.investigations.model import Investigation
from bot.model import AlertRef
from bot.slack.text import clean, cut, one_line
from bot.wording import CASE, INVESTIGATION

LONGEST_TITLE = 150
LONGEST_DESCRIPTION = 2900  # a Slack field takes 3,000
LONGEST_COMMENT = 20_000
_WORDS_KEPT = 1_500
_SORTED_BY = ("service", "team", "env")  # the attributes that Datadog sorts cases by
_MORE_BELOW = "\u2026 (shortened)"


def draft_title(source: CaseSource, investigation: Investigation | None) -> str:
    """The title as the form shows it first. A monitor's name says more than the headline of one of its notifications."""
    alert = source.about
    choices = [_alert_name(alert) if alert and alert.monitor_name else source.title]
    alert = alert or (investigation.alert if investigation else None)
    if investigation:
        choices.append(investigation.title)
    if alert:
        choices.append(_alert_name(alert))
    if investigation:
        choices += [each.title for each in investigation.conclusions]
        choices.append(investigation.question.text if investigation.question else "")
    return _cut(next(filter(None, map(_one_line, choices)), f"{CASE.capitalize()} from Slack"), LONGEST_TITLE, "\u2026")


def draft_description(source: CaseSource, investigation: Investigation | None, app_url: str) -> str:
    """The conclusions as far as they fit, else the message's own words, then the links, which always stand whole."""
    links = "\n".join(_links(source, investigation, app_url))
    told = _told(investigation)
    drafted = links
    if told and links:
        drafted = _cut(_cut(told, LONGEST_DESCRIPTION - len(links) - 2) + "\n\n" + links, LONGEST_DESCRIPTION)
    elif told:
        drafted = _cut(told, LONGEST_DESCRIPTION)
    if source.words and not (investigation and investigation.conclusions):
        return f"{cut(source.words, _WORDS_KEPT)}\n\n{drafted}".strip()
    return drafted


def candidates(
    home: Location, *, investigation: Investigation | None = None, alert: AlertRef | None = None
) -> tuple[InsightDraft, ...]:
    """What the thread suggests to attach: the alert's monitor and event, then the links in the conclusions."""
    about = alert or (investigation.alert if investigation else None)
    found = {each.key: each for each in alert_insights(about)} if about else {}
    for conclusion in investigation.conclusions if investigation else ():
        for each in recognise(whole_conclusion(conclusion), home).drafts:
            found.setdefault(each.key, each)
    return tuple(found.values())


def alert_insights(alert: AlertRef) -> Iterator[InsightDraft]:
    """The alert's monitor and its event, named after the monitor where its name is known."""
    monitor_id = str(alert.monitor_id) if alert.monitor_id > 0 else ""
    name = _one_line(alert.monitor_name)
    if monitor_id:
        monitor = draft(InsightType.MONITOR, monitor_id, default_ref(InsightType.MONITOR, monitor_id))
        yield replace(monitor, label=named(monitor, name)) if name else monitor
    if alert.event_id:
        event = event_draft(alert.event_id, monitor_id)
        yield replace(event, label=named(event, name)) if name else event


def alert_attributes(alert: AlertRef | None, monitor_tags: tuple[str, ...]) -> Attributes:
    """The alert's service, team and environment: of its group, else of its monitor."""
    found: dict[str, tuple[str, ...]] = {}
    for tags in (re.split(r"[,\s]+", alert.group) if alert else [], monitor_tags):
        found |= {name: values for name, values in _values(tags).items() if values and name not in found}
    return tuple((name, found[name]) for name in _SORTED_BY if name in found)


def _values(tags: Iterable[str]) -> dict[str, tuple[str, ...]]:
    pairs = [each.partition(":") for each in tags]
    return {
        name: tuple(dict.fromkeys(one_line(value, 200) for key, _, value in pairs if key.strip() == name and value))
        for name in _SORTED_BY
    }


def comment_for(investigation: Investigation, description: str) -> str | None:
    """The conclusions as one comment; None where the description, as submitted, holds them already."""
    told = [whole_conclusion(each) for each in investigation.conclusions]
    held = _squeezed(description)
    if all(_squeezed(each) in held for each in told):
        return None
    source = f" ({investigation.url})" if investigation.url else ""
    return _cut(f"Conclusions of the {INVESTIGATION}{source}\n\n" + "\n\n".join(told), LONGEST_COMMENT)


def whole_conclusion(conclusion: Conclusion) -> str:
    """Title, summary and description; what the next part says anyway is not said twice."""
    summary, description = _visible(conclusion.summary), _visible(conclusion.description)
    parts = [_one_line(conclusion.title), "" if summary in description else summary, description]
    return "\n\n".join(part for part in parts if part)


def _visible(text: str) -> str:
    return clean(text).strip()


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _alert_name(alert: AlertRef) -> str:
    name = _one_line(alert.monitor_name) or (f"Monitor {alert.monitor_id}" if alert.monitor_id > 0 else "")
    group = _one_line(alert.group)
    return f"{name} on {group}" if name and group else name


def _told(investigation: Investigation | None) -> str:
    """All conclusions whole if they fit, else the short form of each, which leaves room for the last one too."""
    if investigation is None:
        return ""
    asked = f"Question: {_visible(investigation.question.text)}" if investigation.question else ""
    whole = [asked, *map(whole_conclusion, investigation.conclusions)]
    if sum(map(len, whole)) > LONGEST_DESCRIPTION * 2 // 3:
        whole = [asked, *map(_short_conclusion, investigation.conclusions)]
    return "\n\n".join(part for part in whole if part)


def _short_conclusion(conclusion: Conclusion) -> str:
    said = _visible(conclusion.summary) or _cut(_visible(conclusion.description), 600)
    return "\n\n".join(part for part in (_one_line(conclusion.title), said) if part)


def _links(source: CaseSource, investigation: Investigation | None, app_url: str) -> Iterator[str]:
    alert = source.about or (investigation.alert if investigation else None)
    if alert:
        name = _alert_name(alert)
        page = f"{app_url}{default_ref(InsightType.MONITOR, str(alert.monitor_id))}" if alert.monitor_id > 0 else ""
        if name or page:
            yield _cut(f"Alert: {name}", 400, "\u2026") + (f"\n{page}" if page else "")
    if investigation and investigation.url:
        yield f"{INVESTIGATION}: {investigation.url}"
    if source.permalink:
        yield f"Slack thread: {source.permalink}"


def _cut(text: str, limit: int, mark: str = _MORE_BELOW) -> str:
    if len(text) <= limit:
        return text
    return text[: max(0, limit - len(mark) - 1)].rstrip() + ("" if mark == "\u2026" else "\n") + mark


def _squeezed(text: str) -> str:
    return " ".join(text.split())
