"""An organisation's case projects made to tell of changes: one webhook, and in each project a notification rule that names it.

Can be repeated: what stands there is looked at first, never made twice. Who decides on names and asks for this is `alert_setup`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.datadog.case_rules import CaseRules
from bot.datadog.cases import Cases, Project
from bot.datadog.errors import DatadogError, RateLimited
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, trouble_of
from bot.datadog.webhooks import Webhook
from bot.deadline import within

SET_UP_WITHIN = 30.0
MOST_PROJECTS = 25


@dataclass(frozen=True, slots=True)
class CasesSetUp:
    """Which projects tell of changes now, and what kept others from it."""

    projects: tuple[str, ...] = ()  # their ids
    trouble: Trouble | None = None
    at: str = ""  # the name of what could not be put in place

    def failed(self, error: DatadogError | TimeoutError, at: str) -> "CasesSetUp":
        return self if self.trouble else replace(self, trouble=trouble_of(error), at=at)


def chosen(projects: Sequence[Project]) -> list[Project]:
    """Those that get a rule: the same ones each time."""
    return sorted(projects, key=lambda project: project.key)[:MOST_PROJECTS]


async def put(org: ConnectedOrg, webhook: Webhook) -> CasesSetUp:
    outcome, at = CasesSetUp(), webhook.name
    try:
        async with within(SET_UP_WITHIN):
            await org.webhooks.put_webhook(webhook)
            at = "the list of projects"
            for project in chosen(await org.cases.projects()):
                at = project.name
                try:
                    await _put_rule(org.case_rules, project.id, webhook.name)
                except RateLimited:
                    raise
                except DatadogError as error:  # another project may take it
                    outcome = outcome.failed(error, at)
                else:
                    outcome = replace(outcome, projects=(*outcome.projects, project.id))
    except (DatadogError, TimeoutError) as error:
        return outcome.failed(error, at)
    return outcome


async def _put_rule(rules: CaseRules, project_id: str, webhook: str) -> None:
    ours = await rules.to(project_id, webhook)
    if not ours:
        await rules.make(project_id, webhook)
    elif not ours[0].works:
        await rules.mend(project_id, ours[0].id, webhook)


async def remove_rules(org: ConnectedOrg, webhook: str, known: Sequence[str]) -> None:
    """Also in projects of which we do not know that one was made: an answer may have got lost."""
    listed = [project.id for project in chosen(await org.cases.projects())]
    for project_id in dict.fromkeys((*known, *listed)):
        for rule in await org.case_rules.to(project_id, webhook):
            await org.case_rules.remove(project_id, rule.id)


async def without_rule(cases: Cases, rules: CaseRules, webhook: str) -> list[str]:
    """The names of projects that do not tell of changes, though they should."""
    return [
        project.name
        for project in chosen(await cases.projects())
        if not any(rule.works for rule in await rules.to(project.id, webhook))
    ]
