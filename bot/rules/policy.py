"""Who may do what: one answer for the command, the mention, the shortcut, buttons and modals alike.

Pure questions about facts. Whoever can't be told apart from somebody who may not is refused.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.model import Known, PersonFacts, Unknown
from bot.rules.model import ChannelRules, Starters, WorkspaceRules


class WhyNot(StrEnum):
    """Why somebody may not; each has its own sentence."""

    OUTSIDER = "outsider"
    GUEST = "guest"
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


def authorise(facts: Known, rules: ChannelRules) -> Permission:
    """May this person start an investigation in this channel?"""
    looks = may_look(facts, rules)
    if isinstance(looks, NotAllowed) or isinstance(facts, Unknown):
        return looks
    starters = rules.starters
    if is_admin(facts):
        return Allowed("workspace admin")
    if starters.everyone:
        return looks
    return _named(facts, starters) or NotAllowed(WhyNot.NOT_NAMED, starters)


def may_look(facts: Known, rules: ChannelRules) -> Permission:
    """May this person see what Datadog holds? Everyone of the workspace; guests and outsiders where that is allowed."""
    starters = rules.starters
    if isinstance(facts, Unknown):
        return NotAllowed(WhyNot.UNKNOWN, starters, facts.code)
    if facts.person in starters.users:
        return Allowed("named user")  # whoever is named is meant, a guest too
    if facts.is_outsider:
        return Allowed("people of other companies") if starters.outsiders else NotAllowed(WhyNot.OUTSIDER, starters)
    if facts.is_guest:
        return Allowed("guests") if starters.guests else NotAllowed(WhyNot.GUEST, starters)
    return Allowed("everyone in the workspace")


def manages(facts: Known, rules: ChannelRules) -> Permission:
    """May this person see the audit and change the channel's rules? Admins, and those named for the channel."""
    looks = may_look(facts, rules)
    if isinstance(looks, NotAllowed) or isinstance(facts, Unknown):
        return looks
    if is_admin(facts):
        return Allowed("workspace admin")
    return _named(facts, rules.starters) or NotAllowed(WhyNot.NOT_MANAGER, rules.starters)


def may_exceed(facts: Known, rules: ChannelRules, workspace: WorkspaceRules) -> Permission:
    """May this person start one more when the day's budget is used up?"""
    allowed = authorise(facts, rules)
    if isinstance(allowed, NotAllowed) or isinstance(facts, Unknown):
        return allowed
    if is_admin(facts) and workspace.admins_may_exceed:
        return Allowed("workspace admin")
    return _named(facts, rules.starters) or NotAllowed(WhyNot.NOT_NAMED, rules.starters)


def is_admin(facts: Known) -> bool:
    """Admins alone decide about money and about who may start: nobody widens their own rights.

    An admin of another company is none of ours.
    """
    return isinstance(facts, PersonFacts) and facts.is_admin and not facts.is_guest and not facts.is_outsider


def groups_asked(rules: ChannelRules, person: str) -> tuple[str, ...]:
    """The user groups whose members have to be known to judge this person."""
    return () if person in rules.starters.users else rules.starters.groups


def _named(facts: PersonFacts, starters: Starters) -> Allowed | None:
    if facts.person in starters.users:
        return Allowed("named user")
    group = next((group for group in starters.groups if group in facts.groups), "")
    return Allowed(f"member of {group}") if group else None
