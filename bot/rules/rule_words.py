"""A channel's and a workspace's rules in words, for those who only read them."""

from bot.orgs.model import DEFAULT
from bot.rules.case_fields import case_rule_lines
from bot.rules.model import AlertFilter, ChannelRules, Starters, WorkspaceRules
from bot.rules.no_start import named_starters
from bot.slack.text import code, escape, one_line
from bot.wording import DATADOG, INVESTIGATIONS, counted


def rule_lines(rules: ChannelRules) -> list[str]:
    """mrkdwn, one rule a line."""
    return [
        *([f"{DATADOG} organisation: {code(rules.org, 64)}"] if rules.org not in {"", DEFAULT} else []),
        f"Webhook alerts: {_route(rules)}",
        f"Buttons under {DATADOG}'s own messages: {_on(rules.nudge)}",
        f"Starts automatically: {_auto(rules)}",
        *(
            [f"{DATADOG}'s apps besides the known: {', '.join(map(code, rules.datadog_apps))}"]
            if rules.datadog_apps
            else []
        ),
        f"Budget: {_per_day(rules.budget_per_day)}",
        f"May start: {_starters(rules.starters)}",
        *([f"New cases: {_case(rules)}"] if rules.case.project or rules.case.type else []),
        *case_rule_lines(rules.case),
        f"Conclusions also in the channel: {_on(rules.broadcast)}",
        f"Weekly digest: {code(rules.digest, 100) if rules.digest else 'none'}",
        *([f"Comments made in {DATADOG} come under the card of their case"] if rules.case.comments else []),
    ]


def workspace_lines(rules: WorkspaceRules) -> list[str]:
    share = "" if rules.automatic_share is None else f", of which at most {rules.automatic_share} automatically"
    admins = "" if rules.admins_may_exceed else "; admins may not exceed it"
    return [f"Whole workspace: {_per_day(rules.budget_per_day)}{share}{admins}"]


def _alerts(alerts: AlertFilter) -> str:
    parts = [
        ", ".join(code(tag, 200) for tag in sorted(alerts.tags)),
        ", ".join(f"P{priority}" for priority in sorted(alerts.priorities)),
        f"monitors {', '.join(map(str, sorted(alerts.monitors)))}" if alerts.monitors else "",
        ", ".join(sorted(alerts.transitions)),
    ]
    return " and ".join(part for part in parts if part) or "every alert"


def _starters(starters: Starters) -> str:
    named = ["workspace admins", *named_starters(starters)]
    others = {"guests": starters.guests, "people of other companies": starters.outsiders}
    who = ["everyone in the workspace"] if starters.everyone else named
    return ", ".join([*who, *(words for words, may in others.items() if may)])


def _route(rules: ChannelRules) -> str:
    default = "those nobody else takes" if rules.is_default else ""
    routed = _alerts(rules.route) if rules.route is not None else ""
    return "; and ".join(part for part in (routed, default) if part) or "none"


def _auto(rules: ChannelRules) -> str:
    if rules.auto is None:
        return "never"
    pause = f"once in {counted(rules.cooldown_minutes, 'minute')} for each monitor and group"
    return f"{_alerts(rules.auto)}, {pause}" if rules.cooldown_minutes else _alerts(rules.auto)


def _case(rules: ChannelRules) -> str:
    parts = (("project", rules.case.project), ("type", rules.case.type))
    return ", ".join(f"{name} {escape(one_line(value, 64))}" for name, value in parts if value)


def _per_day(budget: int | None) -> str:
    return f"no limit of {INVESTIGATIONS}" if budget is None else f"{counted(budget, 'start')} a day"


def _on(value: bool) -> str:
    return "yes" if value else "no"
