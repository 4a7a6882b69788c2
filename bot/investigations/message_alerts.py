"""Finds the alert in any Slack message, wherever in text, attachments and blocks it stands, and what a thread is about."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import true, update

from bot.datadog.links import EventLink, InvestigationLink, Link, MonitorLink, find_links
from bot.datadog.monitors import AlertTitle, read_title
from bot.investigations.statements import SEEN
from bot.investigations.tables import seen_alerts
from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, Place
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS, Meaning, SlackTrouble, trouble_of
from bot.slack.gates import Open
from bot.slack.interactions import place_of_event
from bot.slack.listeners import Listeners
from bot.slack.payloads import Payload
from bot.slack.senders import Senders
from bot.slack.text import clean, cut, one_line, unescape
from bot.storage.engine import Database
from bot.storage.tables import of_place

PREFILL_LIMIT = 3_000
MESSAGES_READ = 100
ONLY_THE_FIRST = "only_the_first"  # messages of a thread were read
_DEEPEST = 30
_LATEST_MS = 100_000_000_000_000  # no time of an alert, but what a forged link may say
_NO_TITLE = AlertTitle("")
_TOKEN = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
# What Slack puts on a message beside its content: ids and links about the message, never the alert's own.
_NOT_CONTENT = frozenset({"metadata", "permalink", "bot_profile", "files", "reactions", "root", "previous_message"})

Found = AlertRef | MonitorRef | EventRef | ExistingRun


@dataclass(frozen=True, slots=True)
class FoundAlert:
    subject: AlertRef | MonitorRef | EventRef
    title: str  # one line, untrusted
    transition: str = ""
    recovered: bool = False
    test: bool = False  # a [TEST] notification: its ids may belong to no real alert
    url: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    link: MonitorLink | EventLink
    title: str


def find_alert(message: Mapping[str, Any]) -> FoundAlert | None:
    """The alert a message shows; of several links the first that names its event, else its monitor."""
    candidates = sorted(_candidates(_content(message)), key=_rank)  # sorted() is stable: the first of a rank wins
    if not candidates:
        return None
    link, title = candidates[0].link, read_title(candidates[0].title)
    subject = subject_of(link, title)
    return FoundAlert(subject, candidates[0].title, title.transition, title.recovered, title.test, link.url)


def find_run_link(messages: Iterable[Mapping[str, Any]]) -> InvestigationLink | None:
    """The Bits investigation a message or thread already links to, the last one if there are several."""
    found = None
    for message in messages:
        for link in _links(_content(message)):
            found = link if isinstance(link, InvestigationLink) else found
    return found


def texts_of(message: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a message that may hold a link, the links that title an attachment before all others."""
    return _texts(_content(message), _DEEPEST)


def content_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """As much of a message as can tell what alert it shows, to be read later."""
    return {name: value for name, value in message.items() if name not in _NOT_CONTENT}


def message_text(message: Mapping[str, Any]) -> str:
    """What a reader sees of the message, without Slack's markup: to start a question from."""
    content = _content(message)
    words = _readable(content)
    return cut("\n".join(dict.fromkeys(word for word in words if word)), PREFILL_LIMIT)


def _content(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message itself, also inside a message_changed event."""
    nested = message.get("message")
    return nested if isinstance(nested, Mapping) and not message.get("attachments") else message


def _candidates(message: Mapping[str, Any]) -> Iterator[_Candidate]:
    for attachment in _mappings(message.get("attachments")):
        title = _title(attachment.get("title")) or _title(attachment.get("fallback"))
        yield from _candidates_in(attachment, title or _headline(attachment))
    rest = {key: value for key, value in message.items() if key != "attachments"}
    yield from _candidates_in(rest, _headline(rest))


def _candidates_in(part: Mapping[str, Any], title: str) -> Iterator[_Candidate]:
    for link in _links(part):
        if isinstance(link, MonitorLink | EventLink):
            yield _Candidate(link, title)


def _rank(candidate: _Candidate) -> int:
    link = candidate.link
    if isinstance(link, MonitorLink):
        return 0 if link.event_id and link.event_ts is not None else 1 if link.event_id else 3
    return 2


def subject_of(link: MonitorLink | EventLink, title: AlertTitle = _NO_TITLE) -> AlertRef | MonitorRef | EventRef:
    """What an alert's link asks to investigate, as exactly as the link can say."""
    if isinstance(link, EventLink):
        return EventRef(link.event_id or link.uid, link.host)
    group = one_line(link.group) or title.group
    if link.event_id and link.event_ts is not None and link.event_ts < _LATEST_MS:
        return AlertRef(link.monitor_id, link.event_id, link.event_ts, title.name, group, link.host)
    if link.event_id:
        return EventRef(link.event_id, link.host)
    return MonitorRef(link.monitor_id, title.name, group, link.host)


def _links(part: object) -> Iterator[Link]:
    for text in _texts(part, _DEEPEST):
        yield from find_links(text)


def _texts(part: object, depth: int) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif depth and isinstance(part, Mapping):
        names = sorted((str(name) for name in part if name not in _NOT_CONTENT), key=_by_weight)
        for name in names:
            yield from _texts(part.get(name), depth - 1)
    elif depth and isinstance(part, Sequence) and not isinstance(part, bytes):
        for element in part:
            yield from _texts(element, depth - 1)


def _by_weight(name: str) -> int:
    order = ("title_link", "from_url", "original_url", "url", "title", "text", "blocks")
    return order.index(name) if name in order else len(order)


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list | tuple):
        yield from (entry for entry in value if isinstance(entry, Mapping))


