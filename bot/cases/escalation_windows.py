"""Escalating a case from its card: the window, what it is filled with, and the buttons of what came to nothing."""

from dataclasses import dataclass, replace

from bot.cases import escalation_views as views
from bot.cases.case_windows import LOOK_WAIT, metadata_of, place_in
from bot.cases.escalation_model import EscalationForm, EscalationKind
from bot.cases.escalations import CaseEscalations
from bot.cases.form import WORK_ON_CASES, case_refusal
from bot.cases.model import KnownCase
from bot.cases.repository import CaseRepository
from bot.cases.views import CaseAnswer, answer_view, case_unknown_here
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.rules.permissions import Permissions
from bot.slack.blocks import Block
from bot.slack.errors import CALL_ERRORS
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.payloads import carried_in, number_of
from bot.slack.replies import Modals


@dataclass(frozen=True, slots=True)
class EscalationWindows:
    cases: CaseRepository
    escalations: CaseEscalations
    orgs: OrgRepository
    permissions: Permissions
    modals: Modals

    def register(self, on: Listeners) -> None:
        on.action(views.KIND, self.redraw, replace(WORK_ON_CASES, where=_place))
        on.action(views.AGAIN, self.again, WORK_ON_CASES)
        on.submission(views.FORM, self.submit, Judged("the form, which keeps what was typed"))

    async def open(self, choice: Interaction, known: KnownCase) -> None:
        kind, metadata = EscalationKind.INCIDENT, metadata_of(choice, known)
        fields = views.fields_of(known, kind) or []
        await self.modals.open(choice, views.form_view(known, kind, fields, metadata))

    async def redraw(self, choice: Interaction) -> After:
        """Another kind was chosen."""
        known = await self._case(choice)
        return self._redraw(choice, known) if known else self._lost(choice)

    async def _redraw(self, choice: Interaction, known: KnownCase) -> None:
        kind, workspace, metadata = views.read_kind(choice.view), choice.workspace, choice.metadata
        fields = views.fields_of(known, kind)
        if fields is not None:
            await self.modals.update(workspace, choice.view_id, views.form_view(known, kind, fields, metadata))
            return
        asking = views.form_view(known, kind, views.asking_fields(), metadata)
        try:
            drawn = await self.modals.draw(workspace, choice.view_id, asking)
        except CALL_ERRORS:
            return  # it was closed
        fields = await self._asked(known, kind, workspace)
        view = views.form_view(known, kind, fields, metadata)
        # who has chosen yet another kind meanwhile keeps that
        await self.modals.update(workspace, choice.view_id, view, view_hash=str(drawn.get("hash") or ""))

    async def _asked(self, known: KnownCase, kind: EscalationKind, workspace: str) -> list[Block]:
        org = await self.orgs.get(known.org, workspace)
        if org is None:
            return views.trouble_fields(kind, Trouble(TroubleKind.NO_ORG))
        if kind is EscalationKind.JIRA:
            templates = await or_trouble(org.escalations.jira_templates(), LOOK_WAIT)
            if isinstance(templates, Trouble):
                return views.trouble_fields(kind, templates)
            return views.jira_fields(templates)
        instances = await or_trouble(org.escalations.service_now_instances(), LOOK_WAIT)
        if isinstance(instances, Trouble):
            return views.trouble_fields(kind, instances)
        return views.service_now_fields(instances)

    async def submit(self, window: Interaction) -> Submitted:
        window = window.at(*place_in(carried_in(window.metadata)))
        kind = views.read_kind(window.view)
        form, known = views.read_form(window.view, kind), await self._case(window)
        if not isinstance(form, EscalationForm):
            return Submitted(errors=form)
        if known is None:
            return Submitted(errors={views.KIND: "I no longer know this case."})
        if refusal := await case_refusal(self.permissions, window.place, window.person):
            kept = "\n".join(filter(None, (form.title, form.impact, form.message)))
            refused = CaseAnswer((refusal.text, "Nothing was escalated."), kept=kept)
            return Submitted(view=answer_view("", refused, title="Escalate"))
        if await self.escalations.take(window.key, known.id, window.place, window.person, kind, form):
            return Submitted(errors={views.KIND: f"{views.WORDS[kind].twice}: its card says how that stands."})
        return Submitted()

    async def again(self, click: Interaction) -> After:
        found = await self.escalations.again(click.number, click.workspace, click.person)
        return None if found else case_unknown_here()

    async def _case(self, interaction: Interaction) -> KnownCase | None:
        row = number_of(carried_in(interaction.metadata).get("case"))
        return await self.cases.get_in(interaction.workspace, row)

    async def _lost(self, choice: Interaction) -> None:
        answer = CaseAnswer((case_unknown_here().text,))
        await self.modals.update(choice.workspace, choice.view_id, answer_view("", answer, title="Escalate"))


async def _place(interaction: Interaction) -> Place:
    channel, thread_ts = place_in(carried_in(interaction.metadata))
    return interaction.at(channel, thread_ts).place
