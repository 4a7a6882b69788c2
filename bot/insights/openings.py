"""What the insights window begins with, by where it was opened: the thread's alert, its conclusions, a message, a case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.cases.draft import candidates
from bot.cases.match import match_case
from bot.datadog.insight_drafts import InsightDraft, Reason, SetAside
from bot.datadog.insight_recognition import recognise
from bot.datadog.links import find_links
from bot.datadog.sites import Location
from bot.insights.attach_form import CaseChoice
from bot.insights.opening_forms import Attaching, Start
from bot.investigations.message_alerts import host_in, link_host
from bot.investigations.model import Investigation
from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, Subject
from bot.orgs.questions import Resumable
from bot.rules.org_choice import host_of
from bot.slack.interactions import Interaction

_DEEPEST = 30
_NOT_CONTENT = frozenset({"metadata", "permalink", "bot_profile", "files", "reactions", "root", "icons", "footer_icon"})
# In a message somebody wrote, these are links meant for the case; other people's sites and plain words are not.
_WORTH_TELLING = frozenset(
    {Reason.SHORT_LINK, Reason.NO_INSIGHT_TYPE, Reason.ID_NOT_IN_LINK, Reason.OTHER_SITE, Reason.OTHER_ORG}
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the window is opened from while its organisation is still to be found."""

    words: str = ""  # that name a case
    subject: Subject | None = None
    texts: str = ""  # of a message, those with links in them
    by_a_person: bool = False

    @classmethod
    def of_message(cls, subject: Subject | None, message: Mapping[str, Any]) -> Self:
        """The message's alert and every link in it."""
        texts = "\n".join(_texts(message, _DEEPEST))
        return cls(subject=subject, texts=texts, by_a_person=not message.get("bot_id"))

    @property
    def host(self) -> str:
        if found := host_of(self.subject) or host_in(self.words):
            return found
        hosts = {link_host(link) for link in find_links(self.texts)}
        return hosts.pop() if len(hosts) == 1 else ""


ATTACH_FROM = Resumable("attach_from", Beginning)


def begin(attaching: Attaching, interaction: Interaction, beginning: Beginning, *, org: str = "") -> None:
    """Opens the window as soon as its organisation is known, which may take an answer of hers."""
    attaching.replies.remember(interaction.place, interaction.person, interaction.response_url)
    attaching.tasks.spawn(_begin(attaching, interaction, beginning, org), "insights window")


async def _begin(attaching: Attaching, interaction: Interaction, beginning: Beginning, org: str) -> None:
    if not await attaching.lets_in(interaction):
        return
    org = org or await _org_of_thread(attaching, interaction, beginning)
    org = org or await attaching.which_org.of(interaction, beginning.host, ATTACH_FROM.record(beginning))
    if org:
        await attaching.open(interaction, await _start(attaching, beginning, org))


async def _org_of_thread(attaching: Attaching, interaction: Interaction, beginning: Beginning) -> str:
    """A thread that has a case goes on with it."""
    if beginning.host or not interaction.place.thread_ts:
        return ""
    known = await attaching.book.of_thread(interaction.place)
    return known.org if known else ""


async def _start(attaching: Attaching, beginning: Beginning, org: str) -> Start:
    home = attaching.home(org)
    found = recognise(beginning.texts, site=home.site, subdomain=home.subdomain)
    everything = {draft.key: draft for draft in (*_of_subject(beginning.subject, home), *found.drafts)}
    told = tuple(piece for piece in found.set_aside if beginning.by_a_person and piece.reason in _WORTH_TELLING)
    case = await _case_of_words(attaching, beginning.words, org)
    return Start(org, tuple(everything.values()), _each_once(told), case)


def of_investigation(attaching: Attaching, investigation: Investigation) -> Start:
    home = attaching.home(investigation.org)
    found = candidates(site=home.site, subdomain=home.subdomain, investigation=investigation)
    return Start(investigation.org, found)


def _each_once(pieces: tuple[SetAside, ...]) -> tuple[SetAside, ...]:
    return tuple({piece.url: piece for piece in pieces}.values())


def _of_subject(subject: object, home: Location) -> tuple[InsightDraft, ...]:
    match subject:
        case ExistingRun(alert=AlertRef() as alert) | (AlertRef() as alert):
            known = alert
        case MonitorRef(monitor_id, name, group):
            known = AlertRef(monitor_id, "", 0, name, group)
        case EventRef(event_id):
            known = AlertRef(0, event_id, 0)
        case _:
            return ()
    return candidates(site=home.site, subdomain=home.subdomain, alert=known)


async def of_case(attaching: Attaching, workspace: str, value: str) -> Start | None:
    """The case of a card, which names it by its row in our books."""
    row = int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0
    case = await attaching.book.get_in(workspace, row)
    return Start(case.org, case=CaseChoice(case.case_id, case.key, case.title)) if case else None


async def _case_of_words(attaching: Attaching, words: str, org: str) -> CaseChoice | None:
    """A case as somebody typed it."""
    home = attaching.home(org)
    match = match_case(words, site=home.site, subdomain=home.subdomain) if words.strip() else None
    if match is None:
        return None
    known = await attaching.book.find(org, match.identifier)
    if known:
        return CaseChoice(known.case_id, known.key, known.title)
    return CaseChoice(match.identifier, match.identifier if match.is_key else "")


def _texts(part: object, depth: int) -> Iterator[str]:
    if isinstance(part, str):
        if "://" in part:
            yield part
    elif depth and isinstance(part, Mapping):
        for name, value in part.items():
            if name not in _NOT_CONTENT:
                yield from _texts(value, depth - 1)
    elif depth and isinstance(part, list | tuple):
        for element in part:
            yield from _texts(element, depth - 1)
