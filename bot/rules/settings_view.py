"""A channel's rules as people see them: in words for those who only read, and as the form behind `/bits settings`.

The form is drawn from rules and read back into rules; what stands in the rules file is only shown.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from bot.orgs.model import DEFAULT
from bot.rules.model import (
    HIGHEST_BUDGET,
    LONGEST_COOLDOWN,
    TRANSITIONS,
    USUAL_COOLDOWN,
    AlertFilter,
    CaseDefaults,
    ChannelRules,
    Starters,
    WorkspaceRules,
    app_id,
    is_group_id,
    share_too_big,
    tag,
)
from bot.rules.no_start import named_starters
from bot.rules.repository import Draft
from bot.rules.weekly import HOW, weekly_here
from bot.slack.blocks import Block, Message, actions, button, context, divider, header, option, plain, section
from bot.slack.forms import FormState, checkboxes, form_field, modal, multi_select, select, text_input
from bot.slack.text import channel_mention, code, escape, one_line
from bot.wording import APP, CASES, DATADOG, INVESTIGATIONS, counted

CALLBACK = "settings"
_LARGEST_VERSION = 2**31
GROUPS = "starter_groups"

_Options = Mapping[str, str]  # value to words
_TITLE = "Channel settings"
ROUTE, AUTO, MORE = "route", "auto", "settings:more"
_WHICH = {"none": "None come here", "some": "Some of them …", "all": "All of them"}
_WHEN = {"never": "Never", "some": "For some alerts …", "all": "For every alert"}
_WHO = {"everyone": "Everyone in the workspace", "named": "Only admins and those named below"}
_PRIORITIES = {str(number): f"P{number}" for number in range(1, 6)}
_TRANSITIONS = {word: word for word in TRANSITIONS}
_OTHERS = {"guests": "Guests", "outsiders": "People of other companies, in shared channels"}
_EXTRAS = {
    "nudge": f"Investigate buttons under {DATADOG}'s own alerts",
    "default": "Alerts that no other channel takes",
    "broadcast": "Conclusions as a message in the channel, too",
    "case_comments": f"Comments made in {DATADOG} as replies under the card of their case",
}
_USUAL_ORG = "-"
_TICK = "yes"
_NO_LIMIT = "Empty: no limit."


@dataclass(frozen=True, slots=True)
class OpenedSettings:
    """What a submitted form says about itself; it comes back from a client and is only trusted after a look."""

    channel: str
    channel_version: int
    workspace_version: int


# -- in words -------------------------------------------------------------------------------------------------------


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


# -- the form --------------------------------------------------------------------------------------------------------


def loading_modal() -> Block:
    return modal(_TITLE, [section("Looking up the rules of this channel…")], callback_id=CALLBACK)


def closed_modal(message: Message) -> Block:
    """For whoever may not see the form."""
    return modal(_TITLE, message.blocks, callback_id=CALLBACK)


def readable_modal(draft: Draft, refusal: Message) -> Block:
    """For whoever may see the rules and not change them."""
    rules = draft.channel
    lines = "\n".join(f"• {line}" for line in [*rule_lines(rules), *workspace_lines(draft.workspace)])
    blocks = [section(f"Rules for {channel_mention(rules.channel)}"), section(lines), *refusal.blocks]
    return modal(_TITLE, blocks, callback_id=CALLBACK)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is open in the form: filters by what was chosen above them, the rest by the button."""

    route: str = ""
    auto: str = ""
    more: bool = False

    @classmethod
    def of(cls, form: FormState) -> Self:
        return cls(form.choice(ROUTE), form.choice(AUTO), form.has("budget") or form.has("workspace_budget"))


def settings_modal(
    draft: Draft,
    *,
    admin: bool,
    file_name: str,
    handles: Mapping[str, str],
    orgs: Mapping[str, str] | None = None,
    shown: Shown = Shown(),
) -> Block:
    """`handles` are those of user groups, by id; `orgs` the names of the connected organisations, by what rules call them."""
    rules = draft.channel
    blocks = [section(f"Rules for {channel_mention(rules.channel)}")]
    if rules.from_file:
        blocks += _as_written(rule_lines(rules), file_name)
    else:
        blocks += _channel_fields(rules, orgs or {}, shown)
        blocks += _admin_fields(rules, handles) if admin else [context("Who may start is for workspace admins to set.")]
    if admin and (shown.more or rules.from_file):
        blocks += [] if rules.from_file else _more_fields(rules)
        blocks += _workspace_blocks(draft.workspace, file_name)
    elif admin:
        blocks.append(actions(button("Budgets and more", MORE)))
    told = [rules.channel, draft.channel_version, draft.workspace_version]
    submit = "Save" if any(block["type"] == "input" for block in blocks) else ""
    return modal(_TITLE, blocks, callback_id=CALLBACK, metadata=json.dumps(told), submit=submit)