def _title(value: object) -> str:
    return one_line(_unmarked(value)) if isinstance(value, str) else ""


def _headline(part: Mapping[str, Any]) -> str:
    """The first line a reader sees, for messages whose title is not marked as one."""
    first = next((words for words in _readable(part) if words), "")
    return one_line(first.split("\n", 1)[0].strip("*_ "))


def _readable(part: Mapping[str, Any]) -> Iterator[str]:
    blocks = list(_block_texts(part.get("blocks"), _DEEPEST))
    yield from (_plain(part.get(name)) for name in ("pretext", "title"))
    yield from blocks if any(blocks) else [_plain(part.get("text"))]  # the text repeats the blocks
    for field in _mappings(part.get("fields")):
        yield ": ".join(words for words in (_plain(field.get("title")), _plain(field.get("value"))) if words)
    for attachment in _mappings(part.get("attachments")):
        shown = [words for words in _readable(attachment) if words]
        yield from shown or [_plain(attachment.get("fallback"))]


def _block_texts(blocks: object, depth: int) -> Iterator[str]:
    for block in _mappings(blocks):
        kind = str(block.get("type", ""))
        if kind.startswith("rich_text") and depth:
            yield _rich_words(block, depth)
            continue
        text = block.get("text")
        yield _plain(text.get("text") if isinstance(text, Mapping) else text)
        if kind in {"section", "context"} and depth:
            yield from _block_texts([*_mappings(block.get("fields")), *_mappings(block.get("elements"))], depth - 1)


def _rich_words(block: Mapping[str, Any], depth: int) -> str:
    words = []
    for element in _mappings(block.get("elements")):
        if "elements" in element and depth:
            words.append(_rich_words(element, depth - 1) + "\n")
        else:
            words.append(str(element.get("text") or element.get("url") or ""))
    return clean("".join(words)).strip()


def _plain(value: object) -> str:
    return clean(_unmarked(value)).strip() if isinstance(value, str) else ""


def _unmarked(mrkdwn: str) -> str:
    """Slack's tokens as a reader sees them: a link's label, a name, a channel."""
    return unescape(_TOKEN.sub(lambda found: _token_words(found[1], found[2]), mrkdwn))


def _token_words(target: str, label: str | None) -> str:
    if label is not None:
        return label
    return target if target[:1] not in {"!", "@", "#"} else target.split("^", 1)[0].replace("!", "@", 1)


# -- as it was when we first saw it: Datadog edits its alerts, and a message may show its recovery later ---------------


@dataclass(frozen=True, slots=True)
class SeenAlert:
    alert: AlertRef | None = None
    run: str = ""  # Datadog's id of an investigation that was linked in the thread


class SeenAlerts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def saw_alert(self, workspace: str, channel: str, ts: str, alert: AlertRef) -> None:
        """The first alert of a message counts; what it is edited to later does not."""
        await self._note(workspace, channel, ts, {"alert": alert}, where=seen_alerts.c.alert.is_(None))

    async def saw_run(self, workspace: str, channel: str, thread_ts: str, run: str) -> None:
        """The latest investigation linked in a thread counts."""
        await self._note(workspace, channel, thread_ts, {"run": run}, where=true())

    async def _note(self, workspace: str, channel: str, ts: str, values: dict[str, Any], *, where: Any) -> None:
        table = seen_alerts.c
        here = (table.workspace == workspace, table.channel == channel, table.ts == ts)
        async with self._database.transaction() as connection:
            inserted = await connection.execute(
                self._database.insert_new(seen_alerts)
                .values(workspace=workspace, channel=channel, ts=ts, seen_at=self._database.now, **values)
                .returning(table.ts)
            )
            if inserted.first() is None:
                await connection.execute(update(seen_alerts).where(*here, where).values(**values))

    async def of(self, workspace: str, channel: str, ts: str) -> SeenAlert:
        row = await self._database.first(SEEN, of_place(Place(workspace, channel, ts)))
        return SeenAlert(row.alert, row.run or "") if row else SeenAlert()


