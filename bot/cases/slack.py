"""Cases in Slack: the ways to a new one, the form's and the card's buttons, and what can be typed."""

import asyncio
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.cases import card, views
from bot.cases.action_views import ACTION_AGAIN
from bot.cases.actions import CaseActions
from bot.cases.case_windows import CaseWindows
from bot.cases.catalog import Catalogs, search_projects
from bot.cases.escalation_windows import EscalationWindows
from bot.cases.form import CASE_FORM, WORK_ON_CASES, CaseForms, case_refusal
from bot.cases.model import CaseAction, CaseActionKind, CaseRequest, CaseSource, KnownCase
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequests
from bot.cases.source import source_of
from bot.cases.views import CaseAnswer
from bot.datadog.cases import PRIORITIES
from bot.datadog.errors import DatadogError
from bot.datadog.links import case_named
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.investigations import answers, conclusions_view, subject_view
from bot.investigations.repository import InvestigationRepository
from bot.model import Place
from bot.orgs.questions import OrgQuestions, Resumable
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Permissions
from bot.slack.blocks import Block, Message
from bot.slack.commands import Command, Invalid, link_in, split_word, unquoted
from bot.slack.forms import FormState
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.payloads import carried_in, number_of
from bot.slack.replies import Modals, Replies
from bot.slack.text import code, is_user, one_line
from bot.wording import CASE

logger = logging.getLogger(__name__)

CREATE_FROM_MESSAGE = "create_case_from_message"
SLOW = 1.0  # seconds after which silence would look like failure
LOOKUP_WAIT = 12.0


@dataclass(frozen=True, slots=True)
class CaseFormListeners:
    """The ways to the form of a new case, and what is done in it."""

    forms: CaseForms
    requests: CaseRequests
    catalogs: Catalogs
    investigations: InvestigationRepository
    modals: Modals

    def register(self, on: Listeners) -> None:
        opens, submits = Judged("the form, before it opens"), Judged("the form, which keeps what was typed")
        on.action(conclusions_view.CREATE_CASE, self.from_conclusions, opens)
        on.action(subject_view.CREATE_CASE, self.from_alert, opens)
        on.shortcut(CREATE_FROM_MESSAGE, self.from_message, opens)
        on.action(views.NEW, self.from_title, opens)
        in_form = replace(WORK_ON_CASES, where=self._place)
        on.options(views.PROJECT, self.offer_projects, in_form)
        on.action(re.compile(f"^({views.PROJECT}|{views.TYPE})$"), self.redraw, in_form)
        on.action(re.compile(f"^({views.ANOTHER}|{views.RELOAD})$"), self.show, in_form)
        on.action(views.EDIT, self.edit, in_form)
        on.submission(views.FORM, self.submit, submits)
        on.action(views.ANYWAY, self.submit_anyway, submits)
        on.action(views.RETRY, self.submit_again, submits)

    async def from_conclusions(self, click: Interaction) -> After:
        known = await self.investigations.get_in(click.workspace, click.number)
        return self.forms.open(click, CaseSource(known.id, known.alert)) if known else answers.gone()

    async def from_alert(self, click: Interaction) -> After:
        return self._of_thread(click, CaseSource(alert=subject_view.read_alert_value(click.value)))

    async def from_message(self, click: Interaction) -> After:
        return self._of_thread(click, source_of(click.message))

    async def _of_thread(self, click: Interaction, source: CaseSource) -> None:
        """What the thread has found out about it already goes into the case too."""
        place = click.place
        known = await self.investigations.latest_in_thread(place.workspace, place.channel, place.thread_ts)
        if known is not None:
            source = replace(source, investigation=known.id, alert=source.alert or known.alert)
        await self.forms.open(click, source)

    async def from_title(self, click: Interaction) -> After:
        return self.forms.open(click, CaseSource(title="" if click.value == "-" else click.value))

    async def offer_projects(self, search: Interaction) -> Sequence[Block]:
        request = await self._request(search)
        if request is None:
            return ()
        try:
            catalog = await self.catalogs.get(request.org, search.workspace)
        except DatadogError:
            return ()
        found = search_projects(catalog.projects, search.text) if catalog else ()
        return [views.project_option(each) for each in found]

    async def redraw(self, choice: Interaction) -> After:
        request = await self._request(choice)
        return self.forms.redraw(request, choice) if request else None

    async def submit(self, window: Interaction) -> Submitted:
        request = await self._request(window)
        if request is None:
            return Submitted(view=_lost_view(window))
        filled = views.read_form(window.view)
        problems = views.problems_of(filled, self.catalogs.known(request.org), window.view)
        if problems := problems | self.forms.problems_of(request, filled):
            return Submitted(errors=problems)
        return Submitted(view=await self.forms.submit(request, filled, window.view_id))

    async def show(self, click: Interaction) -> After:
        request = await self._request(click)
        return self.forms.show(request, click.view_id) if request else self._lost(click)

    async def submit_anyway(self, click: Interaction) -> After:
        request = await self._request(click)
        return self.forms.submit_anyway(request, click.view_id) if request else self._lost(click)

    async def submit_again(self, click: Interaction) -> After:
        request = await self._request(click)
        if request is None:
            return self._lost(click)
        answer = await self.forms.submit_again(request, click.view_id)
        if not click.view_id:
            return answer.message
        return self.modals.update(click.workspace, click.view_id, views.answer_view(request.key, answer))

    async def edit(self, click: Interaction) -> After:
        request = await self._request(click)
        return self._edit(click, request) if request else self._lost(click)

    async def _edit(self, click: Interaction, request: CaseRequest) -> None:
        await self.requests.edit_again(request)
        request = await self.requests.now(request) or request
        if click.view_id:
            await self.forms.show(request, click.view_id)
        else:
            await self.forms.open_in(click, request, request.org)

    async def _request(self, interaction: Interaction) -> CaseRequest | None:
        """What a window or a button belongs to: the person's own only."""
        return await self.requests.get(_key(interaction), interaction.workspace, interaction.person)

    async def _place(self, interaction: Interaction) -> Place:
        request = await self._request(interaction)
        return request.place if request else interaction.place

    def _lost(self, click: Interaction) -> After:
        if not click.view_id:
            return views.form_lost()
        return self.modals.update(click.workspace, click.view_id, _lost_view(click))


