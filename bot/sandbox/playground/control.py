"""What happens in Datadog and to the bot at the playground's buttons: alerts, runs, cases, faults, kill and restart."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.sandbox.datadog import FakeAlert, FakeCase, FakeInvestigation
from bot.sandbox.datadog.case_model import INSIGHT_TYPES, PRIORITIES, Cell
from bot.sandbox.datadog.webhooks import TEMPLATE
from bot.sandbox.playground.conclusions import outcome_named
from bot.sandbox.playground.environment import WEBHOOK_SECRET, BotDiedError
from bot.sandbox.playground.faults import FaultBoard
from bot.sandbox.playground.journal import Journal, Told
from bot.sandbox.playground.seed import KINDS, Kind, Stage
from bot.sandbox.slack import Channel, Message

JSON = dict[str, Any]
Via = Literal["message", "webhook", "both"]

LOG_LINES = 60
SHORTEST_RUN, LONGEST_RUN = 0.2, 600.0
LONGEST_COMMENT = 5000
WEBHOOK_WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
_CHANGES: dict[str, tuple[str, str]] = {
    # to: (transition, then the member of the kind's values)
    "alert": ("alert", "alert"),
    "warn": ("warning", "warn"),
    "recover": ("alert recovery", "ok"),
}
_LINKS: tuple[tuple[str, str], ...] = (
    (r"/monitors[/#](\d+)", "MONITOR"),
    (r"/incidents/(\d+)", "INCIDENT"),
    (r"/security\?.*?event=([\w-]+)", "SECURITY_SIGNAL"),
    (r"/error-tracking/issue/([0-9a-f-]{36})", "ERROR_TRACKING"),
    (r"/event/(?:event\?id=|jump_to\?event_id=)(\w+)", "EVENT"),
    (r"/watchdog/story/([0-9a-f-]{36})", "WATCHDOG_STORY"),
)


class Refused(Exception):  # noqa: N818 - a sentence for the person at the page
    """What was asked for can't be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert's cycle: where Datadog's own message about it stands, and whether the webhook tells of it."""

    kind: Kind
    channel: Channel
    message: Message | None
    by_webhook: bool


