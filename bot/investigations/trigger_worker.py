"""Brings an investigation from "requested" to "running": finds the alert, notes what Datadog lists, triggers once.

The trigger costs money and cannot be repeated safely. Before it the row says `triggering`; whoever finds a row in that
state later looks for its run in Datadog's list, for as long as it could still show, and never triggers again on a guess.
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, or_

from bot.datadog.errors import DatadogError, RateLimited, Refused
from bot.datadog.investigations import LONGEST_QUESTION
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble, trouble_of
from bot.deadline import within
from bot.investigations.model import Investigation, State
from bot.investigations.open_starts import known_runs, open_starts
from bot.investigations.records import read_investigation
from bot.investigations.repository import InvestigationRepository
from bot.investigations.tables import LOOKED_FOR, investigations
from bot.investigations.whose_run import run_of
from bot.logs import know
from bot.model import AlertRef, Question, owner_tags
from bot.orgs.repository import OrgRepository
from bot.slack.text import cut
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.tables import literally
from bot.storage.workers import Timing

logger = logging.getLogger(__name__)

_NAME_WAIT = 3.0


@dataclass(eq=False)
class TriggerWorker(LeasedWorker):
    table = investigations
    slots = 16
    due = or_(literally(investigations.c.state, State.REQUESTED, State.TRIGGERING), LOOKED_FOR)
    under_way = investigations.c.state == State.TRIGGERING  # before that nothing was sent that could still land
    is_told = True

    repository: InvestigationRepository
    orgs: OrgRepository

    async def work(self, row: Row[Any], fence: Fence) -> None:
        investigation = read_investigation(row)
        places = await self.repository.awaited_in(investigation.id)
        if places:
            know(workspace=places[0].workspace, channel=places[0].channel)
        org = await self.orgs.get(investigation.org, *{place.workspace for place in places})
        if org is None and investigation.state is State.REQUESTED:
            await self.repository.fail(fence, Trouble(TroubleKind.NO_ORG))
        elif org is None:
            await self.repository.uncertain(fence)  # it was sent; nobody can look any more whether it began
        elif investigation.state is State.REQUESTED:
            await self._begin(org, investigation, fence, row)
        else:
            await self._look(org, investigation, fence, row)

    # -- the first time: note what is there, then trigger -------------------------------------------------------

    async def _begin(self, org: ConnectedOrg, investigation: Investigation, fence: Fence, row: Row[Any]) -> None:
        try:
            async with within(self._timing.effect):
                before, named = await asyncio.gather(
                    org.bits.ids(row.monitor_id), _with_facts(org, investigation.alert)
                )
        except (DatadogError, TimeoutError) as error:
            await self._not_started(error, investigation, fence, row)
            return
        learnt = named if named is not investigation.alert else None
        await self._trigger(org, investigation, fence, row, before, learnt)

    async def _trigger(
        self,
        org: ConnectedOrg,
        investigation: Investigation,
        claim: Fence,
        row: Row[Any],
        before: frozenset[str],
        learnt: AlertRef | None,
    ) -> None:
        fence = replace(claim, attempt=0)
        try:
            async with within(
                self._timing.effect
            ):  # from before it is written down: whoever takes over counts from then
                if not await self.repository.triggering(
                    claim, before, learnt, lease=self._timing.lease, show=_is_news(investigation, learnt, row)
                ):
                    return
                datadog_id = await _start(org, investigation)
        except (DatadogError, TimeoutError) as error:
            if getattr(error, "may_have_happened", True):
                await self._outcome_open(investigation, fence, error)
            else:
                await self._not_started(error, investigation, fence, row)
            return
        logger.info("investigation started: as %s", datadog_id)
        await self.repository.running(fence, investigation.org, datadog_id)

    async def _outcome_open(self, investigation: Investigation, fence: Fence, error: Exception) -> None:
        logger.warning(
            "investigation %s: the start has an unknown outcome (%s); looking for it in Datadog's list in %.0f s",
            investigation.ref,
            type(error).__name__,
            self._timing.settle,
        )
        await self.put_off(fence, self._timing.settle)

    async def _not_started(
        self, error: DatadogError | TimeoutError, investigation: Investigation, fence: Fence, row: Row[Any]
    ) -> None:
        """Nothing reached Datadog or it said no: try later where that can help, else say why."""
        wait, failure = wait_worth(error, row, self._timing), trouble_of(error)
        if wait is None:
            await self.repository.fail(fence, failure)
            return
        logger.info("investigation %s: trying again in %.0f s (%s)", investigation.ref, wait, type(error).__name__)
        await self.repository.retry_later(fence, wait, failure, attempt=row.attempt)

    # -- after an unknown outcome: look, adopt what is certainly ours, never guess ------------------------------

    async def _look(self, org: ConnectedOrg, investigation: Investigation, fence: Fence, row: Row[Any]) -> None:
        listed = await or_trouble(org.bits.ids(row.monitor_id), self._timing.effect)
        answered = not isinstance(listed, Trouble)
        if not isinstance(listed, Trouble) and (ours := await self._ours(investigation, listed, row)):
            logger.info("investigation %s: found its run %s in Datadog's list", investigation.ref, ours)
            await self.repository.running(fence, investigation.org, ours, presumed=True)
            return
        timing, since = self._timing, row.started_at or row.created_at
        age = row.due_at - timing.lease - since
        looks = row.attempt if answered else row.attempt - 1  # one without an answer was none
        wait = timing.settle / 2 + age / 4
        if age >= timing.deadline:
            await self.repository.uncertain(fence)
        elif investigation.state is State.TRIGGERING and (looks >= timing.look_attempts or age >= timing.patience):
            logger.warning("investigation %s: whether it was started is unknown; looking on", investigation.ref)
            await self.repository.uncertain(fence, look_in=wait, until=since + timing.deadline)
        else:
            await self.put_off(fence, wait, attempt=looks)

    async def _ours(self, investigation: Investigation, listed: frozenset[str], row: Row[Any]) -> str | None:
        # after the list: whoever triggered before it either still stands there or has written its run down
        starts = await open_starts(self._database, investigation.org, row.monitor_id)
        known = await known_runs(self._database, investigation.org, listed - frozenset(row.before_ids or ()))
        return run_of(investigation.id, starts, listed - known)


def wait_worth(error: Exception, row: Row[Any], timing: Timing) -> float | None:
    """Seconds until Datadog may be asked again; None where that would not help, or nobody waits that long."""
    if isinstance(error, Refused) and not isinstance(error, RateLimited):
        return None
    wait = error.wait if isinstance(error, RateLimited) else timing.backoff(row.attempt)
    claimed_at = row.due_at - timing.lease
    return wait if claimed_at - row.created_at + wait <= timing.patience else None


async def _start(org: ConnectedOrg, investigation: Investigation) -> str:
    if alert := investigation.alert:
        return await org.bits.trigger_alert(alert.monitor_id, alert.event_id, alert.event_ts)
    question = investigation.question or Question("")
    return await org.bits.trigger_question(described(question), question.tags, question.start_ts, question.end_ts)


def described(question: Question) -> str:
    """What is asked, with what is known so far as far as it fits."""
    if not question.background:
        return question.text
    return cut(f"{question.text}\n\n{question.background}", LONGEST_QUESTION)


def _is_news(investigation: Investigation, learnt: AlertRef | None, row: Row[Any]) -> bool:
    """A name that was not known, or that it waits no more; what else was learnt is shown once it runs."""
    unnamed = investigation.alert is not None and not investigation.alert.monitor_name
    return row.retry_at is not None or (unnamed and learnt is not None)


async def _with_facts(org: ConnectedOrg, alert: AlertRef | None) -> AlertRef | None:
    """The alert with its monitor's name, priority and owners, where a click did not tell them; a slow answer is not waited
    for."""
    if alert is None or (alert.monitor_name and (alert.priority or alert.tags)):
        return alert
    monitor = await or_trouble(org.monitors.get(alert.monitor_id), _NAME_WAIT)
    if isinstance(monitor, Trouble):
        return alert
    name, tags = alert.monitor_name or monitor.name, alert.tags or owner_tags(monitor.tags)
    return replace(alert, monitor_name=name, priority=alert.priority or monitor.priority, tags=tags)
