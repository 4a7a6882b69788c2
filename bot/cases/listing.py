"""Finding cases and tidying them up: `/bits cases`, the quick actions of its list, and one change for up to 25 of them.

What is to be done is written down as actions of the case's own kind, so that each is tried, told and repeated like a click on a
card; the outcome is told to the person, since no card may stand where the list does.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.cases import batch_views, list_views, views
from bot.cases.actions import CaseActions
from bot.cases.batches import CaseBatches
from bot.cases.case_windows import CaseWindows, place_in
from bot.cases.catalog import NAMES_WAIT, Catalogs
from bot.cases.form import WORK_ON_CASES, case_refusal
from bot.cases.list_views import CaseQuery, FoundCases, in_order
from bot.cases.model import CaseAction, CaseActionKind, KnownCase
from bot.cases.posts import CaseReplies
from bot.cases.repository import CaseRepository
from bot.cases.slack import CaseCommands, NewCase, ShowCase, read_case
from bot.datadog.cases import Person, Project, SavedView, quoted
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.model import Place
from bot.orgs.questions import OrgQuestions, Resumable
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Block, Message
from bot.slack.commands import Command, split_word, unquoted
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.payloads import carried_in
from bot.slack.replies import Modals, Replies
from bot.slack.text import one_line
from bot.wording import CASE, CASES

SEARCH_WAIT = 12.0
SLOW = 1.0  # seconds after which silence would look like failure
PAGE = 100

FIND_CASES = Resumable("cases", CaseQuery)


@dataclass(frozen=True, slots=True)
class CaseFinder:
    """Asks Datadog for the open cases of a channel's project."""

    cases: CaseRepository
    catalogs: Catalogs
    orgs: OrgRepository
    rules: RuleRepository
    case_replies: CaseReplies

    async def find(self, org: str, place: Place, person: str, query: CaseQuery) -> FoundCases | Message:
        connected = await self.orgs.get(org, place.workspace)
        if connected is None:
            return views.lookup_failed(Trouble(TroubleKind.NO_ORG))
        found = await or_trouble(self._find(connected, place, person, query), SEARCH_WAIT)
        return views.lookup_failed(found) if isinstance(found, Trouble) else found

    async def _find(self, org: ConnectedOrg, place: Place, person: str, query: CaseQuery) -> FoundCases | Message:
        project = await self._project(org, place)
        mine, saved = await asyncio.gather(self._mine(org, place, person), self._views(org, project))
        wanted = query.view or query.words
        view = next((each for each in saved if each.name.casefold() == wanted.casefold()), None) if wanted else None
        if view is None and query.view:
            return list_views.unknown_view(query.view, project, saved)
        if view is not None:
            query = CaseQuery(view=view.name)
        listed = await org.cases.search(_search(query, project, view), size=PAGE)
        known = await self.cases.remember_listed(org.name, in_order(listed, mine))
        more = len(listed) == PAGE
        return FoundCases(org.name, place.thread_ts, query, project, tuple(known), mine, saved, more)

    async def _project(self, org: ConnectedOrg, place: Place) -> Project | None:
        catalog = await self.catalogs.of(org)
        return catalog.project_named((await self.rules.of(place.workspace, place.channel)).case.project)

    async def _mine(self, org: ConnectedOrg, place: Place, person: str) -> str:
        """Whom Datadog knows the person as; a list without its first part is better than none."""
        user = await or_trouble(self.case_replies.datadog_user(org, place.workspace, person), NAMES_WAIT)
        return user.id if isinstance(user, Person) else ""

    async def _views(self, org: ConnectedOrg, project: Project | None) -> tuple[SavedView, ...]:
        found = await or_trouble(org.cases.saved_views(project.id), NAMES_WAIT) if project else ()
        return () if isinstance(found, Trouble) else found


def _search(query: CaseQuery, project: Project | None, view: SavedView | None) -> str:
    within = [f"project:{project.key}"] if project else []
    if view is not None:
        return " ".join([*within, *([f"({view.query})"] if view.query.strip() else [])])
    return " ".join([*within, "-status:closed", *([quoted(query.words)] if query.words else [])])


