"""What a thread is told of the case that its channel's rule wanted, and the kind of message that tells it."""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Row, select

from bot.alerts.case_rows import MOST_A_DAY, RuleCases, RuleOutcome, Told
from bot.alerts.tables import alert_cases
from bot.cases.card import case_url
from bot.cases.model import CaseRequest, KnownCase
from bot.cases.repository import CaseRepository
from bot.cases.views import CaseAnswer, notes_of
from bot.datadog.trouble import Trouble, TroubleKind
from bot.orgs.repository import OrgRepository
from bot.rules.no_start import RESETS
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message, sentences
from bot.slack.errors import explain
from bot.slack.poster import Urgency
from bot.slack.text import code, escape, link, one_line
from bot.storage.outbox import Delivery
from bot.wording import CASE, CASES, COMMAND, DATADOG, INSIGHTS

logger = logging.getLogger(__name__)

_BY_HAND = f"*Create {CASE}* in the alert's menu makes one."


@dataclass(frozen=True, slots=True)
class RuleCasePost:
    urgency: ClassVar[Urgency] = Urgency.ALERT

    rows: RuleCases
    cases: CaseRepository
    rules: RuleRepository
    orgs: OrgRepository

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  said twice it is still true
        database = self.rows.database
        row = await database.first(select(alert_cases).where(alert_cases.c.id == delivery.post.subject_id))
        if row is None or await self.orgs.withholds(row.org, row.workspace):
            return None
        app_url = self.orgs.app_url(row.org)
        request = await self.rows.requests.by_number(row.order_id) if row.order_id else None
        case = await self.cases.get(row.case_row) if row.case_row else None
        match delivery.post.key.rpartition(":")[2]:
            case Told.MADE if case is not None and request is not None:
                rules = (await self.rules.of(row.workspace, row.channel)).case
                return made(row, request, case, app_url, closes=rules.close and row.may_close)
            case Told.CLOSED if case is not None:
                return closed(case, app_url)
            case Told.NOT_CLOSED if case is not None:
                return not_closed(row, case, app_url)
            case Told.NOT_MADE:
                rules = (await self.rules.of(row.workspace, row.channel)).case
                return not_made(row, request, app_url, project=rules.project)
            case _:
                return None

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Nobody asked for it by name."""
        logger.warning("%s: the channel does not take replies (%s)", delivery.post.key, code)


def made(row: Row[Any], request: CaseRequest, case: KnownCase, app_url: str, *, closes: bool) -> Message:
    whose = "this" if row.made_for is not None else "another"
    words = [f"*Created {_named(case, app_url)} by {whose} channel's rule:* alerts of {escape(row.rule)}."]
    if closes:
        words.append("It is closed again when the alert recovers, if nobody has touched it.")
    return CaseAnswer((*words, *notes_of(request))).message


def not_made(row: Row[Any], request: CaseRequest | None, app_url: str, *, project: str) -> Message:
    rule = f"*This channel's rule did not create a {CASE}.*"
    match RuleOutcome(row.outcome):
        case RuleOutcome.NO_PROJECT:
            return sentences(rule, f"It does not say in which project: name one in `{COMMAND} settings`. {_BY_HAND}")
        case RuleOutcome.UNKNOWN_PROJECT:
            named = code(project, 64) if project else "that it names"
            why = f"{DATADOG} shows me no project {named}: correct it in `{COMMAND} settings`. {_BY_HAND}"
            return sentences(rule, why)
        case RuleOutcome.FULL:
            why = f"It has created {MOST_A_DAY} today for this monitor; that {RESETS}, and until then I am silent about it."
            return sentences(rule, why, _BY_HAND)
        case RuleOutcome.UNCERTAIN:
            return _uncertain(request, app_url)
        case _:
            trouble = row.problem or Trouble(TroubleKind.UNCLEAR)
            return CaseAnswer((rule, str(explain(trouble)), _BY_HAND), one_line(trouble.detail, 800)).message


def _uncertain(request: CaseRequest | None, app_url: str) -> Message:
    ref = f" with “ref {request.ref}”" if request else ""
    look = f"Look into {link(f'{app_url}/cases', f'the list of {CASES}')} for one{ref}. If it is not there: {_BY_HAND}"
    told = f"{DATADOG} did not answer clearly, and I never create the same one twice on a guess."
    return sentences(f"*I don't know whether this channel's rule has created a {CASE}.* {told}", look)


def closed(case: KnownCase, app_url: str) -> Message:
    return sentences(
        f"*Closed {_named(case, app_url)} by this channel's rule:* the alert recovered, and nobody had touched the {CASE}."
    )


def not_closed(row: Row[Any], case: KnownCase, app_url: str) -> Message:
    stays = f"*The alert recovered, and {_named(case, app_url)} stays open.*"
    match RuleOutcome(row.outcome):
        case RuleOutcome.SECURITY:
            return sentences(stays, f"A security {CASE} is closed with a reason, which is yours to choose on its card.")
        case RuleOutcome.UNKNOWN:
            why = f"{DATADOG} does not tell me enough to know that nobody has touched it, its {INSIGHTS} above all."
            return sentences(stays, why, "Close it on its card if it is done.")
        case _:
            trouble = row.problem or Trouble(TroubleKind.UNCLEAR)
            words = (stays, explain(trouble).happened, "Close it on its card if it is done.")
            return CaseAnswer(words, one_line(trouble.detail, 800)).message


def _named(case: KnownCase, app_url: str) -> str:
    return link(case_url(case, app_url), case.name)
