"""A case filled in before anybody types: title, description, priority, comment and candidates of insights. Pure.

Titles, names and conclusions come from outside. They are cleaned of invisible characters and never put into a link.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.cases.choices import priority_of
from bot.datadog.insight_drafts import InsightDraft, default_ref, draft, event_draft
from bot.datadog.insight_recognition import recognise
from bot.datadog.insight_types import InsightType
from bot.datadog.investigations import Conclusion
from bot.datadog.sites import Site
from bot.wording import CASE, INVESTIGATION

LONGEST_TITLE = 150
LONGEST_DESCRIPTION = 2900  # a Slack field takes 3,000
LONGEST_COMMENT = 20_000
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_MORE_BELOW = "\u2026 (shortened)"


class Alert(Protocol):
    """What is known of the alert behind the case; `bot.investigations.model.AlertRef` is one."""

    @property
    def monitor_id(self) -> int: ...
    @property
    def event_id(self) -> str: ...
    @property
    def monitor_name(self) -> str: ...
    @property
    def group(self) -> str: ...


class Asked(Protocol):
    @property
    def text(self) -> str: ...


class Investigated(Protocol):
    """What a case needs of an investigation; `bot.investigations.model.Investigation` is one."""

    @property
    def alert(self) -> Alert | None: ...
    @property
    def question(self) -> Asked | None: ...
    @property
    def title(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def conclusions(self) -> Sequence[Conclusion]: ...


@dataclass(frozen=True, slots=True)
class CaseDraft:
    title: str
    description: str
    priority: str  # P1 to P5, or NOT_DEFINED
    candidates: tuple[InsightDraft, ...] = ()


def draft_case(
    *,
    site: Site,
    subdomain: str = "",
    investigation: Investigated | None = None,
    alert: Alert | None = None,
    title: str = "",
    permalink: str = "",
    monitor_priority: int | None = None,
) -> CaseDraft:
    """The case as the form shows it first. An alert is enough, and so is nothing at all."""
    about = alert or (investigation.alert if investigation else None)
    return CaseDraft(
        title=_title(title, investigation, about),
        description=_description(investigation, about, permalink, _app_url(site, subdomain)),
        priority=priority_of(monitor_priority),
        candidates=candidates(site=site, subdomain=subdomain, investigation=investigation, alert=about),
    )


def candidates(
    *,
    site: Site,
    subdomain: str = "",
    investigation: Investigated | None = None,
    alert: Alert | None = None,
    texts: Iterable[str] = (),
) -> tuple[InsightDraft, ...]:
    """What the thread suggests to attach: the alert's monitor and event, then the links in the conclusions and texts."""
    about = alert or (investigation.alert if investigation else None)
    found = {each.key: each for each in alert_insights(about)} if about else {}
    told = [whole_conclusion(each) for each in investigation.conclusions] if investigation else []
    for text in (*told, *texts):
        for each in recognise(text, site=site, subdomain=subdomain).drafts:
            found.setdefault(each.key, each)
    return tuple(found.values())


def alert_insights(alert: Alert) -> Iterator[InsightDraft]:
    """The alert's monitor and its event, named after the monitor where its name is known."""
    monitor_id = str(alert.monitor_id) if alert.monitor_id > 0 else ""
    name = one_line(alert.monitor_name)
    if monitor_id:
        monitor = draft(InsightType.MONITOR, monitor_id, default_ref(InsightType.MONITOR, monitor_id))
        yield replace(monitor, label=f"Monitor: {name}") if name else monitor
    if alert.event_id:
        event = event_draft(alert.event_id, monitor_id)
        yield replace(event, label=f"{event.label}: {name}") if name else event


def comment_for(investigation: Investigated, description: str) -> str | None:
    """The conclusions as one comment; None where the description, as submitted, holds them already."""
    told = [whole_conclusion(each) for each in investigation.conclusions]
    held = _squeezed(description)
    if all(_squeezed(each) in held for each in told):
        return None
    source = f" ({investigation.url})" if investigation.url else ""
    return _cut(f"Conclusions of the {INVESTIGATION}{source}\n\n" + "\n\n".join(told), LONGEST_COMMENT)


def whole_conclusion(conclusion: Conclusion) -> str:
    """Title, summary and description; what the next part says anyway is not said twice."""
    title, summary, description = one_line(conclusion.title), clean(conclusion.summary), clean(conclusion.description)
    parts = [title, "" if summary in description else summary, description]
    return "\n\n".join(part for part in parts if part)


def clean(text: str) -> str:
    """The text without characters that nobody sees; every visible one stays."""
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _title(typed: str, investigation: Investigated | None, alert: Alert | None) -> str:
    choices = [typed]
    if investigation:
        choices.append(investigation.title)
    if alert:
        choices.append(_alert_name(alert))
    if investigation:
        choices += [each.title for each in investigation.conclusions]
        choices.append(investigation.question.text if investigation.question else "")
    return _cut(next(filter(None, map(one_line, choices)), f"{CASE.capitalize()} from Slack"), LONGEST_TITLE, "\u2026")


def _alert_name(alert: Alert) -> str:
    name = one_line(alert.monitor_name) or (f"Monitor {alert.monitor_id}" if alert.monitor_id > 0 else "")
    group = one_line(alert.group)
    return f"{name} on {group}" if name and group else name


def _description(investigation: Investigated | None, alert: Alert | None, permalink: str, app_url: str) -> str:
    """The conclusions as far as they fit, then the links, which always stand whole."""
    links = "\n".join(_links(investigation, alert, permalink, app_url))
    told = _told(investigation)
    if not told or not links:
        return _cut(told, LONGEST_DESCRIPTION) or links
    return _cut(_cut(told, LONGEST_DESCRIPTION - len(links) - 2) + "\n\n" + links, LONGEST_DESCRIPTION)


def _told(investigation: Investigated | None) -> str:
    """All conclusions whole if they fit, else the short form of each, which leaves room for the last one too."""
    if investigation is None:
        return ""
    asked = f"Question: {clean(investigation.question.text)}" if investigation.question else ""
    whole = [asked, *map(whole_conclusion, investigation.conclusions)]
    if sum(map(len, whole)) > LONGEST_DESCRIPTION * 2 // 3:
        whole = [asked, *map(_short_conclusion, investigation.conclusions)]
    return "\n\n".join(part for part in whole if part)


def _short_conclusion(conclusion: Conclusion) -> str:
    said = clean(conclusion.summary) or _cut(clean(conclusion.description), 600)
    return "\n\n".join(part for part in (one_line(conclusion.title), said) if part)


def _links(investigation: Investigated | None, alert: Alert | None, permalink: str, app_url: str) -> Iterator[str]:
    if alert:
        name = _alert_name(alert)
        page = f"{app_url}{default_ref(InsightType.MONITOR, str(alert.monitor_id))}" if alert.monitor_id > 0 else ""
        if name or page:
            yield _cut(f"Alert: {name}", 400, "\u2026") + (f"\n{page}" if page else "")
    if investigation and investigation.url:
        yield f"{INVESTIGATION}: {investigation.url}"
    if permalink:
        yield f"Slack thread: {permalink}"


def _app_url(site: Site, subdomain: str) -> str:
    return f"https://{subdomain}.{site.domain}" if subdomain else site.app_url


def _cut(text: str, limit: int, mark: str = _MORE_BELOW) -> str:
    if len(text) <= limit:
        return text
    return text[: max(0, limit - len(mark) - 1)].rstrip() + ("" if mark == "\u2026" else "\n") + mark


def _squeezed(text: str) -> str:
    return " ".join(text.split())
