"""Starts nobody pressed a button for: the channel's rule, the monitor's cooldown and the automatic share decide."""

import logging
from collections.abc import Awaitable, Callable

from bot.investigations.budget import CoolingDown, OverBudget
from bot.investigations.desk import Desk, Outcome, Reception
from bot.investigations.model import AlertRef, Ask, Place, Source
from bot.investigations.org_entries import NoneConnected, NoOrg, Undecided
from bot.investigations.rule_book import DEFAULT_ORG, RuleBook
from bot.investigations.rules import AlertFacts, ChannelRules

logger = logging.getLogger(__name__)

_TEST = "[test]"


class Automatic:
    def __init__(
        self, desk: Desk, rules: RuleBook, choose_org: Callable[[Place, str], Awaitable[str | NoOrg]] | None = None
    ) -> None:
        self._desk = desk
        self._rules = rules
        self._choose_org = choose_org

    async def consider(self, place: Place, alert: AlertRef, facts: AlertFacts) -> str | None:
        """Start it if the channel wants that. The reason when it does not start; None when it runs.

        May be called again for the same alert: it is decided once for each channel.
        """
        rules = await self._rules.of(place.workspace, place.channel)
        reason = _unwanted(rules, alert, facts) or await self._ask(rules, place, alert)
        where = f"monitor {alert.monitor_id}, event {alert.event_id} in {place.channel}"
        if reason:
            logger.info("%s: not investigated by itself: %s", where, reason)
        else:
            logger.info("%s: investigated by itself", where)
        return reason or None

    async def _ask(self, rules: ChannelRules, place: Place, alert: AlertRef) -> str:
        org = await self._org_of(rules, place, alert)
        if not org:
            return "which Datadog organisation it belongs to can't be told, or that one is not connected"
        ask = Ask(
            key=f"auto:{place.workspace}:{place.channel}:{alert.monitor_id}:{alert.event_id}",
            subject=alert,
            place=place,
            requester="",
            source=Source.AUTOMATIC,
            org=org,
        )
        outcome = await self._desk.ask(ask, rule="automatic rule", cooldown=rules.cooldown_minutes * 60.0)
        return _why_not(outcome)

    async def _org_of(self, rules: ChannelRules, place: Place, alert: AlertRef) -> str:
        if self._choose_org is None:
            return rules.org or DEFAULT_ORG
        choice = await self._choose_org(place, alert.host)
        if isinstance(choice, Undecided) and not alert.host:
            # not from a link, so from the webhook, which only the organisation of the settings has
            return DEFAULT_ORG if any(entry.from_settings for entry in choice.orgs) else ""
        return choice if isinstance(choice, str) else DEFAULT_ORG if isinstance(choice, NoneConnected) else ""


def _unwanted(rules: ChannelRules, alert: AlertRef, facts: AlertFacts) -> str:
    if alert.monitor_name.casefold().startswith(_TEST):
        return "it is a test notification"
    if rules.auto is None:
        return "the channel has no rule for automatic starts"
    if facts.transition.casefold() == "recovered":
        return "it has recovered"
    return "" if rules.auto.matches(facts) else "the channel's rule does not match"


def _why_not(outcome: Outcome) -> str:
    if outcome.reception is Reception.REPEATED:
        return "" if outcome.investigation else "it was decided before"
    match outcome.refusal:
        case CoolingDown():
            return "its monitor and group were investigated by themselves a short while ago"
        case OverBudget(scope=scope, used=used, limit=limit):
            return f"the {scope} budget is used up ({used} of {limit})"
        case None:
            return ""
        case _:
            return "it was refused"