def _key(interaction: Interaction) -> str:
    return interaction.metadata or interaction.value


def _lost_view(interaction: Interaction) -> Block:
    return views.answer_view(_key(interaction), CaseAnswer((views.form_lost().text,)))


@dataclass(frozen=True, slots=True)
class CaseCardListeners:
    """The card's buttons and selects. Each is written down before Slack is told that we have it."""

    cases: CaseRepository
    actions: CaseActions
    permissions: Permissions
    modals: Modals
    windows: CaseWindows
    escalations: EscalationWindows

    def register(self, on: Listeners) -> None:
        on.action(card.STATUS, self.set_status, WORK_ON_CASES)
        on.action(card.PRIORITY, self.set_priority, WORK_ON_CASES)
        on.action(card.ASSIGN, self.assign, WORK_ON_CASES)
        on.action(card.MORE, self.choose, WORK_ON_CASES)
        on.action(card.ASSIGN_TO, self.assign_to, WORK_ON_CASES)
        on.action(card.COMMENT, self.open_comment, WORK_ON_CASES)
        on.action(ACTION_AGAIN, self.again, WORK_ON_CASES)
        on.submission(views.COMMENT_FORM, self.comment, Judged("the form, which keeps what was typed"))

    async def set_status(self, choice: Interaction) -> After:
        known = await self._case(choice)
        if not isinstance(known, KnownCase):
            return known
        if known.is_security and known.closes(choice.value):
            return self.windows.ask_reason(choice, known, choice.value)
        return await self._take(choice, CaseActionKind.STATUS, choice.value) if choice.value else None

    async def set_priority(self, choice: Interaction) -> After:
        return await self._take(choice, CaseActionKind.PRIORITY, choice.value) if choice.value in PRIORITIES else None

    async def assign(self, click: Interaction) -> After:
        return await self._take(click, CaseActionKind.ASSIGN, "")

    async def choose(self, choice: Interaction) -> After:
        """An entry of the card's menu."""
        if choice.value in {card.ARCHIVE, card.UNARCHIVE}:
            return await self._take(choice, CaseActionKind(choice.value), "")
        windows = {card.EDIT_ATTRIBUTES: self.windows.edit_attributes, card.ESCALATE: self.escalations.open}
        opens = windows.get(choice.value)
        if opens is None:
            return None
        known = await self._case(choice)
        return opens(choice, known) if isinstance(known, KnownCase) else known

    async def assign_to(self, choice: Interaction) -> After:
        return await self._take(choice, CaseActionKind.ASSIGN, choice.value) if is_user(choice.value) else None

    async def _take(self, click: Interaction, kind: CaseActionKind, value: str) -> Message | None:
        known = await self._case(click)
        if not isinstance(known, KnownCase):
            return known
        await self.actions.take(CaseAction(click.key, known.id, click.place, click.person, kind, value))
        return None

    async def _case(self, click: Interaction) -> KnownCase | Message:
        """The case whose card was used; else why nothing can be done to it."""
        row = click.number or card.row_of_block(click.block_id)
        return await self.cases.get_in(click.workspace, row) or views.case_unknown_here()

    async def again(self, click: Interaction) -> After:
        taken = await self.actions.take_again(click.number, click.workspace, click.person, click.key)
        return None if taken else views.case_unknown_here()

    async def open_comment(self, click: Interaction) -> After:
        known = await self._case(click)
        if not isinstance(known, KnownCase):
            return known
        place = {"channel": click.place.channel, "thread_ts": click.place.thread_ts}
        return self.modals.open(click, views.comment_view(known, json.dumps({"case": known.id, **place})))

    async def comment(self, window: Interaction) -> Submitted:
        carried, comment = carried_in(window.metadata), FormState(window.view).text(views.COMMENT)
        window = window.at(str(carried.get("channel") or ""), str(carried.get("thread_ts") or ""))
        known = await self.cases.get_in(window.workspace, number_of(carried.get("case")))
        if not comment or known is None:
            problem = "Write a comment." if not comment else "I no longer know this case."
            return Submitted(errors={views.COMMENT: problem})
        if refusal := await case_refusal(self.permissions, window.place, window.person):
            refused = views.comment_not_allowed(refusal, comment)
            return Submitted(view=views.answer_view("", refused, title="Add comment"))
        action = CaseAction(window.key, known.id, window.place, window.person, CaseActionKind.COMMENT, comment)
        await self.actions.take(action)
        return Submitted()