def _as_written(lines: list[str], file_name: str) -> list[Block]:
    where = f"They stand in the rules file {code(file_name, 100)}, which wins: change them there."
    return [context(where), section("\n".join(f"• {line}" for line in lines))]


def _channel_fields(rules: ChannelRules, orgs: Mapping[str, str], shown: Shown) -> list[Block]:
    route, auto = shown.route or _mode(rules.route, "none"), shown.auto or _mode(rules.auto, "never")
    extras = [name for name, on in _extras(rules).items() if on]
    return [
        _select_field(ROUTE, f"Alerts from {DATADOG}'s webhook", _WHICH, route, sends_changes=True),
        *(_filter_fields(ROUTE, rules.route) if route == "some" else []),
        _boxes_field("extras", "Also in this channel", _EXTRAS, extras),
        *_org_field(rules.org, orgs),
        _select_field(AUTO, f"Start {INVESTIGATIONS} automatically", _WHEN, auto, sends_changes=True),
        *(_filter_fields(AUTO, rules.auto) if auto == "some" else []),
        *(_cooldown_field(rules) if auto != "never" else []),
        _text_field("case_project", f"Project of new {CASES}", rules.case.project, hint="Its key or id.", limit=64),
        _text_field("case_type", f"Type of new {CASES}", rules.case.type, limit=64),
    ]


def _extras(rules: ChannelRules) -> dict[str, bool]:
    named = {"nudge": rules.nudge, "default": rules.is_default, "broadcast": rules.broadcast}
    return {**named, "case_comments": rules.case.comments}


def _org_field(org: str, orgs: Mapping[str, str]) -> list[Block]:
    """Where there is a choice."""
    offered = {_USUAL_ORG: "The default one"} | {name: words for name, words in orgs.items() if name}
    if org and org not in offered:
        offered[org] = org
    if len(offered) <= 2 and not org:
        return []
    return [_select_field("org", f"{DATADOG} organisation", offered, org or _USUAL_ORG)]


def _cooldown_field(rules: ChannelRules) -> list[Block]:
    label = "Minutes before the same monitor and group again"
    return [_number_field("cooldown", label, rules.cooldown_minutes, most=LONGEST_COOLDOWN, hint="")]


def _filter_fields(name: str, alerts: AlertFilter | None) -> list[Block]:
    known = alerts or AlertFilter()
    tags = " ".join(sorted(known.tags))
    monitors = " ".join(map(str, sorted(known.monitors)))
    priorities, transitions = set(map(str, known.priorities)), known.transitions
    return [
        _text_field(f"{name}_tags", "With all these tags", tags, hint="Separated by spaces: team:core env:prod"),
        _choices_field(f"{name}_priorities", "With one of these priorities", _PRIORITIES, priorities),
        _text_field(f"{name}_monitors", "Of one of these monitors", monitors, hint="Ids or links."),
        _choices_field(f"{name}_transitions", "In one of these states", _TRANSITIONS, transitions),
    ]


def _admin_fields(rules: ChannelRules, handles: Mapping[str, str]) -> list[Block]:
    starters = rules.starters
    return [
        divider(),
        _select_field("starters", "Who may start", _WHO, "everyone" if starters.everyone else "named"),
        _people_field(
            "starter_people",
            "Named people",
            starters.users,
            hint="They may also change this form, see the audit and go over the budget.",
        ),
        _groups_field("Named user groups", starters.groups, handles, hint="The same for all members."),
    ]


def _more_fields(rules: ChannelRules) -> list[Block]:
    others = [name for name in _OTHERS if getattr(rules.starters, name)]
    return [
        _boxes_field("others", "May start, too", _OTHERS, others),
        _number_field(
            "budget", "Starts a day in this channel", rules.budget_per_day, most=HIGHEST_BUDGET, hint=_NO_LIMIT
        ),
        _text_field(
            "digest", "Weekly digest at", rules.digest, hint=f"When you hand over; {HOW}. Empty: none.", limit=100
        ),
        _text_field(
            "datadog_apps",
            f"Apps whose messages count as {DATADOG}'s",
            " ".join(rules.datadog_apps),
            hint=f"Ids (A…) besides those {APP} knows, for buttons and automatic starts. An app's page shows its id.",
        ),
    ]


def _workspace_blocks(rules: WorkspaceRules, file_name: str) -> list[Block]:
    title = [divider(), header("The whole workspace")]
    if rules.from_file:
        return [*title, *_as_written(workspace_lines(rules), file_name)]
    return [
        *title,
        _number_field(
            "workspace_budget",
            "Starts a day in all channels",
            rules.budget_per_day,
            most=HIGHEST_BUDGET,
            hint=_NO_LIMIT,
        ),
        _number_field(
            "automatic_share",
            "Of those, at most automatically",
            rules.automatic_share,
            most=HIGHEST_BUDGET,
            hint="Empty: as long as the budget lasts.",
        ),
        _tick_field("exceed", "Over budget", "Admins may start all the same", ticked=rules.admins_may_exceed),
    ]


