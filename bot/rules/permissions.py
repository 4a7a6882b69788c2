"""Who may do what: one answer by the channel's rules for the command, the mention, the shortcut, buttons and modals alike.

Whoever can't be told apart from somebody who may not is refused.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.model import PersonFacts, Place, UnknownPerson
from bot.rules.model import ChannelRules, Starters, WorkspaceRules
from bot.rules.repository import RuleRepository
from bot.slack.people import People


class WhyNot(StrEnum):
    """Why somebody may not; each has its own sentence."""

    OUTSIDER = "outsider"
    GUEST = "guest"
    DEACTIVATED = "deactivated"
    NOT_NAMED = "not_named"  # only certain people may start here
    UNKNOWN = "unknown"  # who this is can't be told now
    NOT_MANAGER = "not_manager"  # may start, but not change or see the rules


@dataclass(frozen=True, slots=True)
class Allowed:
    rule: str  # what let them in, for the audit


@dataclass(frozen=True, slots=True)
class NotAllowed:
    why: WhyNot
    starters: Starters  # whom to ask
    code: str = ""


Permission = Allowed | NotAllowed


def authorise(facts: PersonFacts | UnknownPerson, rules: ChannelRules) -> Permission:
    """May this person start an investigation in this channel?"""
    looks = may_look(facts, rules)
    if isinstance(looks, NotAllowed) or isinstance(facts, UnknownPerson):
        return looks
    starters = rules.starters
    if is_admin(facts):
        return Allowed("workspace admin")
    if starters.everyone:
        return looks
    return _named(facts, starters) or NotAllowed(WhyNot.NOT_NAMED, starters)


def may_look(facts: PersonFacts | UnknownPerson, rules: ChannelRules) -> Permission:
    """May this person see what Datadog holds? Everyone of the workspace; guests and outsiders where that is allowed."""
    starters = rules.starters
    if isinstance(facts, UnknownPerson):
        return NotAllowed(WhyNot.UNKNOWN, starters, facts.code)
    if facts.is_deactivated:
        return NotAllowed(WhyNot.DEACTIVATED, starters)
    if facts.person in starters.users:
        return Allowed("named user")  # whoever is named is meant, a guest too
    if facts.is_outsider:
        return Allowed("people of other companies") if starters.outsiders else NotAllowed(WhyNot.OUTSIDER, starters)
    if facts.is_guest:
        return Allowed("guests") if starters.guests else NotAllowed(WhyNot.GUEST, starters)
    return Allowed("everyone in the workspace")


def manages(facts: PersonFacts | UnknownPerson, rules: ChannelRules) -> Permission:
    """May this person see the audit and change the channel's rules? Admins, and those named for the channel."""
    looks = may_look(facts, rules)
    if isinstance(looks, NotAllowed) or isinstance(facts, UnknownPerson):
        return looks
    if is_admin(facts):
        return Allowed("workspace admin")
    return _named(facts, rules.starters) or NotAllowed(WhyNot.NOT_MANAGER, rules.starters)


def may_exceed(facts: PersonFacts | UnknownPerson, rules: ChannelRules, workspace: WorkspaceRules) -> Permission:
    """May this person start one more when the day's budget is used up?"""
    allowed = authorise(facts, rules)
    if isinstance(allowed, NotAllowed) or isinstance(facts, UnknownPerson):
        return allowed
    if is_admin(facts) and workspace.admins_may_exceed:
        return Allowed("workspace admin")
    return _named(facts, rules.starters) or NotAllowed(WhyNot.NOT_NAMED, rules.starters)


def is_admin(facts: PersonFacts | UnknownPerson) -> bool:
    """Admins alone decide about money and about who may start: nobody widens their own rights.

    An admin of another company is none of ours.
    """
    return (
        isinstance(facts, PersonFacts)
        and facts.is_admin
        and not (facts.is_guest or facts.is_outsider or facts.is_deactivated)
    )


def groups_asked(rules: ChannelRules, person: str) -> tuple[str, ...]:
    """The user groups whose members have to be known to judge this person."""
    return () if person in rules.starters.users else rules.starters.groups


def _named(facts: PersonFacts, starters: Starters) -> Allowed | None:
    if facts.person in starters.users:
        return Allowed("named user")
    group = next((group for group in starters.groups if group in facts.groups), "")
    return Allowed(f"member of {group}") if group else None


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
        rules = await self._rules.known(place.workspace, place.channel)
        return may_exceed(await self._all_about(rules.channel, person), rules.channel, rules.workspace)

    async def is_admin(self, place: Place, person: str) -> bool:
        return is_admin(await self._people.facts(place.workspace, person))

    async def _all_about(self, rules: ChannelRules, person: str) -> PersonFacts | UnknownPerson:
        facts = await self._people.facts(rules.workspace, person)
        if is_admin(facts) or isinstance(facts, UnknownPerson):
            return facts  # an admin needs no group, and nobody waits twice for an answer that does not come
        return await self._people.facts(rules.workspace, person, groups_asked(rules, person))
