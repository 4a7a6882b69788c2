"""Decides what was asked for: who may, what is meant, in which organisation; then it starts, or the person hears why not."""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from bot.datadog.errors import DatadogError, RateLimited, Refused
from bot.datadog.monitors import AlertEvent
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.investigations.asking import AskAnswers
from bot.investigations.message_alerts import ThreadReader
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Outcome, Reception, Requests, read_ask
from bot.investigations.tables import asks
from bot.model import AlertRef, Ask, EarlierRun, EventRef, MessageRef, MonitorRef, Startable, ThreadRef
from bot.orgs.repository import OrgRepository
from bot.rules.budget import Terms
from bot.rules.org_choice import WhichOrg, host_of
from bot.rules.permissions import NotAllowed, Permissions
from bot.storage.leases import Fence, LeasedWorker

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Meant:
    """An ask with what it is about; `after_run` when it is about another run of that."""

    ask: Ask
    subject: Startable | MonitorRef | EventRef
    after_run: int | None = None


@dataclass(frozen=True, slots=True)
class AskReader:
    """What an ask is about, as far as that is known here or in Slack."""

    repository: InvestigationRepository
    threads: ThreadReader

    async def read(self, ask: Ask) -> _Meant | None:
        match ask.subject:
            case EarlierRun(number):
                return await self._again(ask, number)
            case MessageRef(message):
                found = await self.threads.subject_of_message(ask.place, message)
            case ThreadRef():
                found = await self.threads.subject_of(ask.place)
            case named:
                return _Meant(ask, named)
        return _Meant(replace(ask, subject=found), found) if found else None

    async def _again(self, ask: Ask, number: int) -> _Meant | None:
        before = await self.repository.get_in(ask.place.workspace, number)
        subject = (before.alert or before.question) if before else None
        if before is None or subject is None:
            return None
        return _Meant(replace(ask, subject=subject, org=before.org), subject, before.run)


@dataclass(eq=False)
class AskWorker(LeasedWorker):
    table = asks
    slots = 8
    due = asks.c.state == "waiting"  # it changes nothing at Datadog: it may be done again at once

    requests: Requests
    reader: AskReader
    permissions: Permissions
    which_org: WhichOrg
    orgs: OrgRepository
    person: AskAnswers  # who asked, to be answered

    async def work(self, row: Row[Any], fence: Fence) -> None:
        ask = read_ask(row)
        try:
            async with asyncio.timeout(self._timing.effect):
                meant = await self.reader.read(ask)
            if meant is not None:
                await self._judge(meant, fence, first=row.attempt == 1)
            elif await self.requests.nothing_started(fence, TroubleKind.NO_ALERT):
                await self.person.has_named_nothing(ask)
        except (DatadogError, TimeoutError) as error:
            await self._stumble(fence, ask, row, error)

    async def _judge(self, meant: _Meant, fence: Fence, *, first: bool) -> None:
        ask, facts = meant.ask, await self.which_org.facts(meant.ask.place)
        verdict = await self.permissions.may_start_by(facts.rules, ask.requester)
        org = ask.org or facts.org(host_of(meant.subject))
        if isinstance(verdict, NotAllowed):
            outcome = await self.requests.refuse(fence, ask, verdict)
        elif not isinstance(org, str):
            ended = await self.requests.nothing_started(fence, TroubleKind.NO_ORG)
            outcome = Outcome(Reception.REFUSED, refusal=org) if ended else None
        else:
            terms = Terms(facts.limits, verdict.rule)
            outcome = await self._start(replace(meant, ask=replace(ask, org=org)), terms, fence, first=first)
        if outcome is not None:
            await self.person.hears(ask, outcome)

    async def _start(self, meant: _Meant, terms: Terms, fence: Fence, *, first: bool) -> Outcome | None:
        ask, subject = meant.ask, meant.subject
        if not isinstance(subject, Startable):
            if first:
                await self.requests.looking_up(ask, terms.rule)
                await self.person.waits_for_look_up(ask)
            found = await self._look_up(ask, subject, fence)
            if found is None:
                return None
            subject = found
        return await self.requests.decide(fence, ask, subject, terms, after_run=meant.after_run)

    async def _look_up(self, ask: Ask, subject: MonitorRef | EventRef, fence: Fence) -> AlertRef | None:
        async with asyncio.timeout(self._timing.effect):
            org = await self.orgs.get(ask.org)
            found = await _alert_of(org, subject) if org else None
        if found is None:
            await self._give_up(fence, ask, Trouble(TroubleKind.NO_ALERT if org else TroubleKind.NO_ORG))
        return found

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
        if await self.requests.nothing_started(fence, failure.kind):
            logger.info("ask %s: no alert to investigate (%s)", fence.id, failure.kind)
            await self.person.hears_of_trouble(ask, failure)


async def _alert_of(org: ConnectedOrg, subject: MonitorRef | EventRef) -> AlertRef | None:
    if isinstance(subject, EventRef):
        return _reference(await org.alerts.by_id(subject.event_id), "")
    event = await org.alerts.latest_alert(subject.monitor_id, subject.group)
    if event is None:
        # a monitor that does not exist says so here; one that never alerted passes
        await org.monitors.get(subject.monitor_id)
    return _reference(event, subject.monitor_name)


def _reference(event: AlertEvent | None, name: str) -> AlertRef | None:
    if event is None or not event.monitor_id or not event.event_id:
        return None
    return AlertRef(event.monitor_id, event.event_id, event.event_ts, name or event.monitor_name, event.group)
