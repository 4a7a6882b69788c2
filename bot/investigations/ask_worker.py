"""Decides what was asked for, from what is known here: who may, what is meant, in which organisation; then it starts, or
the person hears why not. What has to be looked up first waits for the alert resolver: nobody's start waits behind it."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from bot import meters
from bot.datadog.trouble import TroubleKind
from bot.investigations.asking import AskAnswers
from bot.investigations.findings import Findings
from bot.investigations.message_alerts import ThreadReader
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Outcome, Reception, Requests, read_ask
from bot.investigations.tables import CARD, RECEIVED, asks
from bot.logs import know
from bot.model import AlertRef, Ask, EarlierRun, ExistingRun, MessageRef, Source, Startable, ThreadRef
from bot.orgs.model import NoOrg
from bot.rules.budget import Terms
from bot.rules.org_choice import OrgChooser, PlaceFacts, host_of
from bot.rules.permissions import NotAllowed, Permissions
from bot.storage.leases import Fence, LeasedWorker


@dataclass(eq=False)
class AskWorker(LeasedWorker):
    table = asks
    slots = 16
    due = asks.c.state == RECEIVED
    is_told = True

    requests: Requests
    repository: InvestigationRepository
    threads: ThreadReader
    permissions: Permissions
    chooser: OrgChooser
    findings: Findings
    person: AskAnswers  # who asked; what they are told waits for Slack, and is no part of the work

    async def work(self, row: Row[Any], fence: Fence) -> None:
        know(ask=row.id)
        ask = read_ask(row)
        meant, after_run = await self._meant(ask)
        if meant is not None:
            message = ask.subject.message if isinstance(ask.subject, MessageRef) else None
            await self._judge(meant, fence, after_run, message, row)
        elif await self.requests.nothing_started(fence, TroubleKind.NO_ALERT):
            self._tasks.spawn(self.person.has_named_nothing(ask), "an answer")

    async def _meant(self, ask: Ask) -> tuple[Ask | None, int | None]:
        """What is in hand or in our books; with the run that another one is to follow."""
        match ask.subject:
            case EarlierRun(number):
                before = await self.repository.get_in(ask.place.workspace, number)
                subject = (before.alert or before.question) if before else None
                if before is None or subject is None:
                    return None, None
                return replace(ask, subject=subject, org=before.org), before.run
            case MessageRef(message):
                found = await self.threads.subject_of_message(ask.place, message)
                return (replace(ask, subject=found) if found else None), None
            case AlertRef() as alert if ask.source is Source.BUTTON and (run := await self.findings.heard(ask.place)):
                return replace(ask, subject=ExistingRun(run, alert)), None
            case _:
                return ask, None

    async def _judge(
        self, ask: Ask, fence: Fence, after_run: int | None, message: dict[str, Any] | None, row: Row[Any]
    ) -> None:
        facts, subject = await self.chooser.facts(ask.place), ask.subject
        verdict = await self.permissions.may_start_by(facts.rules, ask.requester)
        org = _org_of(ask, facts)
        if isinstance(verdict, NotAllowed):
            outcome = await self.requests.refuse(fence, ask, verdict)
        elif not isinstance(org, str):
            ended = await self.requests.nothing_started(fence, TroubleKind.NO_ORG)
            outcome = Outcome(Reception.REFUSED, refusal=org) if ended else None
        elif after_run is None and await self._must_look(replace(ask, org=org), message):
            await self.requests.look_up_first(fence, replace(ask, org=org), verdict.rule)
            return
        elif isinstance(subject, Startable):
            terms = Terms(facts.limits, verdict.rule)
            outcome = await self.requests.decide(fence, replace(ask, org=org), subject, terms, after_run=after_run)
        else:
            if await self.requests.look_up_first(fence, replace(ask, org=org), verdict.rule) and row.attempt == 1:
                self._tasks.spawn(self.person.waits_for_look_up(ask), "an answer")
            return
        if outcome is not None:
            if outcome.reception is Reception.STARTED and outcome.investigation is not None:
                age = row.due_at - self._timing.lease - row.created_at
                meters.CARDS_AWAITED.begin(f"{CARD}:{outcome.investigation.ref}", ask.place.channel, age=age)
            self._tasks.spawn(self.person.hears(ask, outcome), "an answer")

    async def _must_look(self, ask: Ask, message: dict[str, Any] | None) -> bool:
        return isinstance(ask.subject, AlertRef) and await self.findings.may_be_unheard(ask, ask.subject, message)


def _org_of(ask: Ask, facts: PlaceFacts) -> str | NoOrg:
    """Of a thread that is still to be read only its alert's link can tell."""
    if ask.org:
        return facts.still(ask.org)
    return "" if isinstance(ask.subject, ThreadRef) else facts.org(host_of(ask.subject))
