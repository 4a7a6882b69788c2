"""Whoever wants something started, changed or shown is judged here by the channel's rules, whichever way it was asked for."""

from bot.model import Known, Place
from bot.rules.model import ChannelRules
from bot.rules.policy import Permission, authorise, groups_asked, is_admin, manages, may_exceed, may_look
from bot.rules.repository import RuleRepository
from bot.slack.people import People


class Permissions:
    def __init__(self, people: People, rules: RuleRepository) -> None:
        self._people = people
        self._rules = rules

    async def may_start(self, place: Place, person: str) -> tuple[ChannelRules, Permission]:
        """The verdict, and the rules it was judged by."""
        rules = await self._rules.of(place.workspace, place.channel)
        return rules, await self.may_start_by(rules, person)

    async def may_start_by(self, rules: ChannelRules, person: str) -> Permission:
        """The same where the rules are in hand."""
        # user groups are asked for only where they decide
        groups = () if rules.starters.everyone else groups_asked(rules, person)
        return authorise(await self._people.facts(rules.workspace, person, groups), rules)

    async def may_look(self, place: Place, person: str) -> Permission:
        rules = await self._rules.of(place.workspace, place.channel)
        return may_look(await self._people.facts(place.workspace, person), rules)

    async def may_manage(self, place: Place, person: str) -> Permission:
        return await self.may_manage_by(await self._rules.of(place.workspace, place.channel), person)

    async def may_manage_by(self, rules: ChannelRules, person: str) -> Permission:
        return manages(await self._all_about(rules, person), rules)

    async def may_exceed(self, place: Place, person: str) -> Permission:
        rules = await self._rules.draft(place.workspace, place.channel)
        return may_exceed(await self._all_about(rules.channel, person), rules.channel, rules.workspace)

    async def is_admin(self, place: Place, person: str) -> bool:
        return is_admin(await self._people.facts(place.workspace, person))

    async def _all_about(self, rules: ChannelRules, person: str) -> Known:
        facts = await self._people.facts(rules.workspace, person)
        if is_admin(facts):
            return facts  # an admin needs no group
        return await self._people.facts(rules.workspace, person, groups_asked(rules, person))
