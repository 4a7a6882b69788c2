"""Finds the alert behind an ask that names only a monitor or an event, then has the ask decided as any other."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from bot.datadog.errors import DatadogError, RateLimited, Refused
from bot.datadog.monitors import AlertEvent
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.investigations.message_alerts import ThreadReader
from bot.investigations.requests import Outcome, Reception, Requests, StartRequests, read_ask
from bot.investigations.tables import asks
from bot.model import AlertRef, Ask, EventRef, ExistingRun, MonitorRef, Subject, ThreadRef
from bot.orgs.model import NoOrg, Undecided
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import OrgChooser, host_of
from bot.storage.engine import Database
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.workers import Timing

logger = logging.getLogger(__name__)


class AlertResolver(LeasedWorker):
    table = asks
    slots = 8
    due = asks.c.state == "waiting"  # a look-up changes nothing at Datadog: it may be done again at once

    def __init__(
        self,
        database: Database,
        requests: Requests,
        starts: StartRequests,
        threads: ThreadReader,
        chooser: OrgChooser,
        orgs: OrgRepository,
        timing: Timing,
        *,
        owner: str,
    ) -> None:
        super().__init__(database, timing, owner=owner)
        self._requests = requests
        self._starts = starts  # tells the person what came of it
        self._threads = threads
        self._chooser = chooser  # for asks whose organisation only their thread can tell
        self._orgs = orgs

    async def work(self, row: Row[Any], fence: Fence) -> None:
        ask = read_ask(row)
        try:
            async with asyncio.timeout(self._timing.effect):
                in_thread = isinstance(ask.subject, ThreadRef)
                subject = await self._threads.subject_of(ask.place) if in_thread else ask.subject
                choice = await self._org_meant(ask, subject)
                org = await self._orgs.get(choice) if isinstance(choice, str) else None
                found = await _alert_of(org, subject) if org else None
        except (DatadogError, TimeoutError) as error:
            await self._stumble(fence, ask, row, error)
            return
        if not isinstance(choice, str):
            if await self._requests.not_found(fence, TroubleKind.NO_ORG):
                logger.info("ask %s: which organisation is meant can't be told", fence.id)
                await self._starts.answer(ask, Outcome(Reception.REFUSED, refusal=choice))
        elif org is None or found is None:
            await self._give_up(fence, ask, Trouble(TroubleKind.NO_ALERT if org else TroubleKind.NO_ORG))
        else:
            ask = replace(ask, org=choice)
            if outcome := await self._requests.found(fence, ask, found):
                await self._starts.answer(ask, outcome)

    async def _org_meant(self, ask: Ask, subject: Subject | None) -> str | NoOrg:
        if ask.org:
            return ask.org
        choice = await self._chooser.choose(ask.place, host_of(subject))
        if isinstance(choice, Undecided) and subject is None:
            return choice.orgs[0].id  # there is nothing to look for, wherever it were
        return choice

    async def _stumble(self, fence: Fence, ask: Ask, row: Row[Any], error: DatadogError | TimeoutError) -> None:
        if isinstance(error, Refused) and not isinstance(error, RateLimited):
            await self._give_up(fence, ask, trouble_of(error))
            return
        wait = error.wait if isinstance(error, RateLimited) else self._timing.backoff(row.attempt)
        waited = row.due_at - self._timing.lease - row.created_at
        if waited + wait > self._timing.patience:
            await self._give_up(fence, ask, trouble_of(error))
        else:
            await self.put_off(fence, wait)

    async def _give_up(self, fence: Fence, ask: Ask, failure: Trouble) -> None:
        if await self._requests.not_found(fence, failure.kind):
            logger.info("ask %s: no alert to investigate (%s)", fence.id, failure.kind)
            await self._starts.lookup_failed(ask, failure)


async def _alert_of(org: ConnectedOrg, subject: Subject | None) -> AlertRef | ExistingRun | None:
    match subject:
        case MonitorRef() as monitor:
            event = await org.alerts.latest_alert(monitor.monitor_id, monitor.group)
            if event is None:
                # a monitor that does not exist says so here; one that never alerted passes
                await org.monitors.get(monitor.monitor_id)
            return _reference(event, monitor.monitor_name)
        case EventRef(event_id):
            return _reference(await org.alerts.by_id(event_id), "")
        case AlertRef() | ExistingRun():
            return subject
        case _:
            return None


def _reference(event: AlertEvent | None, name: str) -> AlertRef | None:
    if event is None or not event.monitor_id or not event.event_id:
        return None
    return AlertRef(event.monitor_id, event.event_id, event.event_ts, name or event.monitor_name, event.group)
