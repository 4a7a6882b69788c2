"""Home and `/bits status` put together."""

from dataclasses import dataclass

from bot.alerts.room import AlertRoom
from bot.cases.room import CaseRoom
from bot.foundation import Foundation
from bot.home.actions import HomeActions
from bot.home.home_tab import HomeReader, HomeTabs
from bot.home.status import HealthReader, StatusCommand
from bot.orgs.repository import OrgRepository
from bot.rules.gatekeeper import RuleGatekeeper
from bot.rules.room import RuleRoom
from bot.slack.commands import Commands
from bot.slack.listeners import Listeners


@dataclass(frozen=True, slots=True)
class HomeRoom:
    tabs: HomeTabs
    status: StatusCommand
    actions: HomeActions

    def register(self, on: Listeners) -> None:
        self.tabs.register(on)
        self.actions.register(on)


def build(
    base: Foundation, orgs: OrgRepository, rules: RuleRoom, cases: CaseRoom, alerts: AlertRoom, commands: Commands
) -> HomeRoom:
    health = HealthReader(base.database)
    reader = HomeReader(
        base.database,
        cases.cases,
        orgs,
        rules.rules,
        rules.permissions,
        rules.budget,
        health,
        RuleGatekeeper(rules.permissions),
    )
    status = StatusCommand(
        rules.permissions, rules.rules, rules.budget, health, rules.which_org, orgs, alerts.cycles, base.replies
    )
    tabs = HomeTabs(base.database, base.workspaces, base.replies, base.tasks, reader, rules.settings_form)
    return HomeRoom(tabs, status, HomeActions(base.modals, cases.forms, commands))
