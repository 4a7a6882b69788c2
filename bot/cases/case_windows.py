"""The windows that a case's card opens: each is opened at once, and what was submitted is written down before Slack is told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.cases import views, window_views
from bot.cases.actions import CaseActions
from bot.cases.catalog import Catalogs
from bot.cases.form import case_refusal
from bot.cases.model import ATTRIBUTE_CHANGES, AttributeChanges, CaseAction, CaseActionKind, Closing, KnownCase
from bot.cases.repository import CaseRepository
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.orgs.repository import OrgRepository
from bot.rules.permissions import Permissions
from bot.slack.blocks import Block
from bot.slack.errors import explain
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import Listeners, Submitted
from bot.slack.payloads import carried_in, number_of
from bot.slack.replies import Modals
from bot.slack.text import one_line

LOOK_WAIT = 12.0


@dataclass(frozen=True, slots=True)
class CaseWindows:
    cases: CaseRepository
    actions: CaseActions
    catalogs: Catalogs
    orgs: OrgRepository
    permissions: Permissions
    modals: Modals

    def register(self, on: Listeners) -> None:
        judged = Judged("the form, which keeps what was typed")
        on.submission(window_views.CLOSE_FORM, self.close, judged)
        on.submission(window_views.ATTRIBUTES_FORM, self.change, judged)

    # -- why a security case is closed ------------------------------------------------------------------------------

    async def ask_reason(self, choice: Interaction, known: KnownCase, status: str, *, listed: bool = False) -> None:
        metadata = metadata_of(choice, known, status=status, **({"listed": "yes"} if listed else {}))
        view = window_views.closing_view(known, status, metadata)
        await self.modals.open(choice, view)
        await self.cases.show_again(known.id)  # until then the card shows the status that it has

    async def close(self, window: Interaction) -> Submitted:
        reason = window_views.read_reason(window.view)
        if not reason:
            return Submitted(errors={window_views.REASON: "Without a reason the status does not change: choose one."})
        status = one_line(str(carried_in(window.metadata).get("status") or ""))
        return await self._take(window, CaseActionKind.CLOSE, Closing(status, reason).value, window_views.REASON)

    # -- labels and attributes --------------------------------------------------------------------------------------

    async def edit_attributes(self, choice: Interaction, known: KnownCase) -> None:
        metadata = metadata_of(choice, known)
        opened = await self.modals.open(choice, window_views.loading_view(known, metadata))
        if opened:
            await self.modals.update(
                choice.workspace, str(opened["id"]), await self._attributes(choice, known, metadata)
            )

    async def _attributes(self, choice: Interaction, known: KnownCase, metadata: str) -> Block:
        """As Datadog has them now."""
        org = await self.orgs.get(known.org, choice.workspace)
        case = await or_trouble(org.cases.get(known.case_id), LOOK_WAIT) if org else Trouble(TroubleKind.NO_ORG)
        if org is None or isinstance(case, Trouble):
            why = case if isinstance(case, Trouble) else Trouble(TroubleKind.NO_ORG)
            return window_views.trouble_view(explain(why), metadata)
        await self.catalogs.learn_names(org)
        await self.cases.remember(known.org, case)
        catalog = self.catalogs.known(known.org)
        return window_views.attributes_view(case, catalog.custom_of(case.type_id) if catalog else (), metadata)

    async def change(self, window: Interaction) -> Submitted:
        changes = window_views.read_changes(window.view)
        if not isinstance(changes, AttributeChanges):
            return Submitted(errors=changes)
        if not changes.plain and not changes.custom:
            return Submitted()
        value = ATTRIBUTE_CHANGES.dump_json(changes).decode()
        return await self._take(window, CaseActionKind.ATTRIBUTES, value, window_views.PLAIN, kept=changes.words)

    # -- both -------------------------------------------------------------------------------------------------------

    async def _take(
        self, window: Interaction, kind: CaseActionKind, value: str, field: str, *, kept: str = ""
    ) -> Submitted:
        carried = carried_in(window.metadata)
        window = window.at(*place_in(carried))
        known = await self.cases.get_in(window.workspace, number_of(carried.get("case")))
        if known is None:
            return Submitted(errors={field: "I no longer know this case."})
        if refusal := await case_refusal(self.permissions, window.place, window.person):
            refused = views.CaseAnswer((refusal.text, "Nothing was changed."), kept=kept)
            return Submitted(view=views.answer_view("", refused, title="Nothing changed"))
        action = CaseAction(window.key, known.id, window.place, window.person, kind, value)
        # from a list, where no card may stand that shows it, the outcome is told
        await self.actions.take(replace(action, batch=window.key) if carried.get("listed") else action)
        return Submitted()


def metadata_of(interaction: Interaction, known: KnownCase, **more: str) -> str:
    """What a window carries with it: its case, and where it was opened."""
    place = interaction.place
    return json.dumps({"case": known.id, "channel": place.channel, "thread_ts": place.thread_ts, **more})


def place_in(carried: Mapping[str, object]) -> tuple[str, str]:
    """Channel and thread."""
    return str(carried.get("channel") or ""), str(carried.get("thread_ts") or "")
