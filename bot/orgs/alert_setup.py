"""An organisation's alerts, and what happens to its cases, set up in Datadog from here to come in: what is put there under
which names, looked at again, and taken away.

The names hold the organisation's id, so whatever carries them is ours, also where the answer to a call got lost; people's own
webhooks and rules are left alone.
"""

import json
import logging
import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace

from bot.datadog.case_rules import CaseRules
from bot.datadog.cases import Cases, Project
from bot.datadog.errors import DatadogError
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, or_trouble, trouble_of
from bot.datadog.webhooks import NotificationRule, Webhook, Webhooks
from bot.deadline import within
from bot.orgs import case_setup
from bot.orgs.case_setup import CasesSetUp
from bot.orgs.model import OrgEntry
from bot.orgs.repository import OrgRepository
from bot.orgs.webhook_secrets import WebhookSecrets
from bot.web.datadog_webhook import CASE_CHANGED, TEMPLATE, custom_headers, path_of
from bot.wording import APP, CASE

logger = logging.getLogger(__name__)

SET_UP_WITHIN = 40.0
UNDO_WITHIN = 15.0
PREVIEW_WITHIN = 1.2  # a window has to open three seconds after the click


def webhook_of(org: str, public_url: str) -> Webhook:
    """`org` is an organisation's id."""
    headers = custom_headers(f"${variable_of(org)}")
    return Webhook(f"bits-bot-{org}", f"{public_url}{path_of(org)}", json.dumps(TEMPLATE, indent=2), headers)


def case_webhook_of(org: str, public_url: str) -> Webhook:
    """It holds nothing of the case: what a payload about cases may hold is documented nowhere, and the bot looks anyway."""
    of_alerts = webhook_of(org, public_url)
    return replace(of_alerts, name=f"{of_alerts.name}-cases", payload=json.dumps(CASE_CHANGED))


def variable_of(org: str) -> str:
    """Datadog takes capital letters, digits and underscores only."""
    return f"BITS_BOT_{re.sub(r'[^A-Z0-9]', '_', org.upper())}"


def rule_name(entry: OrgEntry) -> str:
    return f"{APP}: {entry.name}"


@dataclass(frozen=True, slots=True)
class SetUp:
    """How far it came: in order the secret, the webhook, the rule. And then what tells of cases, if that is wanted or was."""

    entry: OrgEntry
    tags: tuple[str, ...]
    done: int = 0
    trouble: Trouble | None = None
    elsewhere: str = ""  # where a webhook of this name sends that another bot has put there
    cases_wanted: bool = False
    cases: CasesSetUp | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """What could not be removed in Datadog, by its name there, and why."""

    left: tuple[str, ...] = ()
    trouble: Trouble | None = None