@dataclass(frozen=True, slots=True)
class MessagesOfApps:
    """Notes an alert and an investigation when they are first shown, before Slack is told that we heard of it."""

    seen_alerts: SeenAlerts
    senders: Senders

    def register(self, on: Listeners) -> None:
        on.event("message", self.saw, Open("it is only noted what the message shows"))

    async def saw(self, body: Payload) -> None:
        event = body["event"]
        message = event.get("message") or event
        if not message.get("bot_id"):
            return
        place, ts = place_of_event(body), str(message.get("ts") or "")
        found = find_alert(message)
        if found and isinstance(found.subject, AlertRef) and not found.recovered and not found.test:
            await self.seen_alerts.saw_alert(place.workspace, place.channel, ts, found.subject)
        run = find_run_link([message])
        # a stranger's link must not stand in the way of a start
        if run is not None and await self.senders.is_ours(body, message, place.workspace):
            thread_ts = str(message.get("thread_ts") or ts)
            await self.seen_alerts.saw_run(place.workspace, place.channel, thread_ts, run.investigation_id)


class ThreadNotReadError(Exception):
    """Whether there is an alert in it can't be told."""

    def __init__(self, trouble: SlackTrouble) -> None:
        super().__init__(trouble.code)
        self.trouble = trouble


SubjectOfCard = Callable[
    [Place], Awaitable[AlertRef | MonitorRef | None]
]  # of our own card, where one opens the thread


@dataclass(frozen=True, slots=True)
class ThreadReader:
    workspaces: Workspaces
    seen_alerts: SeenAlerts
    subject_of_card: SubjectOfCard

    async def subject_of_message(self, place: Place, message: Mapping[str, Any]) -> Found | None:
        """From what is in hand and in our books; no call is made, somebody waits."""
        ts = str(message.get("ts") or "")
        if place.thread_ts == ts and _may_be_card(message) and (found := await self._of_card(place)):
            return found
        seen = await self.seen_alerts.of(place.workspace, place.channel, ts)
        if place.thread_ts != ts and seen == SeenAlert():
            seen = await self.seen_alerts.of(place.workspace, place.channel, place.thread_ts)
        return _chosen(seen, [message])

    async def subject_of(self, place: Place) -> Found | None:
        """The same for a thread that is only named: it is read."""
        if found := await self._of_card(place):
            return found
        seen = await self.seen_alerts.of(place.workspace, place.channel, place.thread_ts)
        if seen != SeenAlert():
            return _chosen(seen, [])
        messages, is_all = await self.messages(place)
        found = _chosen(seen, messages)
        if found is None and not is_all:
            raise ThreadNotReadError(SlackTrouble(Meaning.REFUSED, ONLY_THE_FIRST))
        return found

    async def _of_card(self, place: Place) -> Found | None:
        """What the card's own button means, whatever it shows by now."""
        subject = await self.subject_of_card(place)
        if subject is None:
            return None
        run = (await self.seen_alerts.of(place.workspace, place.channel, place.thread_ts)).run
        return ExistingRun(run, subject if isinstance(subject, AlertRef) else None) if run else subject

    async def messages(self, place: Place) -> tuple[list[dict[str, Any]], bool]:
        """Its first ones, and whether that is all of it."""
        bot_client = await self.workspaces.bot_client(place.workspace)
        if bot_client is None:
            raise ThreadNotReadError(SlackTrouble(Meaning.REFUSED, "account_inactive"))
        try:
            answer = await bot_client.client.conversations_replies(
                channel=place.channel, ts=place.thread_ts, limit=MESSAGES_READ
            )
        except CALL_ERRORS as error:
            raise ThreadNotReadError(trouble_of(error)) from error
        return list(answer.get("messages") or []), not answer.get("has_more")


def _may_be_card(message: Mapping[str, Any]) -> bool:
    """Whether it has buttons of our alert cards; it is for the books to say that it is one."""
    elements = (each for block in _mappings(message.get("blocks")) for each in _mappings(block.get("elements")))
    return any(str(each.get("action_id") or "").startswith("alert:") for each in elements)


def _chosen(seen: SeenAlert, messages: list[Any]) -> Found | None:
    found = next((alert for message in messages if (alert := find_alert(message))), None)
    subject: AlertRef | MonitorRef | EventRef | None = seen.alert or (found.subject if found else None)
    link = find_run_link(messages)
    run = link.investigation_id if link else seen.run
    if run:
        return ExistingRun(run, subject if isinstance(subject, AlertRef) else None, link.host if link else "")
    if found and found.recovered and seen.alert is None and isinstance(subject, AlertRef):
        # the message shows the recovery by now: the alert before it is meant, and has to be found
        return MonitorRef(subject.monitor_id, subject.monitor_name, subject.group, subject.host)
    return subject
