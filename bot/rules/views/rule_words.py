"""A channel's rules in words, for people who only read them."""

from bot.rules.model import AlertFilter, ChannelRules, Starters, WorkspaceRules
from bot.rules.repository import DEFAULT_ORG
from bot.slack.text import code, escape, mention, one_line
from bot.wording import DATADOG, INVESTIGATIONS, counted


def rule_lines(rules: ChannelRules) -> list[str]:
    """mrkdwn, one rule a line."""
    return [
        *([f"{DATADOG} organisation: {code(rules.org, 64)}"] if rules.org not in {"", DEFAULT_ORG} else []),
        f"Webhook alerts: {_route(rules)}",
        f"Buttons under {DATADOG}'s own messages: {_on(rules.nudge)}",
        f"Started by itself: {_auto(rules)}",
        f"Budget: {_per_day(rules.budget_per_day)}",
        f"May start: {starters_words(rules.starters)}",
        *([f"New cases: {_case(rules)}"] if rules.case_project or rules.case_type else []),
        f"Conclusions also in the channel: {_on(rules.broadcast)}",
    ]


def workspace_lines(rules: WorkspaceRules) -> list[str]:
    share = "" if rules.automatic_share is None else f", of which at most {rules.automatic_share} by themselves"
    admins = "" if rules.admins_may_exceed else "; admins may not exceed it"
    return [f"Whole workspace: {_per_day(rules.budget_per_day)}{share}{admins}"]


def filter_words(alerts: AlertFilter) -> str:
    parts = [
        ", ".join(code(tag, 200) for tag in sorted(alerts.tags)),
        ", ".join(f"P{priority}" for priority in sorted(alerts.priorities)),
        f"monitors {', '.join(map(str, sorted(alerts.monitors)))}" if alerts.monitors else "",
        ", ".join(sorted(alerts.transitions)),
    ]
    return " and ".join(part for part in parts if part) or "every alert"


def starters_words(starters: Starters) -> str:
    named = [*(mention(user) for user in starters.users), *(f"<!subteam^{group}>" for group in starters.groups)]
    who = "everyone in the workspace" if starters.everyone else ", ".join(["workspace admins", *named])
    more = [
        word
        for word, given in (("guests", starters.guests), ("people of other companies", starters.outsiders))
        if given
    ]
    return ", ".join([who, *more])


def _route(rules: ChannelRules) -> str:
    default = "those nobody else takes" if rules.is_default else ""
    routed = filter_words(rules.route) if rules.route is not None else ""
    return "; and ".join(part for part in (routed, default) if part) or "none"


def _auto(rules: ChannelRules) -> str:
    if rules.auto is None:
        return "never"
    pause = f"once in {counted(rules.cooldown_minutes, 'minute')} for each monitor and group"
    return f"{filter_words(rules.auto)}, {pause}" if rules.cooldown_minutes else filter_words(rules.auto)


def _case(rules: ChannelRules) -> str:
    parts = (("project", rules.case_project), ("type", rules.case_type))
    return ", ".join(f"{name} {escape(one_line(value, 64))}" for name, value in parts if value)


def _per_day(budget: int | None) -> str:
    return f"no limit of {INVESTIGATIONS}" if budget is None else f"{counted(budget, 'start')} a day"


def _on(value: bool) -> str:
    return "yes" if value else "no"
