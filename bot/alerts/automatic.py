"""Starts nobody pressed a button for: the channel's rule, the monitor's cooldown and the automatic share decide."""

import logging

from bot.investigations.requests import Outcome, Reception, Requests
from bot.model import AlertRef, Ask, Place, Source
from bot.rules.budget import CoolingDown, Limits, OverBudget, Terms
from bot.rules.model import AlertFacts, ChannelRules
from bot.rules.repository import Draft, RuleRepository

logger = logging.getLogger(__name__)

_TEST = "[test]"


class Automatic:
    def __init__(self, requests: Requests, rules: RuleRepository) -> None:
        self._requests = requests
        self._rules = rules

    async def consider(self, place: Place, alert: AlertRef, facts: AlertFacts, org: str) -> str | None:
        """Start it if the channel wants that. The reason when it does not start; None when it runs.

        May be called again for the same alert: it is decided once for each channel.
        """
        rules = await self._rules.draft(place.workspace, place.channel)
        reason = _unwanted(rules.channel, alert, facts) or await self._ask(rules, place, alert, org)
        where = f"monitor {alert.monitor_id}, event {alert.event_id} in {place.channel}"
        if reason:
            logger.info("%s: not investigated by itself: %s", where, reason)
        else:
            logger.info("%s: investigated by itself", where)
        return reason or None

    async def _ask(self, rules: Draft, place: Place, alert: AlertRef, org: str) -> str:
        ask = Ask(
            key=f"auto:{place.workspace}:{place.channel}:{alert.monitor_id}:{alert.event_id}",
            subject=alert,
            place=place,
            requester="",
            source=Source.AUTOMATIC,
            org=org,
        )
        limits = Limits.of(rules.channel, rules.workspace)
        terms = Terms(limits, "automatic rule", cooldown=rules.channel.cooldown_minutes * 60.0)
        return _why_not(await self._requests.ask(ask, terms))


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
