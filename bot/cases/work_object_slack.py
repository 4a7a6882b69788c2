"""A case's Work Object in Slack: its details when somebody opens it, and edits, which go the way of the card's own actions."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from bot.cases import work_object
from bot.cases.actions import CaseActions
from bot.cases.form import case_refusal
from bot.cases.model import CaseAction, KnownCase
from bot.cases.repository import CaseRepository
from bot.cases.work_object import case_id_of
from bot.datadog.cases import Case, Comment
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.orgs.repository import OrgRepository
from bot.rules.permissions import Permissions
from bot.slack.errors import explain
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.panes import Panes
from bot.slack.payloads import WORK_OBJECT
from bot.wording import CASE, DATADOG

LOOK_WAIT = 2.0  # seconds; Slack shows what the message carries until then
_NOTHING = f"I know no such {CASE} here. It may have been deleted, or its organisation disconnected."
_CLOSED = "Not shown here"
_UNKNOWN = f"I don't know this kind of edit, so nothing was changed. Use the {CASE}'s card."


@dataclass(frozen=True, slots=True)
class CaseWorkObjects:
    cases: CaseRepository
    actions: CaseActions
    orgs: OrgRepository
    permissions: Permissions
    panes: Panes

    def register(self, on: Listeners) -> None:
        on.details(self.opened, Judged("the details, before they are shown"))
        on.submission(WORK_OBJECT, self.saved, Judged("the details, whose form keeps what was chosen"))

    async def opened(self, opening: Interaction) -> After:
        return self._show(opening)

    async def _show(self, opening: Interaction) -> None:
        known = await self._case(opening)
        if not isinstance(known, KnownCase):
            await self.panes.refuse(opening.workspace, opening.trigger_id, _CLOSED, known)
            return
        await self._present(opening, known)

    async def _present(self, opening: Interaction, known: KnownCase, edited: Mapping[str, str] | None = None) -> None:
        """As Datadog has it now; where that does not come in time, as the card shows it."""
        org = await self.orgs.get(known.org, opening.workspace)
        looked = await or_trouble(_look(org, known), LOOK_WAIT) if org else Trouble(TroubleKind.NO_ORG)
        case, comments, note = None, None, ""
        if isinstance(looked, Trouble):
            note = f"As last seen: {explain(looked).happened}"
        else:
            case, comments = looked
            known = await self.cases.remember(known.org, case)
        if edited:
            note = f"Sent to {DATADOG}: {', '.join(edited)}. The {CASE}'s card says so once it is done."
        entity = work_object.details(known, self.orgs.app_url(known.org), case, comments, note=note, edited=edited)
        await self.panes.show(opening.workspace, opening.trigger_id, entity)

    async def saved(self, window: Interaction) -> Submitted:
        """Each change is written down before Slack is told, as if it had been made on the card."""
        if window.view.get("type") != "entity_detail":
            return Submitted()
        known = await self._case(window)
        if not isinstance(known, KnownCase):
            return Submitted(after=self.panes.refuse_edit(window.workspace, window.trigger_id, known))
        edits = work_object.read_edits(known, window.view)
        if edits.problems:
            return Submitted(errors=dict(edits.problems))
        if not (window.view.get("state") or {}).get("values"):
            return Submitted(after=self.panes.refuse_edit(window.workspace, window.trigger_id, _UNKNOWN))
        for field, (kind, value) in edits.changes.items():
            key = f"work_object:{window.trigger_id}:{field}"
            await self.actions.take(CaseAction(key, known.id, window.place, window.person, kind, value))
        chosen = {field: value for field, (_, value) in edits.changes.items()}
        return Submitted(after=self._present(window, known, chosen))

    async def _case(self, interaction: Interaction) -> KnownCase | str:
        """The case that is meant; else why nothing is shown or done."""
        known = await self.cases.get_by_id(interaction.workspace, case_id_of(interaction.view.get("external_ref")))
        if known is None or await self.orgs.withholds(known.org, interaction.workspace):
            return _NOTHING
        refusal = await case_refusal(self.permissions, interaction.place, interaction.person)
        return refusal.text if refusal else known


async def _look(org: ConnectedOrg, known: KnownCase) -> tuple[Case, tuple[Comment, ...]]:
    case, comments = await asyncio.gather(org.cases.get(known.case_id), org.cases.comments(known.case_id))
    return case, comments
