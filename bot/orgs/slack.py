"""Datadog organisations in Slack: who may connect and disconnect them, whether the keys are good, and which one is meant."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace

from bot.datadog.checkup import ESSENTIAL, Account, Checkup, KeyProblem, check_up
from bot.datadog.client import Datadog
from bot.datadog.errors import UnusableKeyError
from bot.datadog.trouble import Trouble, or_trouble
from bot.model import PersonFacts, UnknownPerson
from bot.orgs import connect_form as form
from bot.orgs.alert_setup import AlertSetup
from bot.orgs.alert_setup_form import undone_sentences
from bot.orgs.connect_form import Filled, Prefill
from bot.orgs.model import DEFAULT, NewOrg, OrgEntry
from bot.orgs.questions import CHOOSE, OrgQuestions, chosen, question_gone
from bot.orgs.repository import AnotherOrg, NameTaken, OrgRepository
from bot.orgs.webhook_secrets import WebhookSecrets
from bot.slack.blocks import Block, Message, sentences
from bot.slack.commands import Command, link_in, unquoted
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import ACK_LANDS, After, Instead, Listeners, Submitted
from bot.slack.people import People
from bot.slack.replies import Modals, Replies
from bot.slack.text import code, one_line
from bot.storage.encryption import EncryptionError
from bot.storage.workers import Tasks
from bot.wording import APP, COMMAND, DATADOG

logger = logging.getLogger(__name__)

CHECK_WITHIN = 15.0

Problems = dict[str, str]  # sentences by the field they belong to


@dataclass(frozen=True, slots=True)
class Connected:
    entry: OrgEntry
    checkup: Checkup
    secret: str = field(default="", repr=False)  # of its webhook, if it was made now


@dataclass(eq=False, repr=False)
class Connecting:
    """`is_admin` judges what Slack says about a person. `gone` deals with what waits for an organisation that was taken away."""

    orgs: OrgRepository
    secrets: WebhookSecrets
    people: People
    is_admin: Callable[[PersonFacts | UnknownPerson], bool]
    gone: Callable[[str], Awaitable[None]]
    _default_uuid: str = field(default="", init=False)

    async def refusal(self, workspace: str, person: str, *, keys: bool = True) -> Message | None:
        """Why this person may not connect or disconnect anything; closed while Slack does not say who it is. `keys` are stored."""
        facts = await self.people.facts(workspace, person)
        if isinstance(facts, UnknownPerson):
            return sentences(
                f"Only workspace admins may connect {DATADOG}, and Slack did not say whether you are one "
                f"({code(facts.code, 60)}), so nothing was done. Try again in a minute."
            )
        if not self.is_admin(facts):
            return sentences(f"Only workspace admins may connect {DATADOG}. Ask one to type `{COMMAND} connect`.")
        if keys and not self.orgs.can_connect:
            return sentences(
                f"{DATADOG} can't be connected from here: keys are stored encrypted or not at all, and "
                f"BITS_ENCRYPTION_KEYS is not set. Ask whoever runs {APP} to set it."
            )
        return None

    # -- connecting ---------------------------------------------------------------------------------------------

    async def connect(self, workspace: str, person: str, filled: Filled, replaces: str) -> Connected | Problems:
        """Asks Datadog first: nothing is stored that does not work."""
        try:
            client = self.orgs.client_of(filled.site, filled.api_key, filled.app_key)
        except UnusableKeyError as error:
            return {form.API_KEY if "API key" in str(error) else form.APP_KEY: str(error)}
        async with client:
            checkup, default = await asyncio.gather(_checked(client), self._uuid_of_default(workspace))
        if checkup.problem is not None:
            return _problem(checkup.problem, filled)
        if default and checkup.org_uuid == default:
            return {form.API_KEY: f"This organisation is connected already: its keys stand in {APP}'s own settings."}
        return await self._store(
            NewOrg(
                workspace=workspace,
                name=filled.name,
                site=filled.site,
                subdomain=filled.subdomain,
                api_key=filled.api_key,
                app_key=filled.app_key,
                org_uuid=checkup.org_uuid,
                owner=checkup.owner_name,
                lacking=checkup.lacking,
                connected_by=person,
                replaces=replaces,
            ),
            checkup,
        )

    async def _store(self, new: NewOrg, checkup: Checkup) -> Connected | Problems:
        try:
            entry = await self.orgs.connect(new)
        except NameTaken:
            return {form.NAME: "Another organisation is connected under this name. Choose another one."}
        except AnotherOrg:
            return {
                form.API_KEY: "These keys belong to another organisation. Connect that one under a name of its own."
            }
        except EncryptionError as error:
            logger.error("an organisation was not connected: %s", error)  # noqa: TRY400  the sentence says it all
            return {form.API_KEY: f"The keys can't be stored encrypted. Ask whoever runs {APP} to look at its log."}
        return Connected(entry, checkup, await self.secrets.first(entry.id))

    async def _uuid_of_default(self, workspace: str) -> str:
        """Which organisation the settings' keys belong to; empty where they serve others, or it can't be told now."""
        default = await self.orgs.get(DEFAULT, workspace)
        if default is None:
            return ""
        if not self._default_uuid:
            told = await or_trouble(Account(default.client).organisation(), CHECK_WITHIN / 2)
            self._default_uuid = "" if isinstance(told, Trouble) else told
        return self._default_uuid

    # -- disconnecting ------------------------------------------------------------------------------------------

    async def disconnect(self, workspace: str, org: str) -> OrgEntry | None:
        """Its keys are removed, and the threads that wait for it are told. None when it was not connected here."""
        entry = await self.orgs.disconnect(workspace, org)
        if entry is not None:
            await self.gone(org)
        return entry


async def _checked(client: Datadog) -> Checkup:
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            return await check_up(client)
    except TimeoutError:
        return Checkup(KeyProblem.NOT_REACHED)


def _problem(problem: KeyProblem, filled: Filled) -> Problems:
    site = f"{filled.site.region} ({filled.site.domain})"
    match problem:
        case KeyProblem.API_KEY:
            return {
                form.API_KEY: f"{DATADOG} does not know this API key on {site}. Check the site, and that it is the key "
                "itself, not its id."
            }
        case KeyProblem.APP_KEY:
            return {
                form.APP_KEY: f"{DATADOG} does not accept this application key with that API key. It may be revoked, of "
                "another organisation, or only its id."
            }
        case KeyProblem.ESSENTIAL:
            names = ", ".join(sorted(ESSENTIAL))
            return {
                form.APP_KEY: "Good keys, but they may not read investigations, so nothing would work. Grant their owner "
                f"{names}."
            }
        case KeyProblem.BUSY:
            return {form.SITE: f"{DATADOG} limits how often it may be asked. Wait a minute, then try again."}
        case KeyProblem.NOT_REACHED:
            return {
                form.SITE: f"{DATADOG} on {site} did not answer usefully. Try again; if it goes on, see its status page."
            }


# -- in Slack -------------------------------------------------------------------------------------------------------


AT_ONCE = 2.0  # of the three seconds a submit has; later the window says that it is being checked


@dataclass(frozen=True, slots=True)
class OrgListeners:
    orgs: OrgRepository
    connecting: Connecting
    alert_setup: AlertSetup
    questions: OrgQuestions
    modals: Modals
    replies: Replies
    tasks: Tasks

    def register(self, on: Listeners) -> None:
        admins = Judged("Connecting: for workspace admins")
        on.action(re.compile(f"^({form.OPEN}|{form.OPEN_FROM_HOME})$"), self.open_form, admins)
        on.action(form.REPLACE_KEYS, self.replace_keys, admins)
        on.action(form.DISCONNECT, self.disconnect, admins)
        on.action(form.NEW_SECRET, self.new_secret, admins)
        on.submission(form.CALLBACK, self.submitted, admins)
        on.action(CHOOSE, self.org_chosen, Judged("what goes on with the answer"))

    def commands(self) -> tuple[Command[str]]:
        usage = (("[site or link]", f"connect a {DATADOG} organisation; for workspace admins"),)
        return (Command("connect", usage, lambda words: link_in(unquoted(words)), self.connect),)

    # -- opening the form ---------------------------------------------------------------------------------------

    async def connect(self, typed: Interaction, words: str) -> After:
        """The words may be a link or the name of a site."""
        known = form.prefill_of(words)
        return self._open(typed, known) if typed.trigger_id else form.press_to_connect()

    async def open_form(self, click: Interaction) -> After:
        return self._open(click, Prefill())

    async def replace_keys(self, click: Interaction) -> After:
        entry = await self.orgs.named(click.workspace, click.value)
        if entry is None:
            return None
        return self._open(click, Prefill(entry.name, entry.site, entry.subdomain, replaces=entry.id))

    async def _open(self, interaction: Interaction, known: Prefill) -> None:
        place = interaction.place
        if refusal := await self.connecting.refusal(place.workspace, interaction.person):
            await self.replies.tell(place, interaction.person, refusal)
            return
        known = replace(known, channel=place.channel, thread_ts=place.thread_ts)
        await self.modals.open(interaction, form.connect_modal(known))

    async def disconnect(self, click: Interaction) -> After:
        if refusal := await self.connecting.refusal(click.workspace, click.person):
            return refusal
        entry = await self.orgs.named(click.workspace, click.value)
        if entry is not None and entry.alerts_begun_at is not None:
            return self._undo_and_disconnect(click, entry)
        return self._disconnected(await self.connecting.disconnect(click.workspace, click.value))

    async def _undo_and_disconnect(self, click: Interaction, entry: OrgEntry) -> None:
        """What stands in Datadog for its alerts is removed first: that takes the keys."""
        undone = await self.alert_setup.undo(click.workspace, entry)
        gone = await self.connecting.disconnect(click.workspace, entry.id)
        await self.replies.tell(click.place, click.person, self._disconnected(gone, *undone_sentences(undone)))

    def _disconnected(self, gone: OrgEntry | None, *more: str) -> Message:
        if gone is None:
            return sentences("That organisation is not connected any more.")
        return sentences(f"{code(one_line(gone.name), 80)} is disconnected, and its keys are removed.", *more)

    # -- the secret of its webhook ------------------------------------------------------------------------------

    async def new_secret(self, click: Interaction) -> After:
        entry = await self.orgs.named(click.workspace, click.value)
        if entry is None or entry.from_settings:
            return sentences("That organisation is not connected any more.")
        return self._make_secret(click, entry)

    async def _make_secret(self, click: Interaction, entry: OrgEntry) -> None:
        """The window first: a secret that nobody sees would only be in the way."""
        if refusal := await self.connecting.refusal(click.workspace, click.person):
            await self.replies.tell(click.place, click.person, refusal)
            return
        opened = await self.modals.open(click, form.secret_modal(entry, self.alert_setup.public_url))
        if opened is None:
            return
        secret = await self.connecting.secrets.renew(click.workspace, entry.id)
        view = form.secret_modal(entry, self.alert_setup.public_url, secret)
        if not await self.modals.update(click.workspace, str(opened["id"]), view):
            await self.replies.tell(click.place, click.person, form.secret_unseen(entry))

    def _connected_view(self, outcome: Connected) -> Block:
        return form.connected_modal(
            outcome.entry, outcome.checkup, form.webhook_of(outcome.entry, self.alert_setup.public_url, outcome.secret)
        )

    # -- submitting it ------------------------------------------------------------------------------------------

    async def submitted(self, submit: Interaction) -> Submitted:
        """Answered with what came of it where Datadog is quick; else the window shows it later."""
        begun = time.monotonic()
        if refusal := await self.connecting.refusal(submit.workspace, submit.person):
            return Submitted(view=form.closed_modal(refusal))
        filled, problems = form.read_form(submit.view)
        if problems:
            return Submitted(errors=problems)
        opened = form.read_metadata(submit.metadata)
        checking = asyncio.create_task(
            self.connecting.connect(submit.workspace, submit.person, filled, opened.replaces), name="check of keys"
        )
        ready, _ = await asyncio.wait({checking}, timeout=max(0.0, begun + AT_ONCE - time.monotonic()))
        if ready:
            outcome = checking.result()
            if isinstance(outcome, Connected):
                return Submitted(view=self._connected_view(outcome))
            return Submitted(errors=outcome)
        known = replace(opened, name=filled.name, site=filled.site, subdomain=filled.subdomain)
        later = self._show_later(submit, known, checking)
        return Submitted(view=form.connect_modal(known, checking=True), after=later)

    async def _show_later(
        self, submit: Interaction, known: Prefill, checking: "asyncio.Task[Connected | Problems]"
    ) -> None:
        await asyncio.sleep(ACK_LANDS)
        outcome = await checking
        if isinstance(outcome, Connected):
            view, message = self._connected_view(outcome), form.connected_message(outcome.entry)
        else:
            view, message = form.connect_modal(known, problems=outcome), form.not_connected_message(outcome)
        if not await self.modals.update(submit.workspace, submit.view_id, view):
            await self.replies.tell(submit.at(known.channel, known.thread_ts).place, submit.person, message)

    # -- which one is meant -------------------------------------------------------------------------------------

    async def org_chosen(self, click: Interaction) -> After:
        """What was asked for goes on with it; the question goes, so that nobody answers it twice."""
        entry = await self.orgs.named(click.workspace, click.value)
        answered = await self.questions.answered(click) if entry else None
        if entry is None or answered is None:
            return Instead(question_gone())
        self.replies.remember(click, asked_in=answered.interaction.place)
        after = await answered.go_on(entry.id)
        if isinstance(after, Message):
            return Instead(after)
        if isinstance(after, Coroutine):
            self.tasks.spawn(after, "what an organisation was chosen for")
        return Instead(chosen(entry))
