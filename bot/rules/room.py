"""The room of rules put together: what a place has decided, who may, what it costs, and which organisation serves it."""

from dataclasses import dataclass

from bot.foundation import Foundation
from bot.orgs.questions import OrgQuestions
from bot.orgs.repository import OrgRepository
from bot.rules.budget import Budget
from bot.rules.org_choice import OrgChooser, OrgOfCard, WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.rules.slack import SettingsForm


@dataclass(frozen=True, slots=True)
class RuleRoom:
    rules: RuleRepository
    budget: Budget
    permissions: Permissions
    chooser: OrgChooser
    which_org: WhichOrg
    settings_form: SettingsForm


def build(
    base: Foundation, orgs: OrgRepository, questions: OrgQuestions, rules: RuleRepository, org_of_card: OrgOfCard
) -> RuleRoom:
    permissions = Permissions(base.people, rules)
    chooser = OrgChooser(base.database, orgs, rules, org_of_card)
    return RuleRoom(
        rules=rules,
        budget=Budget(base.database, rules),
        permissions=permissions,
        chooser=chooser,
        which_org=WhichOrg(chooser, questions, base.replies),
        settings_form=SettingsForm(permissions, rules, orgs, base.people, base.modals, base.replies),
    )