@dataclass(eq=False)
class AlertSetup:
    orgs: OrgRepository
    secrets: WebhookSecrets
    public_url: str  # where Datadog reaches us; empty where that is not known
    secret_of_settings: str = field(default="", repr=False)  # what opens the way of the settings' own organisation

    async def projects(self, workspace: str, entry: OrgEntry) -> Sequence[Project] | Trouble:
        """Those that would be told to tell of changes to their cases."""
        org = await self.orgs.get(entry.id, workspace)
        found = await or_trouble(org.cases.projects(), PREVIEW_WITHIN) if org is not None else ()
        return found if isinstance(found, Trouble) else case_setup.chosen(found)

    async def set_up(
        self, workspace: str, entry: OrgEntry, tags: Sequence[str], *, cases: bool = False
    ) -> SetUp | None:
        """None where somebody else is at it. Can be repeated: what stands there is changed, never made twice."""
        if not await self.orgs.begin_alert_setup(workspace, entry.id, tags, cases=cases):
            return None
        outcome = SetUp(entry, tuple(tags), cases_wanted=cases)
        try:
            org = await self.orgs.get(entry.id, workspace)
            if org is not None:
                outcome = await self._put(org.webhooks, workspace, outcome)
                outcome = replace(outcome, cases=await self._put_cases(org, outcome))
        finally:
            complete = outcome.done == 3 and outcome.trouble is None
            told = outcome.cases
            gone = not cases and (told is None or told.trouble is None)
            projects = None if gone else told.projects if told else entry.case_projects
            await self.orgs.end_alert_setup(workspace, entry.id, complete=complete, case_projects=projects)
            if outcome.elsewhere:
                await self.orgs.forget_alert_setup(workspace, entry.id)
        return outcome

    async def _put_cases(self, org: ConnectedOrg, wanted: SetUp) -> CasesSetUp | None:
        entry = wanted.entry
        webhook = case_webhook_of(entry.id, self.public_url)
        if wanted.cases_wanted:
            return await case_setup.put(org, webhook) if wanted.done else None  # its header is the secret
        if entry.cases_begun_at is None:
            return None
        steps = self._case_steps(org, entry)
        troubles = [(name, await or_trouble(step, UNDO_WITHIN)) for name, step in steps.items()]
        name, trouble = next(((name, each) for name, each in troubles if each), ("", None))
        return CasesSetUp(entry.case_projects if trouble else (), trouble, name)

    def _case_steps(self, org: ConnectedOrg, entry: OrgEntry) -> dict[str, Awaitable[None]]:
        """By what each removes."""
        name = case_webhook_of(entry.id, self.public_url).name
        return {
            f"the {CASE} projects' rules that send to {name}": case_setup.remove_rules(org, name, entry.case_projects),
            f"the webhook {name}": org.webhooks.remove_webhook(name),
        }

    async def _put(self, webhooks: Webhooks, workspace: str, wanted: SetUp) -> SetUp:
        """The earlier secret opens the door until the new one stands in Datadog, and for a day after that."""
        entry, done = wanted.entry, 0
        webhook = webhook_of(entry.id, self.public_url)
        own = entry.from_settings
        secret = self.secret_of_settings if own else await self.secrets.another(workspace, entry.id)
        if not secret:
            return wanted
        try:
            async with within(SET_UP_WITHIN):
                if own and (elsewhere := await _of_another(webhooks, entry, webhook)):
                    return SetUp(entry, wanted.tags, elsewhere=elsewhere)
                await webhooks.put_secret(variable_of(entry.id), secret)
                if not own:
                    await self.secrets.end_others(entry.id, secret)
                done = 1
                await webhooks.put_webhook(webhook)
                done = 2
                await _put_rule(webhooks, rule_name(entry), wanted.tags, webhook.recipient)
        except (DatadogError, TimeoutError) as error:
            return replace(wanted, done=done, trouble=trouble_of(error))
        return replace(wanted, done=3)

    async def undo(self, workspace: str, entry: OrgEntry) -> Undone:
        org = await self.orgs.get(entry.id, workspace)
        webhook = webhook_of(entry.id, self.public_url)
        rules, of_webhook, variable = self._names(entry)
        if org is None:
            return Undone((rules, of_webhook, variable))
        steps = {} if entry.cases_begun_at is None else self._case_steps(org, entry)
        steps |= {
            rules: _remove_rules(org.webhooks, webhook.recipient),
            of_webhook: org.webhooks.remove_webhook(webhook.name),
            variable: org.webhooks.remove_secret(variable_of(entry.id)),
        }
        left = {name: why for name, step in steps.items() if (why := await or_trouble(step, UNDO_WITHIN))}
        return Undone(tuple(left), next(iter(left.values()), None))

    async def remove(self, workspace: str, entry: OrgEntry) -> Undone:
        """While the organisation stays; what could not be removed is shown as set up in part."""
        undone = await self.undo(workspace, entry)
        if undone.left:
            told = None if entry.cases_begun_at is None else entry.case_projects
            await self.orgs.end_alert_setup(workspace, entry.id, complete=False, case_projects=told)
        else:
            await self.orgs.forget_alert_setup(workspace, entry.id)
        return undone

    async def leave(self, workspace: str) -> None:
        """For a workspace that has removed the bot, while its keys are still here; they don't wait for a Datadog that is away."""
        entries = await self.orgs.of_workspace(workspace)
        set_up = [each for each in entries if each.alerts_begun_at is not None and not each.from_settings]
        for entry in set_up:
            undone = await or_trouble(self.undo(workspace, entry), UNDO_WITHIN)
            if isinstance(undone, Trouble) or undone.left:
                names = self._names(entry) if isinstance(undone, Trouble) else undone.left
                told = "%s: its workspace has left, and this was not removed in Datadog: %s. It opens nothing here any more."
                logger.warning(told, entry.id, ", ".join(names))

    def _names(self, entry: OrgEntry) -> tuple[str, str, str]:
        """What may stand in Datadog."""
        webhook = webhook_of(entry.id, self.public_url)
        return f"the rules that send to {webhook.recipient}", f"the webhook {webhook.name}", variable_of(entry.id)


