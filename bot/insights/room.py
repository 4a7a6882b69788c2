"""The room of insights put together: its listeners and command, what it posts, and its worker."""

from dataclasses import dataclass

from bot.cases.room import CaseRoom
from bot.foundation import Foundation
from bot.insights.attach_form import AttachFormStore
from bot.insights.attach_jobs import AttachJobs
from bot.insights.attach_worker import AttachWorker
from bot.insights.opening import AttachOpening
from bot.insights.picker import CasePicker
from bot.insights.slack import AttachButtons, AttachCommands, AttachFormListeners
from bot.insights.windows import AttachedLines, AttachWindows
from bot.investigations.room import InvestigationRoom
from bot.orgs.repository import OrgRepository
from bot.rules.room import RuleRoom
from bot.slack.listeners import Listeners


@dataclass(frozen=True, slots=True)
class InsightRoom:
    commands: AttachCommands
    lines: AttachedLines
    worker: AttachWorker
    buttons: AttachButtons
    form_listeners: AttachFormListeners

    def register(self, on: Listeners) -> None:
        self.buttons.register(on)
        self.form_listeners.register(on)


def build(
    base: Foundation, orgs: OrgRepository, rules: RuleRoom, investigations: InvestigationRoom, cases: CaseRoom
) -> InsightRoom:
    forms, jobs = AttachFormStore(base.database), AttachJobs(base.database, cases.cases)
    windows = AttachWindows(forms, jobs, orgs, base.modals, base.replies)
    opening = AttachOpening(
        forms, windows, cases.cases, orgs, rules.which_org, rules.permissions, base.modals, base.replies
    )
    picker = CasePicker(cases.cases, orgs, base.tasks)
    return InsightRoom(
        commands=AttachCommands(opening),
        lines=AttachedLines(jobs, orgs, base.replies),
        worker=AttachWorker(base.database, base.timing, jobs, forms, orgs, windows, base.people, owner=base.owner),
        buttons=AttachButtons(opening, investigations.repository, cases.requests, investigations.threads),
        form_listeners=AttachFormListeners(opening, forms, jobs, windows, picker),
    )
