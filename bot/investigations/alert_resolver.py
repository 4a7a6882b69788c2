"""Finds what an ask only points at: the alert of a thread, of a monitor or of an event, and a run that an alert's thread
shows already. Then the ask is judged by that."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, update

from bot.datadog.errors import DatadogError
from bot.datadog.monitors import AlertEvent
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.deadline import within
from bot.investigations.asking import AskAnswers
from bot.investigations.findings import Findings
from bot.investigations.message_alerts import ThreadNotReadError, ThreadReader
from bot.investigations.requests import Requests, read_ask
from bot.investigations.tables import LOOK_UPS, STILL_TRYING, WAITING, asks
from bot.investigations.trigger_worker import wait_worth
from bot.logs import know
from bot.model import AlertRef, Ask, EventRef, MonitorRef, Subject, ThreadRef
from bot.orgs.repository import OrgRepository
from bot.slack.errors import RATE_LIMITED, Meaning, SlackTrouble
from bot.storage.leases import Fence, LeasedWorker

logger = logging.getLogger(__name__)

TURN_COMES_WITHIN = 3600.0  # seconds: where a thread may be read once a minute, many that ask wait for one another
WORTH_TELLING = 5.0
_PUT_OFF = "slack_put_it_off"


@dataclass(eq=False)
class AlertResolver(LeasedWorker):
    table = asks
    woken_by = (LOOK_UPS,)
    slots = 8
    due = asks.c.state == WAITING  # a look-up changes nothing at Datadog: it may be done again at once

    requests: Requests
    threads: ThreadReader
    findings: Findings
    orgs: OrgRepository
    person: AskAnswers

    async def work(self, row: Row[Any], fence: Fence) -> None:
        know(ask=row.id)
        ask = read_ask(row)
        try:
            found = await self._patiently(ask, row, fence)
        except ThreadNotReadError as error:
            await self._not_read(error.trouble, ask, row, fence)
            return
        except (DatadogError, TimeoutError) as error:
            if (wait := wait_worth(error, row, self._timing)) is not None:
                if wait >= self._silence_left(row):
                    await self._takes_longer(ask, row, fence, trouble_of(error))
                await self.put_off(fence, wait)
                return
            found = trouble_of(error)
        if isinstance(found, Trouble):
            await self._give_up(fence, ask, found)
        else:
            await self.requests.found(fence, found)

    async def _patiently(self, ask: Ask, row: Row[Any], fence: Fence) -> Subject | Trouble:
        """Whoever waits hears of it when Datadog is silent for long."""
        looking = asyncio.create_task(self._look_up_in_time(ask))
        try:
            its_turn = min(self._timing.silence, 2.0)  # however long it has waited for us before
            await asyncio.wait({looking}, timeout=max(self._silence_left(row), its_turn))
            if not looking.done():
                await self._takes_longer(ask, row, fence, Trouble(TroubleKind.UNCLEAR))
            return await looking
        finally:
            looking.cancel()

    def _silence_left(self, row: Row[Any]) -> float:
        claimed_at = row.due_at - self._timing.lease
        return self._timing.silence - float(claimed_at - row.created_at)

    async def _takes_longer(self, ask: Ask, row: Row[Any], fence: Fence, failure: Trouble) -> None:
        """Said once, whoever goes on with it."""
        if not isinstance(ask.subject, MonitorRef | EventRef):
            return
        unsaid = update(asks).where(fence.holds(asks), asks.c.problem.is_(None))
        if await self._database.write(unsaid.values(problem=STILL_TRYING)):
            until = row.created_at + self._timing.patience
            self._tasks.spawn(self.person.waits_longer(ask, failure, until), "an answer")

    async def _look_up_in_time(self, ask: Ask) -> Subject | Trouble:
        async with within(self._timing.effect):
            return await self._look_up(ask)

    async def _look_up(self, ask: Ask) -> Subject | Trouble:
        if isinstance(ask.subject, ThreadRef):
            return await self.threads.subject_of(ask.place) or Trouble(TroubleKind.NO_ALERT)
        if isinstance(ask.subject, AlertRef):
            return await self.findings.look(ask.place, ask.subject)
        org = await self.orgs.get(ask.org, ask.place.workspace)
        if org is None:
            return Trouble(TroubleKind.NO_ORG)
        return await _alert_of(org, ask.subject) or Trouble(TroubleKind.NO_ALERT)

    async def _not_read(self, trouble: SlackTrouble, ask: Ask, row: Row[Any], fence: Fence) -> None:
        age = row.due_at - self._timing.lease - row.created_at
        if trouble.code == RATE_LIMITED and age < TURN_COMES_WITHIN:
            told = row.problem == _PUT_OFF or trouble.wait < WORTH_TELLING
            if await self.put_off(fence, trouble.wait, problem=row.problem if told else _PUT_OFF) and not told:
                self._tasks.spawn(self.person.waits_to_read(ask, trouble.wait), "an answer")
        elif trouble.meaning in {Meaning.WAIT, Meaning.OPEN} and age < self._timing.patience:
            await self.put_off(fence, self._timing.backoff(row.attempt))
        elif await self.requests.nothing_started(fence, trouble.code[:32]):
            logger.info("ask %s: the thread could not be read (%s)", fence.id, trouble.code)
            self._tasks.spawn(self.person.could_not_read(ask, trouble), "an answer")

    async def _give_up(self, fence: Fence, ask: Ask, failure: Trouble) -> None:
        if await self.requests.nothing_started(fence, failure.kind):
            self._tasks.spawn(self.person.hears_of_trouble(ask, failure), "an answer")


async def _alert_of(org: ConnectedOrg, subject: Subject) -> AlertRef | None:
    match subject:
        case MonitorRef() as monitor:
            event = await org.alerts.latest_alert(monitor.monitor_id, monitor.group)
            if event is None:
                # a monitor that does not exist says so here; one that never alerted passes
                await org.monitors.get(monitor.monitor_id)
            return _reference(event, monitor.monitor_name)
        case EventRef(event_id):
            return _reference(await org.alerts.by_id(event_id), "")
        case _:
            return None


def _reference(event: AlertEvent | None, name: str) -> AlertRef | None:
    if event is None or not event.monitor_id or not event.event_id:
        return None
    return AlertRef(event.monitor_id, event.event_id, event.event_ts, name or event.monitor_name, event.group)
