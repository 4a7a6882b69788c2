"""Opens the window for insights: in which organisation, and with what it begins: the thread's alert, its conclusions,
a message, a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.cases.draft import candidates
from bot.cases.form import case_refusal
from bot.cases.model import KnownCase, as_alert
from bot.cases.repository import CaseRepository
from bot.datadog.insight_recognition import recognise
from bot.datadog.insights import Reason
from bot.datadog.links import Location, case_named, find_links, home_of, is_case_key, parse_link
from bot.datadog.trouble import Trouble, TroubleKind
from bot.insights.attach_form import AttachForm, AttachFormStore, CaseChoice, InsightList, Owner
from bot.insights.form_views import attach_view
from bot.insights.windows import AttachWindows
from bot.investigations import answers
from bot.investigations.message_alerts import texts_of
from bot.investigations.model import Investigation
from bot.model import Subject
from bot.orgs.questions import Resumable
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import WhichOrg, host_of
from bot.rules.permissions import Permissions
from bot.slack.interactions import Interaction
from bot.slack.replies import Modals, Replies

# In a message somebody wrote, these are links meant for the case; other people's sites and plain words are not.
_WORTH_TELLING = frozenset(
    {Reason.SHORT_LINK, Reason.NO_INSIGHT_TYPE, Reason.ID_NOT_IN_LINK, Reason.OTHER_SITE, Reason.OTHER_ORG}
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the window is opened from while its organisation is still to be found."""

    words: str = ""  # that name a case
    subject: Subject | None = None
    texts: str = ""  # of a message, those with links in them
    by_a_person: bool = False

    @classmethod
    def of_message(cls, subject: Subject | None, message: Mapping[str, Any]) -> Self:
        """The message's alert and every link in it."""
        texts = "\n".join(text for text in texts_of(message) if "://" in text)
        return cls(subject=subject, texts=texts, by_a_person=not message.get("bot_id"))

    @property
    def host(self) -> str:
        link = parse_link(self.words)
        if found := host_of(self.subject) or (link.host if link else ""):
            return found
        hosts = {link.host for link in find_links(self.texts)}
        return hosts.pop() if len(hosts) == 1 else ""


ATTACH_FROM = Resumable("attach_from", Beginning)


@dataclass(frozen=True, slots=True)
class AttachOpening:
    forms: AttachFormStore
    windows: AttachWindows
    cases: CaseRepository
    orgs: OrgRepository
    which_org: WhichOrg
    permissions: Permissions
    modals: Modals
    replies: Replies

    def location(self, org: str) -> Location:
        return home_of(self.orgs.app_url(org))

    # -- opening ------------------------------------------------------------------------------------------------

    async def begin(self, interaction: Interaction, beginning: Beginning, *, org: str = "") -> None:
        """Opens the window as soon as its organisation is known, which may take an answer of the person."""
        if await self._refused(interaction):
            return
        org = org or await self._org_of_thread(interaction, beginning)
        org = org or await self.which_org.of(interaction, beginning.host, ATTACH_FROM.record(beginning))
        if org:
            case = await self._case_of_words(beginning.words, org)
            await self._open(interaction, org, self._insights(beginning, org), case)

    async def begin_with_investigation(self, interaction: Interaction, investigation: Investigation) -> None:
        """The alert, and the links in the conclusions."""
        found = candidates(self.location(investigation.org), investigation=investigation)
        if not await self._refused(interaction):
            await self._open(interaction, investigation.org, InsightList().add(found))

    async def begin_with_case(self, interaction: Interaction, case: KnownCase) -> None:
        if not await self._refused(interaction):
            await self._open(interaction, case.org, InsightList(), _choice(case))

    async def _refused(self, interaction: Interaction) -> bool:
        """Whether the person may not, and was told so."""
        refusal = await case_refusal(self.permissions, interaction.place, interaction.person)
        if refusal is not None:
            await self.replies.tell(interaction.place, interaction.person, refusal)
        return refusal is not None

    async def _open(
        self, interaction: Interaction, org: str, insights: InsightList, case: CaseChoice | None = None
    ) -> None:
        """Without a case, with the one the thread remembers, if that belongs to the same organisation."""
        if await self.orgs.get(org, interaction.workspace) is None:
            await self.replies.tell(interaction.place, interaction.person, answers.refused(Trouble(TroubleKind.NO_ORG)))
            return
        remembered = None if case else await self.cases.of_thread(interaction.place)
        if remembered and remembered.org == org:
            case = _choice(remembered)
        owner = Owner(interaction.workspace, interaction.person)
        form = AttachForm(place=interaction.place, org=org, case=case, insights=insights)
        key = await self.forms.put(owner, form)
        opened = await self.modals.open(interaction, attach_view(form, key))
        if opened is not None:
            self.windows.opened(opened)
            await self.windows.look_up(key, owner, str(opened.get("id") or ""))

    # -- what it begins with ------------------------------------------------------------------------------------

    async def _org_of_thread(self, interaction: Interaction, beginning: Beginning) -> str:
        """A thread that has a case goes on with it."""
        if beginning.host or not interaction.place.thread_ts:
            return ""
        known = await self.cases.of_thread(interaction.place)
        return known.org if known else ""

    def _insights(self, beginning: Beginning, org: str) -> InsightList:
        home = self.location(org)
        found = recognise(beginning.texts, home)
        told = (piece for piece in found.set_aside if beginning.by_a_person and piece.reason in _WORTH_TELLING)
        each_once = {piece.url: piece for piece in told}
        suggested = candidates(home, alert=as_alert(beginning.subject))
        drafts = {draft.key: draft for draft in (*suggested, *found.drafts)}
        return InsightList().add(drafts.values()).put_aside(each_once.values())

    async def _case_of_words(self, words: str, org: str) -> CaseChoice | None:
        """A case as somebody typed it."""
        named = case_named(words, self.location(org))
        if not named:
            return None
        known = await self.cases.find(org, named)
        return _choice(known) if known else CaseChoice(named, named if is_case_key(named) else "")


def _choice(case: KnownCase) -> CaseChoice:
    return CaseChoice(case.case_id, case.key, case.title)
