"""What a submitted settings form says: read back into rules, or what is wrong with it, by field."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.rules.case_fields import read_case_rule
from bot.rules.case_names import read_choice
from bot.rules.model import (
    HIGHEST_BUDGET,
    LONGEST_COOLDOWN,
    TRANSITIONS,
    USUAL_COOLDOWN,
    AlertFilter,
    ChannelRules,
    WorkspaceRules,
    app_id,
    is_group_id,
    share_too_big,
    tag,
)
from bot.rules.repository import Draft
from bot.rules.settings_view import (
    AUTO,
    CASE_PROJECT,
    CASE_TYPE,
    GROUPS,
    ORG,
    PRIORITIES,
    ROUTE,
    WHEN,
    WHICH,
    WHO,
    Options,
    org_chosen,
)
from bot.rules.weekly import weekly_here
from bot.slack.forms import FormState

_LARGEST_VERSION = 2**31


@dataclass(frozen=True, slots=True)
class OpenedSettings:
    """What a submitted form says about itself; it comes back from a client and is only trusted after a look."""

    channel: str
    channel_version: int
    workspace_version: int


class _SubmittedSettings:
    """A submitted form; what is wrong with it is collected by field, in a sentence each."""

    def __init__(self, form: FormState) -> None:
        self.form = form
        self.errors: dict[str, str] = {}

    def number(self, name: str, *, most: int) -> int | None:
        written = self.form.text(name)
        if not written:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", written) or int(written) > most:
            self.errors[name] = f"Write a whole number from 0 to {most:,}, or nothing."
            return None
        return int(written)

    def choice(self, name: str, options: Options) -> str:
        value = self.form.choice(name)
        return value if value in options else next(iter(options))

    def ticked(self, name: str) -> frozenset[str]:
        return frozenset(self.form.choices(name))

    def case_name(self, name: str, stored: str) -> str:
        return read_choice(self.form.choice(name), stored) if self.form.has(name) else stored

    def weekly(self, name: str) -> str:
        written = self.form.text(name)
        try:
            return weekly_here(written) if written else ""
        except ValueError as error:
            self.errors[name] = f"{error}."
            return ""

    def tags(self, name: str) -> frozenset[str]:
        return frozenset(self.each(name, tag))

    def monitors(self, name: str) -> frozenset[int]:
        return frozenset(map(int, self.each(name, _monitor_id)))

    def each(self, name: str, check: Callable[[str], str]) -> list[str]:
        try:
            return [check(word) for word in re.split(r"[\s,]+", self.form.text(name)) if word]
        except ValueError as error:
            self.errors[name] = f"{error}."
            return []


def _monitor_id(word: str) -> str:
    found = re.search(r"(?:\A|/monitors/)([1-9][0-9]{0,17})(?:\Z|[?#/])", word)
    if found is None:
        raise ValueError(f"{word[:60]} is no monitor; write its id or paste its link")
    return found[1]


def read_opened(private_metadata: str) -> OpenedSettings | None:
    try:
        channel, *versions = json.loads(private_metadata)
        channel_version, workspace_version = (int(each) for each in versions)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    is_ours = 0 <= channel_version < _LARGEST_VERSION and 0 <= workspace_version < _LARGEST_VERSION
    return OpenedSettings(str(channel), channel_version, workspace_version) if is_ours else None


def read_settings(form: FormState, draft: Draft, *, admin: bool) -> Draft | dict[str, str]:
    """The rules as they are to be; or what is wrong, by block id. Only an admin's form decides about money and people."""
    filled = _SubmittedSettings(form)
    channel, workspace = draft.channel, draft.workspace
    if not channel.from_file:
        channel = _read_channel(filled, channel)
        channel = _read_admin(filled, channel) if admin else channel
    if admin and not workspace.from_file and form.has("workspace_budget"):
        workspace = _read_workspace(filled, workspace)
    return filled.errors or replace(draft, channel=channel, workspace=workspace)


def _read_channel(filled: _SubmittedSettings, rules: ChannelRules) -> ChannelRules:
    extras = filled.ticked("extras")
    cooldown = filled.number("cooldown", most=LONGEST_COOLDOWN)
    if cooldown is None:
        cooldown = USUAL_COOLDOWN if filled.form.has("cooldown") else rules.cooldown_minutes
    return replace(
        rules,
        org=org_chosen(filled.form) if filled.form.has(ORG) else rules.org,
        route=_read_filter(filled, ROUTE, WHICH),
        is_default="default" in extras,
        nudge="nudge" in extras,
        auto=_read_filter(filled, AUTO, WHEN),
        cooldown_minutes=cooldown,
        case=replace(
            read_case_rule(filled.form, rules.case, filled.errors),
            project=filled.case_name(CASE_PROJECT, rules.case.project),
            type=filled.case_name(CASE_TYPE, rules.case.type),
            comments="case_comments" in extras,
        ),
        broadcast="broadcast" in extras,
        digest=filled.weekly("digest") if filled.form.has("digest") else rules.digest,
    )


def _read_filter(filled: _SubmittedSettings, name: str, modes: Mapping[str, str]) -> AlertFilter | None:
    mode = filled.choice(name, modes)
    alerts = AlertFilter(
        filled.tags(f"{name}_tags"),
        frozenset(int(one) for one in filled.ticked(f"{name}_priorities") if one in PRIORITIES),
        filled.monitors(f"{name}_monitors"),
        filled.ticked(f"{name}_transitions") & frozenset(TRANSITIONS),
    )
    if mode == "some" and alerts == AlertFilter() and not filled.errors.keys() & {f"{name}_tags", f"{name}_monitors"}:
        filled.errors[name] = f"Say below which of them, or choose “{modes['all']}”."
    return {"some": alerts, "all": AlertFilter()}.get(mode)


def _read_admin(filled: _SubmittedSettings, rules: ChannelRules) -> ChannelRules:
    starters = replace(
        rules.starters,
        everyone=filled.choice("starters", WHO) == "everyone",
        groups=tuple(sorted(one for one in filled.ticked(GROUPS) if is_group_id(one))),
        users=filled.form.people("starter_people"),
    )
    if not filled.form.has("budget"):  # the rest was not opened
        return replace(rules, starters=starters)
    others = filled.ticked("others")
    starters = replace(starters, guests="guests" in others, outsiders="outsiders" in others)
    apps = tuple(dict.fromkeys(filled.each("datadog_apps", app_id)))
    budget = filled.number("budget", most=HIGHEST_BUDGET)
    return replace(rules, starters=starters, datadog_apps=apps, budget_per_day=budget)


def _read_workspace(filled: _SubmittedSettings, rules: WorkspaceRules) -> WorkspaceRules:
    budget = filled.number("workspace_budget", most=HIGHEST_BUDGET)
    share = filled.number("automatic_share", most=HIGHEST_BUDGET)
    if share_too_big(budget, share):
        filled.errors["automatic_share"] = f"This is a part of the {budget} a day, so it can't be more."
    return replace(rules, budget_per_day=budget, automatic_share=share, admins_may_exceed=bool(filled.ticked("exceed")))