def _mode(alerts: AlertFilter | None, none: str) -> str:
    if alerts is None:
        return none
    return "all" if alerts == AlertFilter() else "some"


# -- its fields -----------------------------------------------------------------------------------------------------


def _text_field(name: str, label: str, value: str, *, hint: str = "", limit: int = 1_000) -> Block:
    return form_field(label, text_input(name, value, limit=limit), hint=hint, optional=True)


def _number_field(name: str, label: str, value: int | None, *, most: int, hint: str) -> Block:
    element: Block = {"type": "number_input", "action_id": name, "is_decimal_allowed": False}
    element |= {"min_value": "0", "max_value": str(most)}
    element |= {} if value is None else {"initial_value": str(value)}
    return form_field(label, element, hint=hint, optional=True)


def _select_field(
    name: str, label: str, options: _Options, chosen: str, *, hint: str = "", sends_changes: bool = False
) -> Block:
    return form_field(label, select(name, _listed(options), chosen), hint=hint, sends_changes=sends_changes)


def _choices_field(name: str, label: str, options: _Options, chosen: Iterable[str]) -> Block:
    element = multi_select(name, _listed(options), chosen) | {"placeholder": plain("Any")}
    return form_field(label, element, optional=True)


def _boxes_field(name: str, label: str, options: _Options, ticked: Iterable[str]) -> Block:
    return form_field(label, checkboxes(name, _listed(options), ticked), optional=True)


def _tick_field(name: str, label: str, words: str, *, ticked: bool) -> Block:
    return _boxes_field(name, label, {_TICK: words}, [_TICK] if ticked else [])


def _listed(options: _Options) -> list[Block]:
    return [option(words, value) for value, words in options.items()]


def _people_field(name: str, label: str, people: tuple[str, ...], *, hint: str) -> Block:
    element: Block = {"type": "multi_users_select", "action_id": name}
    return form_field(
        label, {**element, "initial_users": list(people)} if people else element, hint=hint, optional=True
    )


def _groups_field(label: str, groups: tuple[str, ...], handles: Mapping[str, str], *, hint: str) -> Block:
    element: Block = {"type": "multi_external_select", "action_id": GROUPS, "min_query_length": 0}
    chosen = [group_option(group, handles.get(group, "")) for group in groups]
    return form_field(label, {**element, "initial_options": chosen} if chosen else element, hint=hint, optional=True)


def group_option(group: str, handle: str) -> Block:
    return option(f"@{handle}" if handle else group, group)


# -- reading --------------------------------------------------------------------------------------------------------


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

    def choice(self, name: str, options: _Options) -> str:
        value = self.form.choice(name)
        return value if value in options else next(iter(options))

    def ticked(self, name: str) -> frozenset[str]:
        return frozenset(self.form.choices(name))

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
    org = filled.form.choice("org")
    return replace(
        rules,
        org=(org.replace(_USUAL_ORG, "") if org == _USUAL_ORG else org) if filled.form.has("org") else rules.org,
        route=_read_filter(filled, ROUTE, _WHICH),
        is_default="default" in extras,
        nudge="nudge" in extras,
        auto=_read_filter(filled, AUTO, _WHEN),
        cooldown_minutes=cooldown,
        case=CaseDefaults(
            filled.form.text("case_project"), filled.form.text("case_type"), comments="case_comments" in extras
        ),
        broadcast="broadcast" in extras,
        digest=filled.weekly("digest") if filled.form.has("digest") else rules.digest,
    )


def _read_filter(filled: _SubmittedSettings, name: str, modes: Mapping[str, str]) -> AlertFilter | None:
    mode = filled.choice(name, modes)
    alerts = AlertFilter(
        filled.tags(f"{name}_tags"),
        frozenset(int(one) for one in filled.ticked(f"{name}_priorities") if one in _PRIORITIES),
        filled.monitors(f"{name}_monitors"),
        filled.ticked(f"{name}_transitions") & frozenset(TRANSITIONS),
    )
    if mode == "some" and alerts == AlertFilter() and not filled.errors.keys() & {f"{name}_tags", f"{name}_monitors"}:
        filled.errors[name] = f"Say below which of them, or choose “{modes['all']}”."
    return {"some": alerts, "all": AlertFilter()}.get(mode)


def _read_admin(filled: _SubmittedSettings, rules: ChannelRules) -> ChannelRules:
    starters = replace(
        rules.starters,
        everyone=filled.choice("starters", _WHO) == "everyone",
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
