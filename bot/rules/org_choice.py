"""Which organisation serves a request: the link's, else the alert card's or the channel's, else the only one; else somebody has to say.

And the other way round: which channels an organisation's webhook alerts can come to.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, Place, Subject
from bot.orgs.answers import org_words
from bot.orgs.model import DEFAULT, Gone, NoOrg, OrgEntry, Undecided, org_meant, webhook_org
from bot.orgs.questions import OrgQuestions, Record
from bot.orgs.repository import OrgRepository
from bot.rules.model import ChannelRules
from bot.rules.repository import RuleRepository
from bot.slack.interactions import Interaction
from bot.slack.replies import Replies


class OrgChooser:
    """`of_card` knows the organisation of the alert card a thread hangs under; empty for every other thread."""

    def __init__(self, book: OrgRepository, rules: RuleRepository, of_card: Callable[[Place], Awaitable[str]]) -> None:
        self._book = book
        self._rules = rules
        self._of_card = of_card

    async def choose(self, place: Place, host: str = "") -> str | NoOrg:
        """Its id. `host` is that of the link which was used or seen; empty where there was none."""
        entries = await self._book.of_workspace(place.workspace)
        named = await self._of_card(place)
        if named and all(entry.id != named for entry in entries):
            return Gone(named)
        named = named or (await self._rules.of(place.workspace, place.channel)).org
        meant = org_meant(entries, host=host, named=named)
        return meant.id if isinstance(meant, OrgEntry) else meant

    async def channels_of(self, org: str) -> list[ChannelRules]:
        """Those that take this organisation's webhook alerts, never in a workspace that has not connected it."""
        entry = await self._book.entry(org)
        if entry is None:
            return []
        entries = [entry] if entry.from_settings else await self._book.of_workspace(entry.workspace)
        return [rules for rules in await self._rules.all() if _takes(rules, entry, entries)]


def _takes(rules: ChannelRules, entry: OrgEntry, entries: list[OrgEntry]) -> bool:
    if not entry.from_settings and rules.workspace != entry.workspace:
        return False
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
        """The one that serves a place without a word from anybody; the first where several could be meant."""
        choice = await self._chooser.choose(place)
        if isinstance(choice, str):
            return choice
        return choice.orgs[0].id if isinstance(choice, Undecided) else DEFAULT

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