class Control:
    def __init__(self, stage: Stage, journal: Journal) -> None:
        self._stage = stage
        self._journal = journal
        self._environment = stage.environment
        self._tasks: set[asyncio.Task[None]] = set()
        self._webhooks = asyncio.Lock()
        self._fired: dict[str, Fired] = {}  # by cycle
        self.faults = FaultBoard(stage.slack, stage.datadog)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.faults.mend_all()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- alerts ----------------------------------------------------------------------------------------------------

    async def fire(self, kind_id: str, via: str = "message", channel: Channel | None = None) -> JSON:
        kind = next((one for one in KINDS if one.id == kind_id), None)
        if kind is None:
            raise Refused(f"There is no kind of alert called {kind_id!r}.")
        if via not in ("message", "webhook", "both"):
            raise Refused("An alert comes as Datadog's own message, by webhook, or both.")
        await self._end_cycle(kind)
        alert = self._stage.datadog.fire(self._stage.monitors[kind.id], group=kind.group, value=kind.values.alert)
        where = channel or self._stage.alerts_channel
        message = await self._post(where, alert) if via != "webhook" else None
        self._fired[alert.cycle_key] = Fired(kind, where, message, via != "message")
        if via != "message":
            self._start(self._send_webhook(alert))
        return {
            "alert": alert.event_id,
            "channel": where.id if message else None,
            "ts": message.ts if message else None,
        }

    async def _end_cycle(self, kind: Kind) -> None:
        """Whoever fires an alert wants to see a new one: what still stands recovers first."""
        monitor = self._stage.monitors[kind.id]
        if monitor.groups[kind.group].status != "OK":
            last = next(one for one in reversed(self._stage.datadog.org.alerts) if one.monitor is monitor)
            await self.change_alert(last.event_id, "recover")

    async def change_alert(self, event_id: str, to: str) -> JSON:
        """The alert's group goes on. Datadog edits its message about a cycle; a new cycle gets a new one."""
        before = self._stage.datadog.org.alert(event_id)
        if before is None or to not in _CHANGES:
            raise Refused("That alert is not there, or can't change that way.")
        kind = self._stage.kind_of(before.monitor)
        if kind is None:
            raise Refused("That monitor is none of the playground's.")
        transition, member = _CHANGES[to]
        value = getattr(kind.values, member)
        alert = self._stage.datadog.fire(before.monitor, group=before.group, transition=transition, value=value)
        known = self._fired.get(alert.cycle_key) or self._fired.get(before.cycle_key)
        if known is None:  # fired by something else, as a past one
            known = Fired(kind, self._stage.alerts_channel, None, by_webhook=False)
        message = await self._show_change(known, alert, same_cycle=alert.cycle_key in self._fired)
        self._fired[alert.cycle_key] = Fired(kind, known.channel, message, known.by_webhook)
        if known.by_webhook:
            self._start(self._send_webhook(alert))
        return {"alert": alert.event_id}

    async def _show_change(self, known: Fired, alert: FakeAlert, *, same_cycle: bool) -> Message | None:
        if known.message is None and known.by_webhook:
            return None
        if known.message is None or known.message.deleted or not same_cycle:
            return await self._post(known.channel, alert)
        await self._stage.slack.edit_as_datadog(
            known.message, title=alert.slack_title, title_link=alert.link(), text=alert.text
        )
        return known.message

    async def _post(self, channel: Channel, alert: FakeAlert) -> Message:
        message = await self._stage.slack.post_as_datadog(
            channel, title=alert.slack_title, title_link=alert.link(), text=alert.text
        )
        self._told("alert message", "slack", message.to_json(), {"ok": True, "ts": message.ts}, 200, 0.0)
        return message

    async def _send_webhook(self, alert: FakeAlert) -> None:
        """With Datadog's retries, so that a bot that was down hears of it; one after the other, in order."""
        async with self._webhooks:
            await self._send_until_taken(alert)

    async def _send_until_taken(self, alert: FakeAlert) -> None:
        clock = self._stage.datadog.world.clock
        for wait in (0.0, *WEBHOOK_WAITS):
            await asyncio.sleep(wait)
            began = clock()
            sent = await self._stage.datadog.webhook(
                alert,
                self._environment.webhook_url,
                {"X-Bits-Webhook-Secret": WEBHOOK_SECRET},
                {**TEMPLATE, "condition": "$ALERT_STATUS"},
                waits=(),
            )
            request = {"url": "/datadog/webhook/default", "title": alert.title, "event_id": alert.event_id}
            self._told("webhook", "bot", request, None, sent.attempts[-1], clock() - began)
            if sent.accepted:
                return

    def _told(
        self,
        what: str,
        to: Literal["slack", "bot"],
        request: Any,
        response: Any,
        status: int | None,
        seconds: float,
    ) -> None:
        ok = status is not None and status < 300
        at = self._stage.datadog.world.clock() - seconds
        self._journal.tell(Told(at, "datadog", to, what, request, response, status, seconds, ok))
        self._stage.slack.changes.notify()

    # -- runs ------------------------------------------------------------------------------------------------------

    def set_outcome(self, outcome_id: str) -> None:
        if outcome_named(outcome_id) is None:
            raise Refused(f"No run ends {outcome_id!r}.")
        self._stage.outcome = outcome_id
        self._stage.plan()

    def set_speed(self, seconds: float) -> None:
        if not SHORTEST_RUN <= seconds <= LONGEST_RUN:
            raise Refused(f"A run takes {SHORTEST_RUN:g} to {LONGEST_RUN:g} seconds.")
        self._stage.seconds = seconds
        self._stage.plan()

    def finish(self, investigation_id: str, outcome_id: str = "") -> None:
        """Ends a run now, as it was to end or as chosen; one that never ends finds its cause."""
        run = self._run(investigation_id)
        now = self._stage.datadog.world.clock()
        if run.over(now):
            raise Refused("That investigation is over already.")
        chosen = outcome_named(outcome_id)
        script = chosen.script(self._stage.finding_of(run.monitor_id), ()) if chosen else run.script
        end = "conclusive" if script.stays else script.end
        run.finish(end, script.conclusions)

    def _run(self, investigation_id: str) -> FakeInvestigation:
        run = self._stage.datadog.org.investigation(investigation_id)
        if run is None:
            raise Refused("There is no such investigation.")
        return run

    # -- cases -----------------------------------------------------------------------------------------------------

    def change_case(self, case_id: str, changes: Mapping[str, Any]) -> JSON:
        case = self._stage.datadog.org.case_management.find(case_id)
        if case is None:
            raise Refused("There is no such case.")
        wanted = {name: value for name, value in changes.items() if name in _CASE_CHANGES}
        if not wanted:
            raise Refused("Say what to change of the case.")
        for name, value in wanted.items():
            _CASE_CHANGES[name](self._stage, case, value)
        case.modified = self._stage.datadog.world.clock()
        case.modified_by = next(iter(self._stage.datadog.org.users.values()))
        return {"case": case.id}

    # -- faults and the bot ----------------------------------------------------------------------------------------

    def turn_fault(self, fault_id: str, *, on: bool) -> None:
        if not self.faults.turn(fault_id, on=on):
            raise Refused(f"Nothing breaks like {fault_id!r}.")
        self._stage.slack.changes.notify()

    async def turn_bot(self, do: str) -> None:
        """Returns at once; the faults section says how far it is."""
        bot = self._environment.bot
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "kill": bot.kill,
            "stop": bot.stop,
            "start": self._start_bot,
            "restart": self._restart_bot,
        }
        if do not in acts:
            raise Refused("The bot can be killed, stopped, started and restarted.")
        if do == "start" and bot.state in ("running", "starting"):
            raise Refused("The bot is running.")
        self._start(self._turn(acts[do]))

    async def _turn(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except (BotDiedError, AssertionError, TimeoutError):
            pass  # its state and its log tell
        finally:
            self._stage.slack.changes.notify()

    async def _start_bot(self) -> None:
        await self._environment.start_bot()

    async def _restart_bot(self) -> None:
        await self._environment.bot.stop()
        await self._environment.start_bot()

    def faults_section(self) -> JSON:
        bot = self._environment.bot
        return {
            "bot": bot.state,
            "mode": self._environment.mode,
            "faults": self.faults.section(),
            "log": bot.last_lines(LOG_LINES),
        }


# -- one case's changes ------------------------------------------------------------------------------------------------


def _set_status(stage: Stage, case: FakeCase, name: Any) -> None:
    words = {"OPEN": "open", "IN_PROGRESS": "in_progress", "CLOSED": "closed"}
    wanted = case.type.names(words[name])[0] if name in words else str(name)
    if case.type.group_of(wanted) is None:
        raise Refused(f"A case of type {case.type.name} has no status {wanted!r}.")
    case.status_name = wanted
    case.closed = (case.closed or stage.datadog.world.clock()) if case.status == "CLOSED" else None


def _set_priority(_stage: Stage, case: FakeCase, priority: Any) -> None:
    if priority not in PRIORITIES:
        raise Refused(f"Priorities are {', '.join(PRIORITIES)}.")
    case.priority = priority


def _set_assignee(stage: Stage, case: FakeCase, name: Any) -> None:
    everyone = stage.datadog.org.users.values()
    found = next((user for user in everyone if name in (user.id, user.name)), None)
    if name and found is None:
        raise Refused("That person is not in this Datadog organisation.")
    case.assignee = found


def _add_comment(stage: Stage, case: FakeCase, words: Any) -> None:
    text = str(words).strip()
    if not 0 < len(text) <= LONGEST_COMMENT:
        raise Refused("A comment needs some words.")
    author = next(iter(stage.datadog.org.users.values()))
    case.comments.append(Cell(stage.datadog.world.new_id(), text, author, stage.datadog.world.clock()))


def _add_insight(_stage: Stage, case: FakeCase, asked: Any) -> None:
    if isinstance(asked, dict):
        kind, resource = str(asked.get("type", "")), str(asked.get("resource_id", "")).strip()
        if kind not in INSIGHT_TYPES or not resource:
            raise Refused("An insight has one of Datadog's types and an id.")
        case.insights[kind, resource] = str(asked.get("ref") or resource)
        return
    link = str(asked).strip()
    for pattern, kind in _LINKS:
        if found := re.search(pattern, link):
            case.insights[kind, found[1]] = re.sub(r"^https?://[^/]+", "", link)
            return
    raise Refused(
        "That is no Datadog link an insight can be made of: paste one of a monitor, event, incident or signal."
    )


def _link_ticket(_stage: Stage, case: FakeCase, url: Any) -> None:
    found = re.fullmatch(r"https://[^/\s]+/browse/([A-Z][A-Z0-9]*)-(\d+)", str(url).strip())
    if found is None:
        raise Refused("That is no link to a Jira issue, as in https://acme.atlassian.net/browse/PAY-7.")
    key = f"{found[1]}-{found[2]}"
    result = {"issue_id": found[2], "issue_key": key, "issue_url": found[0], "project_key": found[1]}
    case.tickets["jira_issue"] = {"status": "COMPLETED", "result": result}


def _archive(stage: Stage, case: FakeCase, archived: Any) -> None:
    case.archived = stage.datadog.world.clock() if archived else None


_CASE_CHANGES: dict[str, Callable[[Stage, FakeCase, Any], None]] = {
    "status": _set_status,
    "priority": _set_priority,
    "assignee": _set_assignee,
    "comment": _add_comment,
    "insight": _add_insight,
    "ticket": _link_ticket,
    "archived": _archive,
}
