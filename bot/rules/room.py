"""The room of rules put together: what a place has decided, who may, what it costs, and which organisation serves it."""

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.foundation import Foundation
from bot.orgs.questions import OrgQuestions
from bot.orgs.repository import OrgRepository
from bot.rules.budget import Budget
from bot.rules.case_names import KnownCaseNames
from bot.rules.file import RuleFile, RuleFileProblems, channel_ids, load_rule_file
from bot.rules.first_day import FirstDay
from bot.rules.org_choice import OrgChooser, OrgOfCard, WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.rules.slack import SettingsForm
from bot.slack.clients import SingleWorkspace
from bot.slack.listeners import Listeners

logger = logging.getLogger(__name__)

GUESTS_BUDGET = 25  # starts a day of a workspace that uses the keys of the settings, with OAuth


@dataclass(frozen=True, slots=True)
class RuleRoom:
    rules: RuleRepository
    budget: Budget
    permissions: Permissions
    chooser: OrgChooser
    which_org: WhichOrg
    settings_form: SettingsForm
    first_day: FirstDay

    def register(self, on: Listeners) -> None:
        self.settings_form.register(on)
        self.first_day.register(on)


async def build(
    base: Foundation, orgs: OrgRepository, questions: OrgQuestions, org_of_card: OrgOfCard, case_lists: KnownCaseNames
) -> RuleRoom:
    """Raises RuleFileProblems where the file with channel rules can't be used."""
    rules = await _rules(base, orgs, base.settings.bits_channels_file)
    permissions = Permissions(base.people, rules)
    chooser = OrgChooser(orgs, rules, org_of_card)
    form = SettingsForm(permissions, rules, orgs, base.people, base.modals, base.replies, base.tasks, case_lists)
    return RuleRoom(
        rules=rules,
        budget=Budget(base.database, rules),
        permissions=permissions,
        chooser=chooser,
        which_org=WhichOrg(chooser, questions, base.replies),
        settings_form=form,
        first_day=FirstDay(base.workspaces, rules, permissions, form, base.replies, base.tasks),
    )


async def _rules(base: Foundation, orgs: OrgRepository, path: Path | None) -> RuleRepository:
    usual = partial(_usual_budget, orgs) if base.settings.uses_oauth else None
    if path is None:
        return RuleRepository(base.database, usual_budget=usual)
    single = base.workspaces if isinstance(base.workspaces, SingleWorkspace) else None
    bot_client, home = (await single.bot_client(""), single.home) if single else (None, "")
    file = load_rule_file(path)
    file = file.within(home) if single else file
    await _check_orgs(orgs, file, home)
    ids = await channel_ids(bot_client, file)
    return RuleRepository(base.database, file, home=home, ids=ids, usual_budget=usual)


async def _usual_budget(orgs: OrgRepository, connection: AsyncConnection, workspace: str) -> int | None:
    """Whoever runs the bot pays for those they name, who need not have thought of a limit yet."""
    return GUESTS_BUDGET if await orgs.default_serves_in(connection, workspace) else None


async def _check_orgs(orgs: OrgRepository, file: RuleFile, home: str) -> None:
    named = {(entry.workspace or home, entry.org) for entry in file.channels if entry.org}
    unknown = sorted({org for workspace, org in named if await orgs.named(workspace, org) is None})
    problems = [f"{file.name}: no Datadog organisation {org} is connected." for org in unknown]
    if problems and not orgs.can_connect:
        raise RuleFileProblems(problems)
    for problem in problems:
        logger.warning("%s It can be connected in Slack.", problem)