async def _of_another(webhooks: Webhooks, entry: OrgEntry, ours: Webhook) -> str:
    """Where it sends, if another bot has put it there: each calls the organisation of its settings `default`."""
    stands = await webhooks.webhook(ours.name) if entry.alerts_begun_at is None else None
    return stands.url if stands and stands.url != ours.url else ""


async def _put_rule(webhooks: Webhooks, name: str, tags: Sequence[str], recipient: str) -> None:
    """Without tags there is none."""
    ours = _ours(await webhooks.rules_to(recipient), recipient)
    if not tags:
        await _remove_rules(webhooks, recipient)
    elif not ours:
        await webhooks.make_rule(name, tags, recipient)
    elif set(ours[0].tags) != set(tags):
        await webhooks.change_rule(ours[0].id, name, tags, recipient)


async def _remove_rules(webhooks: Webhooks, recipient: str) -> None:
    for rule in _ours(await webhooks.rules_to(recipient), recipient):
        await webhooks.remove_rule(rule.id)


def _ours(rules: Sequence[NotificationRule], recipient: str) -> list[NotificationRule]:
    """One that people made, or changed, sends elsewhere as well."""
    return [rule for rule in rules if rule.recipients == (recipient,)]


async def look_over(webhooks: Webhooks, entry: OrgEntry, public_url: str) -> list[str]:
    """What is not as it was set up, each as the rest of a sentence; raises DatadogError."""
    wanted, variable = webhook_of(entry.id, public_url), variable_of(entry.id)
    wrong = await _look_over_webhook(webhooks, wanted, variable, public_url)
    if not await webhooks.has_secret(variable):
        wrong.append(f"the variable {variable} is gone, or shows its value")
    if entry.alerts_tags and not await webhooks.rules_to(wanted.recipient):
        wrong.append(f"no notification rule sends to {wanted.recipient}")
    return wrong


async def look_over_cases(
    webhooks: Webhooks, cases: Cases, rules: CaseRules, entry: OrgEntry, public_url: str
) -> list[str]:
    """The same of what tells of changes to cases."""
    wanted = case_webhook_of(entry.id, public_url)
    wrong = await _look_over_webhook(webhooks, wanted, variable_of(entry.id), public_url)
    if lacking := await case_setup.without_rule(cases, rules, wanted.name):
        wrong.append(f"no notification rule sends to {wanted.name} in {', '.join(lacking)}")
    return wrong


async def _look_over_webhook(webhooks: Webhooks, wanted: Webhook, variable: str, public_url: str) -> list[str]:
    stands = await webhooks.webhook(wanted.name)
    wrong = [] if stands else [f"the webhook {wanted.name} is gone"]
    if stands and public_url and stands.url != wanted.url:
        wrong.append(f"the webhook {wanted.name} sends elsewhere than to {wanted.url}")
    if stands and _parsed(stands.headers) != _parsed(wanted.headers):
        wrong.append(f"the webhook {wanted.name} does not send ${variable} as its header")
    if stands and _parsed(stands.payload) != _parsed(wanted.payload):
        wrong.append(f"the webhook {wanted.name} has another payload than this version's")
    return wrong


def _parsed(template: str) -> object:
    """However Datadog lays it out."""
    try:
        read: object = json.loads(template)
    except ValueError:
        return template
    return read
