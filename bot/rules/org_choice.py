"""Which organisation serves a request: the link's, else the alert card's or the channel's, else the only one; else somebody has to say.

And the other way round: which channels an organisation's webhook alerts can come to.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, Place, Subject
from bot.orgs.model import Gone, NoneConnected, NoOrg, OrgEntry, Undecided, org_meant, webhook_org
from bot.orgs.questions import OrgQuestions, Record, org_words
from bot.orgs.repository import OrgRepository
from bot.rules.budget import Limits
from bot.rules.model import ChannelRules, WorkspaceRules
from bot.rules.repository import RuleRepository
from bot.slack.interactions import Interaction
from bot.slack.replies import Replies

OrgOfCard = Callable[[Place], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """What our tables say of a place: enough to judge who may start there, in which organisation, at what cost."""

    rules: ChannelRules
    workspace: WorkspaceRules
    orgs: tuple[OrgEntry, ...]
    org_of_card: str  # of the alert card the thread hangs under; empty for every other thread

    def still(self, org: str) -> str | NoOrg:
        """An organisation that was chosen before, unless it serves this workspace no more."""
        if any(entry.id == org for entry in self.orgs):
            return org
        return Gone(org) if self.orgs else NoneConnected()

    def org(self, host: str) -> str | NoOrg:
        """Its id. `host` is that of the link which was used or seen; empty where there was none."""
        if self.org_of_card and all(entry.id != self.org_of_card for entry in self.orgs):
            return Gone(self.org_of_card)
        meant = org_meant(self.orgs, host=host, named=self.org_of_card or self.rules.org)
        return meant.id if isinstance(meant, OrgEntry) else meant

    @property
    def limits(self) -> Limits:
        return Limits.of(self.rules, self.workspace)


class OrgChooser:
    def __init__(self, orgs: OrgRepository, rules: RuleRepository, org_of_card: OrgOfCard) -> None:
        self._orgs = orgs
        self._rules = rules
        self._org_of_card = org_of_card

    async def facts(self, place: Place) -> PlaceFacts:
        """From memory, but for what the thread hangs under."""
        rules = await self._rules.known(place.workspace, place.channel)
        orgs = await self._orgs.known(place.workspace)
        return PlaceFacts(rules.channel, rules.workspace, orgs, await self._org_of_card(place))

    async def choose(self, place: Place, host: str = "", *, chosen: str = "") -> str | NoOrg:
        """`chosen` is what was decided before and only has to hold still."""
        facts = await self.facts(place)
        return facts.still(chosen) if chosen else facts.org(host)

    async def channels_of(self, org: str) -> list[ChannelRules]:
        """Those that take this organisation's webhook alerts, never in a workspace it does not serve."""
        entry = await self._orgs.entry(org)
        if entry is None:
            return []
        every = await self._rules.all()
        workspaces = {rules.workspace for rules in every} if entry.from_settings else {entry.workspace}
        orgs = {workspace: await self._orgs.of_workspace(workspace) for workspace in workspaces}
        return [rules for rules in every if _takes(rules, entry, orgs.get(rules.workspace, []))]


def _takes(rules: ChannelRules, entry: OrgEntry, entries: list[OrgEntry]) -> bool:
    wanted = webhook_org(entries, rules.org)
    return wanted is not None and wanted.id == entry.id


class WhichOrg:
    """Finds the organisation of a request, and asks the person where that is not certain."""

    def __init__(self, chooser: OrgChooser, questions: OrgQuestions, replies: Replies) -> None:
        self._chooser = chooser
        self._questions = questions
        self._replies = replies

    async def choose(self, interaction: Interaction, host: str, request: Record) -> str | NoOrg:
        """The organisation's id; else what to tell the person. `request` is what goes on with the answer."""
        choice = await self._chooser.choose(interaction.place, host)
        if not isinstance(choice, Undecided):
            return choice
        return await self.asked(choice, interaction.key, interaction.place, interaction.person, request)

    async def of(self, interaction: Interaction, host: str, request: Record) -> str:
        """The organisation's id; empty when there is none, which the person was told."""
        choice = await self.choose(interaction, host, request)
        if isinstance(choice, str):
            return choice
        await self._replies.tell(interaction.place, interaction.person, org_words(choice))
        return ""

    async def usual(self, place: Place) -> str:
        """The one that serves a place without a word from anybody; the first where several could be meant. Empty: none."""
        choice = await self._chooser.choose(place)
        if isinstance(choice, str):
            return choice
        return choice.orgs[0].id if isinstance(choice, Undecided) else ""

    async def asked(self, choice: Undecided, key: str, place: Place, person: str, request: Record) -> Undecided:
        """The choice with the question that the request waits for. `key` is that of the gesture that made it."""
        return replace(choice, question=await self._questions.ask(key, place, person, request))


def host_of(subject: Subject | None) -> str:
    """The host of the link a subject was read from."""
    match subject:
        case ExistingRun(host=host, alert=alert):
            return host or (alert.host if alert else "")
        case AlertRef(host=host) | MonitorRef(host=host) | EventRef(host=host):
            return host
        case _:
            return ""