# -- what can be typed --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShowCase:
    id: str  # a key or Datadog's id


@dataclass(frozen=True, slots=True)
class NewCase:
    title: str = ""  # untrusted


SHOW_CASE = Resumable("case", ShowCase)


@dataclass(frozen=True, slots=True)
class CaseCommands:
    """What can be typed: the card of a case somebody names, or the form of a new one."""

    forms: CaseForms
    cases: CaseRepository
    catalogs: Catalogs
    orgs: OrgRepository
    permissions: Permissions
    which_org: WhichOrg
    replies: Replies

    def commands(self) -> tuple[Command[ShowCase | NewCase]]:
        usage = (
            (f"<{CASE} key or link>", f"the card of a {CASE}, to work on it from here"),
            ("new [title]", f"open a {CASE}"),
        )
        return (Command("case", usage, read_case, self.run),)

    def go_on_after(self, questions: OrgQuestions) -> None:
        questions.when_answered(SHOW_CASE, self.show)
        questions.when_answered(CASE_FORM, self.forms.go_on)

    async def run(self, typed: Interaction, request: ShowCase | NewCase) -> After:
        if isinstance(request, ShowCase):
            return await self.show(typed, request, "")
        if not typed.trigger_id:  # a mention gives no right to open a window
            return views.press_to_open(request.title)
        return self.forms.open(typed, CaseSource(title=request.title))

    async def show(self, interaction: Interaction, request: ShowCase, org: str) -> After:
        """Where no organisation is given it is found out, or asked for."""
        return self._show(interaction, request, org)

    async def _show(self, interaction: Interaction, request: ShowCase, org: str) -> None:
        place, person = interaction.place, interaction.person
        if refusal := await case_refusal(self.permissions, place, person):
            await self.replies.tell(place, person, refusal)
            return
        org = org or await self.which_org.of(interaction, "", SHOW_CASE.record(request))
        if not org:
            return
        looking = asyncio.create_task(self._look_up(interaction, request.id, org), name="case look-up")
        try:
            ready, _ = await asyncio.wait({looking}, timeout=SLOW)
            if not ready:
                await self.replies.tell(place, person, views.looking_up(request.id))
            message = await looking
        finally:
            looking.cancel()
        if message is not None:
            await self.replies.tell(place, person, message)

    async def _look_up(self, interaction: Interaction, identifier: str, org: str) -> Message | None:
        """The case's card is owed to where it was asked for; only what that card can't say is answered."""
        connected = await self.orgs.get(org, interaction.workspace)
        if connected is None:
            return views.lookup_failed(Trouble(TroubleKind.NO_ORG))
        case = await or_trouble(connected.cases.get(identifier), LOOKUP_WAIT)
        if isinstance(case, Trouble):
            logger.info("case look-up failed: %s", case.kind)
            missing = case.kind is TroubleKind.NOT_FOUND
            return views.unknown_case(identifier) if missing else views.lookup_failed(case)
        await self.catalogs.learn_names(connected)
        place = interaction.place
        known = await self.cases.remember(org, case, place=place, person=interaction.person, card=True)
        card_ts = await self.cases.card_ts(known.id, place)
        if not card_ts:
            return None
        permalink = await self.replies.permalink(place.workspace, place.channel, card_ts)
        return views.card_stands(known, self.orgs.app_url(org), permalink or "")


def read_case(rest: str) -> ShowCase | NewCase | Invalid:
    first, more = split_word(unquoted(rest))
    if first.lower() in {"new", "create"}:
        return NewCase(one_line(unquoted(more), 200))
    words = [word for word in unquoted(rest).split() if word.lower() not in {"show", "the", CASE}]
    if named := case_named(link_in(" ".join(words))) or case_named(link_in(words[0]) if words else ""):
        return ShowCase(named)
    given = f"{code(' '.join(words), 80)} names no {CASE}." if words else f"Tell me which {CASE}."
    return Invalid(f"{given} Give its key, like `CASEM-42`, or its link; `case new` opens the form of a new one.")
