"""Finds what an ask only points at: the alert of a thread, of a monitor or of an event. Then the ask is judged by that."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from bot.datadog.errors import DatadogError
from bot.datadog.monitors import AlertEvent
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.deadline import within
from bot.investigations.asking import AskAnswers
from bot.investigations.message_alerts import ThreadReader
from bot.investigations.requests import Requests, read_ask
from bot.investigations.tables import LOOK_UPS, WAITING, asks
from bot.investigations.trigger_worker import wait_worth
from bot.logs import know
from bot.model import AlertRef, Ask, EventRef, MonitorRef, Subject, ThreadRef
from bot.orgs.repository import OrgRepository
from bot.storage.leases import Fence, LeasedWorker


@dataclass(eq=False)
class AlertResolver(LeasedWorker):
    table = asks
    woken_by = (LOOK_UPS,)
    slots = 8
    due = asks.c.state == WAITING  # a look-up changes nothing at Datadog: it may be done again at once

    requests: Requests
    threads: ThreadReader
    orgs: OrgRepository
    person: AskAnswers

    async def work(self, row: Row[Any], fence: Fence) -> None:
        know(ask=row.id)
        ask = read_ask(row)
        try:
            async with within(self._timing.effect):
                found: Subject | Trouble = await self._look_up(ask)
        except (DatadogError, TimeoutError) as error:
            if (wait := wait_worth(error, row, self._timing)) is not None:
                await self.put_off(fence, wait)
                return
            found = trouble_of(error)
        if isinstance(found, Trouble):
            await self._give_up(fence, ask, found)
        else:
            await self.requests.found(fence, found)

    async def _look_up(self, ask: Ask) -> Subject | Trouble:
        if isinstance(ask.subject, ThreadRef):
            return await self.threads.subject_of(ask.place) or Trouble(TroubleKind.NO_ALERT)
        org = await self.orgs.get(ask.org, ask.place.workspace)
        if org is None:
            return Trouble(TroubleKind.NO_ORG)
        return await _alert_of(org, ask.subject) or Trouble(TroubleKind.NO_ALERT)

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