# -- the list -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseLists:
    finder: CaseFinder
    cases: CaseRepository
    actions: CaseActions
    batches: CaseBatches
    windows: CaseWindows
    commands_of_one: CaseCommands
    orgs: OrgRepository
    permissions: Permissions
    which_org: WhichOrg
    modals: Modals
    replies: Replies

    def register(self, on: Listeners) -> None:
        judged = Judged("the window, which keeps what was chosen")
        on.action(list_views.QUICK, self.quick, WORK_ON_CASES)
        on.action(list_views.VIEW, self.choose_view, WORK_ON_CASES)
        on.action(list_views.SEVERAL, self.open_several, WORK_ON_CASES)
        on.submission(batch_views.SEVERAL_FORM, self.confirm, judged)
        on.submission(batch_views.CONFIRM_FORM, self.change, judged)

    def commands(self) -> tuple[Command[ShowCase | NewCase | CaseQuery]]:
        usage = (
            (
                "[words]",
                f"open {CASES} of the channel's project, yours first, to work on them or to change several at once",
            ),
            ("view <name>", "the same for a view that is saved in the project"),
        )
        return (Command(CASES, usage, read_cases, self.run),)

    def go_on_after(self, questions: OrgQuestions) -> None:
        questions.when_answered(FIND_CASES, self.show)

    async def run(self, typed: Interaction, request: ShowCase | NewCase | CaseQuery) -> After:
        if isinstance(request, CaseQuery):
            return await self.show(typed, request, "")
        return await self.commands_of_one.run(typed, request)

    async def show(self, interaction: Interaction, query: CaseQuery, org: str) -> After:
        return self._show(interaction, query, org)

    async def _show(self, interaction: Interaction, query: CaseQuery, org: str) -> None:
        place, person = interaction.place, interaction.person
        if refusal := await case_refusal(self.permissions, place, person):
            await self.replies.tell(place, person, refusal)
            return
        org = org or await self.which_org.of(interaction, "", FIND_CASES.record(query))
        if not org:
            return
        looking = asyncio.create_task(self.finder.find(org, place, person, query), name="list of cases")
        try:
            ready, _ = await asyncio.wait({looking}, timeout=SLOW)
            if not ready:
                await self.replies.tell(place, person, list_views.looking())
            found = await looking
        finally:
            looking.cancel()
        shown = found if isinstance(found, Message) else list_views.list_message(found, self.orgs.app_url(org))
        await self.replies.tell(place, person, shown)

    async def choose_view(self, choice: Interaction) -> After:
        choice, org = self._asked_in(choice)
        return self._show(choice, CaseQuery(view=choice.value), org) if org else list_views.list_lost()

    def _asked_in(self, choice: Interaction) -> tuple[Interaction, str]:
        """The same in the thread that the list was asked in, and the organisation whose cases it shows."""
        org, thread_ts = list_views.read_block(choice.block_id)
        return choice.at(choice.place.channel, thread_ts), org

    # -- quick actions ------------------------------------------------------------------------------------------------

    async def quick(self, choice: Interaction) -> After:
        choice, org = self._asked_in(choice)
        verb, _, case_id = choice.value.partition(" ")
        known = await self._served(choice.workspace, org, case_id)
        if known is None:
            return list_views.list_lost()
        if verb == list_views.SHOW:
            return await self.commands_of_one.show(choice, ShowCase(case_id), org)
        await self.cases.belongs_to(known.id, choice.place, choice.person)
        if verb == list_views.CLOSE and known.is_security:
            return self.windows.ask_reason(choice, known, known.status_in("closed"), listed=True)
        kinds = {
            list_views.ASSIGN: (CaseActionKind.ASSIGN, ""),
            list_views.CLOSE: (CaseActionKind.STATUS, known.status_in("closed")),
            list_views.ARCHIVE: (CaseActionKind.ARCHIVE, ""),
        }
        if verb not in kinds:
            return None
        kind, value = kinds[verb]
        action = CaseAction(choice.key, known.id, choice.place, choice.person, kind, value, batch=choice.key)
        await self.actions.take_all([action])
        return None

    async def _served(self, workspace: str, org: str, case_id: str) -> KnownCase | None:
        """A case of an organisation that serves the workspace; another's is none of its business."""
        if not org or not case_id or await self.orgs.get(org, workspace) is None:
            return None
        return await self.cases.find(org, case_id)

    # -- several at once ------------------------------------------------------------------------------------------------

    async def open_several(self, click: Interaction) -> After:
        click, org = self._asked_in(click)
        if not org or await self.orgs.get(org, click.workspace) is None:
            return list_views.list_lost()
        return self._open_several(click, org)

    async def _open_several(self, click: Interaction, org: str) -> None:
        place = {"org": org, "channel": click.place.channel, "thread_ts": click.place.thread_ts}
        opened = await self.modals.open(click, batch_views.loading_view(json.dumps(place)))
        if opened is None:
            return
        found = await self.finder.find(org, click.place, click.person, _query_in(click.value))
        view = batch_views.words_view(found.text) if isinstance(found, Message) else self._offered(found, place)
        await self.modals.update(click.workspace, str(opened["id"]), view)

    def _offered(self, found: FoundCases, place: dict[str, str]) -> Block:
        if not found.cases:
            return batch_views.words_view(f"There are no such {CASES} any more.")
        return batch_views.several_view(found.cases, json.dumps(place))

    async def confirm(self, window: Interaction) -> Submitted:
        carried = carried_in(window.metadata)
        ids, change = batch_views.read_several(window.view)
        chosen = await self._chosen(window, str(carried.get("org") or ""), ids)
        if problems := batch_views.problems_of(chosen, change):
            return Submitted(errors=problems)
        told = {
            "ids": [each.case_id for each in chosen],
            "change": change and change.change,
            "reason": change and change.reason,
        }
        metadata = json.dumps({**carried, **told}, separators=(",", ":"))
        return Submitted(view=batch_views.confirm_view(chosen, change, metadata)) if change else Submitted()

    async def change(self, window: Interaction) -> Submitted:
        """Written down for each of them when this returns."""
        carried = carried_in(window.metadata)
        change = batch_views.BulkChange(str(carried.get("change") or ""), str(carried.get("reason") or ""))
        ids = carried.get("ids")
        listed = [str(each) for each in ids] if isinstance(ids, list) else []
        chosen = await self._chosen(window, str(carried.get("org") or ""), listed)
        if batch_views.problems_of(chosen, change if change.change in batch_views.CHANGES else None):
            return Submitted(view=batch_views.words_view(list_views.list_lost().text))
        window = window.at(*place_in(carried))
        if refusal := await case_refusal(self.permissions, window.place, window.person):
            return Submitted(view=batch_views.words_view(f"{refusal.text} Nothing was changed."))
        taken = [self._action(window, known, change) for known in chosen]
        for known in chosen:
            await self.cases.belongs_to(known.id, window.place, window.person)
        await self.actions.take_all(taken)
        return Submitted(view=batch_views.outcome_view(await self.batches.outcomes(taken[0])))

    def _action(self, window: Interaction, known: KnownCase, change: batch_views.BulkChange) -> CaseAction:
        kind, value = change.action_for(known)
        key = f"{window.key}:{known.id}"
        action = CaseAction(key, known.id, window.place, window.person, kind, value)
        return replace(action, batch=window.key, view_id=window.view_id)

    async def _chosen(self, window: Interaction, org: str, ids: Sequence[str]) -> list[KnownCase]:
        known = [await self._served(window.workspace, org, each) for each in ids[: batch_views.MOST_AT_ONCE + 1]]
        return [each for each in known if each is not None]


def _query_in(value: str) -> CaseQuery:
    try:
        words, view = json.loads(value)
        return CaseQuery(str(words), str(view))
    except ValueError:
        return CaseQuery()


def read_cases(rest: str) -> ShowCase | NewCase | CaseQuery:
    """A case that is named is shown, as ever; all else is looked for."""
    first, more = split_word(unquoted(rest))
    if first.lower() in {"view", "inbox"} and more:
        return CaseQuery(view=one_line(unquoted(more), 150))
    words = [word for word in unquoted(rest).split() if word.lower() not in {"show", "the", CASE}]
    if (
        words
        and isinstance(one := read_case(rest), ShowCase | NewCase)
        and (len(words) == 1 or isinstance(one, NewCase))
    ):
        return one
    return CaseQuery(one_line(unquoted(rest), 200))
