"""What a person asks about the rules themselves: the settings form, and who started what."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot.model import Place
from bot.orgs.model import OrgEntry, Undecided, org_meant
from bot.orgs.repository import OrgRepository
from bot.rules import no_start
from bot.rules import settings_view as settings
from bot.rules.audit import AuditTrail, audit_message
from bot.rules.case_fields import CREATE
from bot.rules.case_names import CaseNames, KnownCaseNames, names_of, offered
from bot.rules.permissions import Allowed, NotAllowed, Permissions
from bot.rules.repository import Draft, RuleRepository
from bot.rules.submitted_settings import read_opened, read_settings
from bot.slack.blocks import Block, Message, sentences
from bot.slack.commands import Command
from bot.slack.forms import FormState
from bot.slack.gates import Judged, May, Right
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.people import People
from bot.slack.replies import Modals, Replies
from bot.slack.text import one_line
from bot.storage.workers import Tasks
from bot.wording import COMMAND

_MOST_OFFERED = 100
_DOING = "see and change the rules of this channel"


@dataclass(frozen=True, slots=True)
class SettingsForm:
    permissions: Permissions
    rules: RuleRepository
    orgs: OrgRepository
    people: People
    modals: Modals
    replies: Replies
    tasks: Tasks
    case_lists: KnownCaseNames

    def register(self, on: Listeners) -> None:
        on.submission(settings.CALLBACK, self.save, Judged("the form, by the rules it would change"))
        manage = May(Right.MANAGE, _DOING, where=_where_form_is)
        redrawn = f"{settings.ROUTE}|{settings.AUTO}|{settings.MORE}|{CREATE}"
        on.action(re.compile(f"^({redrawn})$"), self.redraw, manage)
        on.options(settings.GROUPS, self.groups, manage)
        on.options(settings.CASE_PROJECT, self.case_projects, manage)
        on.options(settings.CASE_TYPE, self.case_types, manage)

    def commands(self) -> tuple[Command[str]]:
        usage = (("", "this channel's rules: alerts, automatic starts, budget, who may start"),)
        return (Command("settings", usage, str, lambda typed, _words: self.open(typed)),)

    async def open(self, interaction: Interaction) -> After:
        """For the channel of the interaction."""
        if not interaction.trigger_id:
            return sentences(f"The form opens by the command only: type `{COMMAND} settings` in the channel.")
        return self._open(interaction)

    async def _open(self, interaction: Interaction) -> None:
        """Opened empty at once, because a trigger does not wait until it is known who asks."""
        opened = await self.modals.open(interaction, settings.loading_modal())
        if opened is not None:
            view = await self._view(interaction.place, interaction.person)
            await self.modals.update(interaction.workspace, opened["id"], view, view_hash=opened.get("hash"))

    async def _view(self, place: Place, person: str) -> Block:
        verdict = await self.permissions.may_manage(place, person)
        draft = await self.rules.draft(place.workspace, place.channel)
        if isinstance(verdict, NotAllowed):
            sees = isinstance(await self.permissions.may_look(place, person), Allowed)
            refusal = no_start.refused(verdict, doing="change the rules of this channel")
            return settings.readable_modal(draft, refusal) if sees else _not_yours(verdict)
        if not draft.channel.from_file:
            orgs = _orgs_meant(await self.orgs.of_workspace(place.workspace), draft.channel.org)
            await asyncio.gather(*(self.case_lists.learn(org, place.workspace) for org in orgs))
        return await self._form(draft, place, person, settings.Shown())

    async def _form(self, draft: Draft, place: Place, person: str, shown: settings.Shown) -> Block:
        entries = await self.orgs.of_workspace(place.workspace)
        return settings.settings_modal(
            draft,
            admin=await self.permissions.is_admin(place, person),
            file_name=self.rules.file_name,
            handles=await self.people.group_handles(place.workspace),
            orgs={entry.name: one_line(entry.name, 60) for entry in entries},
            names=names_of(self.case_lists, _orgs_meant(entries, draft.channel.org)),
            shown=shown,
        )

    async def redraw(self, choice: Interaction) -> After:
        """What was chosen has fields of its own; what was typed stays, for its blocks keep their names."""
        return self._redraw(choice)

    async def _redraw(self, choice: Interaction) -> None:
        opened = read_opened(choice.metadata)
        if opened is None or not choice.view_id:
            return
        place = Place(choice.workspace, opened.channel)
        draft = await self.rules.draft(place.workspace, place.channel)
        # as it was opened: whoever saves must not overwrite what came since
        draft = replace(draft, channel_version=opened.channel_version, workspace_version=opened.workspace_version)
        shown = settings.Shown.of(FormState(choice.view))
        if choice.action_id == settings.MORE:
            shown = replace(shown, more=True)
        view = await self._form(draft, place, choice.person, shown)
        # whatever was drawn since: the latest choice knows all that were made before it
        await self.modals.update(choice.workspace, choice.view_id, view)

    async def save(self, submitted: Interaction) -> Submitted:
        opened = read_opened(submitted.metadata)
        if opened is None:
            return Submitted()
        place, person = Place(submitted.workspace, opened.channel), submitted.person
        verdict = await self.permissions.may_manage(place, person)
        if isinstance(verdict, NotAllowed):
            return Submitted(view=_not_yours(verdict))
        admin = await self.permissions.is_admin(place, person)
        current = await self.rules.draft(place.workspace, place.channel)
        read = read_settings(FormState(submitted.view), current, admin=admin)
        if not isinstance(read, Draft):
            return Submitted(errors=read)
        seen = replace(read, channel_version=opened.channel_version, workspace_version=opened.workspace_version)
        if errors := await self._save(seen, submitted):
            return Submitted(errors=errors)
        saved = sentences(f"The rules of <#{place.channel}> are saved and hold from now on.")
        return Submitted(after=self.replies.tell(place, person, saved))

    async def _save(self, draft: Draft, submitted: Interaction) -> dict[str, str]:
        """What is wrong, by field."""
        org = draft.channel.org
        if org and await self.orgs.named(submitted.workspace, org) is None:
            return {"org": "No Datadog organisation of this name is connected. Leave it empty for the default one."}
        if await self.rules.save(draft, submitted.person):
            return {}
        first = next(iter(submitted.view["state"]["values"]), "route")
        return {first: f"Somebody else changed these rules meanwhile. Close this and type {COMMAND} settings again."}

    async def groups(self, search: Interaction) -> Sequence[Block]:
        """User groups whose handle has these letters in it."""
        handles = await self.people.group_handles(search.workspace)
        wanted = search.text.strip().lstrip("@").casefold()
        found = [(group, handle) for group, handle in handles.items() if wanted in handle.casefold()]
        return [settings.group_option(group, handle) for group, handle in found[:_MOST_OFFERED]]

    async def case_projects(self, search: Interaction) -> Sequence[Block]:
        names = await self._case_names(search)
        return offered(names.projects if names else None, search.text)

    async def case_types(self, search: Interaction) -> Sequence[Block]:
        names = await self._case_names(search)
        return offered(names.types if names else None, search.text)

    async def _case_names(self, search: Interaction) -> CaseNames | None:
        """As far as they are known; what is not here yet is loaded behind the answer."""
        opened, form = read_opened(search.metadata), FormState(search.view)
        if opened is None:
            return None
        rules = await self.rules.of(search.workspace, opened.channel)
        named = settings.org_chosen(form) if form.has(settings.ORG) else rules.org
        orgs = _orgs_meant(await self.orgs.known(search.workspace), named)
        names = names_of(self.case_lists, orgs)
        if names is None:
            for org in orgs:
                self.tasks.spawn(self.case_lists.learn(org, search.workspace), "projects and case types")
        return names


def _orgs_meant(entries: Sequence[OrgEntry], named: str) -> list[str]:
    """Those that a new case of the channel may be made in."""
    meant = org_meant(entries, named=named)
    if isinstance(meant, OrgEntry):
        return [meant.id]
    return [entry.id for entry in meant.orgs] if isinstance(meant, Undecided) else []


async def _where_form_is(search: Interaction) -> Place:
    opened = read_opened(search.metadata)
    return search.at(opened.channel if opened else "").place


def _not_yours(refusal: NotAllowed) -> Block:
    return settings.closed_modal(no_start.refused(refusal, doing=_DOING))


@dataclass(frozen=True, slots=True)
class AuditCommand:
    permissions: Permissions
    trail: AuditTrail
    refs_of: Callable[[str, Sequence[int]], Awaitable[dict[int, str]]]  # a workspace's references, by number
    replies: Replies
    kept_days: int

    def commands(self) -> tuple[Command[str]]:
        usage = (("", "who started what here, and what was refused; for admins and those the rules name"),)
        return (Command("audit", usage, str, self.run),)

    async def run(self, typed: Interaction, _words: str) -> After:
        return self._tell(typed.place, typed.person)

    async def _tell(self, place: Place, person: str) -> None:
        await self.replies.tell(place, person, await self._message(place, person))

    async def _message(self, place: Place, person: str) -> Message:
        verdict = await self.permissions.may_manage(place, person)
        if isinstance(verdict, NotAllowed):
            return no_start.refused(verdict, doing="see who started what")
        # the rest of the workspace is for its admins
        channel = "" if await self.permissions.is_admin(place, person) else place.channel
        entries = await self.trail.latest(place.workspace, channel=channel)
        numbers = [entry.investigation_id for entry in entries if entry.investigation_id]
        refs = await self.refs_of(place.workspace, numbers)
        return audit_message(entries, refs, channel=channel, kept_days=self.kept_days)
