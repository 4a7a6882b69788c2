"""What goes between Slack, the bot and Datadog, call by call, with its JSON; secrets are masked."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.sandbox.datadog import FakeDatadog, Seen
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.delivery import Delivered
from bot.sandbox.slack.platform import ApiCall

JSON = dict[str, Any]
Side = Literal["slack", "bot", "datadog"]

LONGEST_TEXT = 1500
_MASKED = "…"
_SECRETS = {"token", "response_url", "trigger_id", "client_secret", "authorization", "ticket"}
_TICKET = re.compile(r"(ticket=)[^&\s\"]+")
_EXPLAINED: dict[str, str] = {
    "apps.connections.open": "The bot asks for a Socket Mode connection.",
    "auth.test": "The bot asks who it is.",
    "chat.postMessage": "The bot posts a message.",
    "chat.update": "The bot edits its own message in place.",
    "chat.postEphemeral": "The bot tells one person something only they see.",
    "chat.delete": "The bot takes its own message back.",
    "chat.getPermalink": "The bot asks for a link to a message.",
    "conversations.info": "The bot reads what a channel is.",
    "conversations.history": "The bot reads a channel before it posts there, so that nothing stands twice.",
    "conversations.replies": "The bot reads the thread.",
    "response_url": "The bot answers what somebody did.",
    "users.info": "The bot asks who somebody is: admin, guest or of another company.",
    "usergroups.list": "The bot reads the user groups.",
    "views.open": "The bot opens a window.",
    "views.push": "The bot puts a window on top of the open one.",
    "views.update": "The bot changes the open window.",
    "views.publish": "The bot draws the Home tab.",
    "block_actions": "Somebody pressed or chose something.",
    "block_suggestion": "Slack asks what a menu offers for these letters.",
    "message_action": "Somebody used a shortcut of a message.",
    "shortcut": "Somebody used a global shortcut.",
    "view_submission": "Somebody submitted a window.",
    "view_closed": "Somebody closed a window.",
    "app_mention": "Somebody mentioned the bot.",
    "app_home_opened": "Somebody opened the app's Home.",
    "message": "Slack tells the bot of a message.",
    "webhook": "Datadog's webhook tells the bot of an alert.",
    "alert message": "Datadog's own app posts the alert.",
    "GET /api/v2/bits-ai/investigations": "The bot looks how far the investigation is.",
    "POST /api/v2/bits-ai/investigations": "The bot starts an investigation. Datadog bills this one.",
    "POST /api/v2/cases": "The bot opens or changes a case.",
    "GET /api/v2/cases": "The bot reads a case.",
    "GET /api/v1/monitor": "The bot reads a monitor.",
    "GET /api/v2/events": "The bot looks an event up.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One call the playground itself made in somebody's name, as the webhook of Datadog."""

    at: float
    origin: Side
    to: Side
    what: str
    request: Any
    response: Any
    status: int | None
    seconds: float
    ok: bool


@dataclass(slots=True)
class _Entry:
    number: int
    at: float
    gesture: int
    why: str
    read: Callable[[], JSON]
    shown: JSON | None = None  # once nothing about it changes any more


class Journal:
    def __init__(self, slack: FakeSlack, datadog: FakeDatadog) -> None:
        self._slack = slack
        self._datadog = datadog
        self._told: list[Told] = []
        self._entries: list[_Entry] = []
        self._taken = [0, 0, 0, 0]
        self._numbers = itertools.count(1)
        self._gesture, self._why = 0, "The bot starts."

    def begin(self, why: str) -> None:
        """Somebody does something; the calls from now on follow from it, as far as anybody can tell."""
        self.take_in()
        self._gesture, self._why = self._gesture + 1, why

    def tell(self, told: Told) -> None:
        self._told.append(told)

    def newest(self, number: int) -> list[JSON]:
        self.take_in()
        return [self._shown(entry) for entry in self._entries[-number:]]

    def take_in(self) -> None:
        """What was written down anywhere since the last look, in the order it happened."""
        sources: tuple[tuple[list[Any], Callable[[Any], JSON]], ...] = (
            (self._slack.calls, _of_call),
            (self._slack.deliveries, _of_delivery),
            (self._datadog.journal.requests, _of_request),
            (self._told, _of_told),
        )
        fresh: list[tuple[float, Callable[[], JSON]]] = []
        for index, (records, read) in enumerate(sources):
            fresh += [(record.at, _reader(read, record)) for record in records[self._taken[index] :]]
            self._taken[index] = len(records)
        for at, read_one in sorted(fresh, key=lambda entry: entry[0]):
            self._entries.append(_Entry(next(self._numbers), at, self._gesture, self._why, read_one))

    def _shown(self, entry: _Entry) -> JSON:
        if entry.shown is not None:
            return entry.shown
        read = entry.read()
        known = {"n": entry.number, "at": entry.at, "gesture": entry.gesture, "why": entry.why}
        shown: JSON = _masked(known | {"explain": _explained(read["what"])} | read)
        if read["status"] is not None:
            entry.shown = shown
        return shown


def _reader(read: Callable[[Any], JSON], record: Any) -> Callable[[], JSON]:
    return lambda: read(record)


def _line(origin: Side, to: Side, what: str, *, status: int | None, seconds: float, ok: bool | None) -> JSON:
    return {"from": origin, "to": to, "what": what, "status": status, "ms": round(seconds * 1000), "ok": ok}


def _of_call(call: ApiCall) -> JSON:
    line = _line("bot", "slack", call.method, status=call.status, seconds=call.seconds, ok=call.ok)
    return line | {"request": call.args, "response": call.answer}


def _of_delivery(record: Delivered) -> JSON:
    """Without an attempt it is still on its way."""
    ok = record.acknowledged if record.attempts else None
    status = 200 if record.acknowledged else None
    line = _line("slack", "bot", _payload_kind(record), status=status, seconds=record.seconds, ok=ok)
    return line | {"request": record.payload, "response": record.answer, "attempts": record.attempts}


def _payload_kind(record: Delivered) -> str:
    payload = record.payload
    if record.kind == "slash_commands":
        return str(payload.get("command", "command"))
    return str(payload["event"]["type"] if "event" in payload else payload.get("type", ""))


def _of_request(seen: Seen) -> JSON:
    ok = None if seen.status is None else seen.status < 400
    what = f"{seen.method} {seen.path}"
    line = _line("bot", "datadog", what, status=seen.status, seconds=seen.seconds, ok=ok)
    query = {"query": seen.query} if seen.query else {}
    return line | {"request": query | ({"body": seen.json} if seen.json is not None else {}), "response": seen.answer}


def _of_told(told: Told) -> JSON:
    line = _line(told.origin, told.to, told.what, status=told.status, seconds=told.seconds, ok=told.ok)
    return line | {"request": told.request, "response": told.response}


def _explained(what: str) -> str:
    if what in _EXPLAINED:
        return _EXPLAINED[what]
    fits = [name for name in _EXPLAINED if " " in name and what.startswith(name)]
    return _EXPLAINED[max(fits, key=len)] if fits else ""


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _MASKED if name in _SECRETS and part else _masked(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_masked(part) for part in value]
    return _shortened(_TICKET.sub(rf"\1{_MASKED}", value)) if isinstance(value, str) else value


def _shortened(text: str) -> str:
    left = len(text) - LONGEST_TEXT
    return f"{text[:LONGEST_TEXT]}… ({left:,} more characters)" if left > 0 else text
