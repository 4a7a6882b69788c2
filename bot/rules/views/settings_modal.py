"""The form behind `/bits settings`: a channel's rules, and for admins those of the workspace. Drawn from rules and read
back into rules; what stands in the rules file is only shown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.rules.model import TRANSITIONS, USUAL_COOLDOWN, AlertFilter, ChannelRules, Starters, WorkspaceRules
from bot.rules.repository import Draft
from bot.rules.schema import HIGHEST_BUDGET, LONGEST_COOLDOWN, is_group_id, share_too_big
from bot.rules.views.rule_words import rule_lines, workspace_lines
from bot.rules.views.settings_fields import (
    Form,
    boxes_field,
    groups_field,
    number_field,
    people_field,
    select_field,
    text_field,
)
from bot.slack.blocks import Block, context, divider, header, plain, section
from bot.slack.message import Message
from bot.slack.text import channel_mention, code
from bot.wording import APP, CASE, CASES, DATADOG, INVESTIGATIONS

CALLBACK = "settings"
GROUPS = "starter_groups"

_TITLE = "Channel settings"
_WHICH = {"none": "None", "some": "Those that match below", "all": "All of them"}
_WHEN = {"never": "Never", "some": "Alerts that match below", "all": "Every alert"}
_WHO = {"everyone": "Everyone in the workspace", "named": "Only admins and those named below"}
_PRIORITIES = {str(number): f"P{number}" for number in range(1, 6)}
_TRANSITIONS = {word: word for word in TRANSITIONS}
_OTHERS = {"guests": "Guests", "outsiders": "People of other companies, in shared channels"}
_TICK = "yes"
_NO_LIMIT = "Empty: no limit."


@dataclass(frozen=True, slots=True)
class Opened:
    """What a submitted form says about itself; it comes back from a client and is only trusted after a look."""

    channel: str
    channel_version: int
    workspace_version: int


# -- drawing --------------------------------------------------------------------------------------------------------


def loading_modal() -> Block:
    return _modal([section("Looking up the rules of this channel…")])


def closed_modal(message: Message) -> Block:
    """For whoever may not see the form."""
    return _modal(message.blocks)


def settings_modal(
    draft: Draft, *, admin: bool, file_name: str = "", handles: Mapping[str, str] | None = None
) -> Block:
    rules = draft.channel
    blocks = [section(f"Rules for {channel_mention(rules.channel)}")]
    blocks += _as_written(rule_lines(rules), file_name) if rules.from_file else _channel_fields(rules)
    if admin and not rules.from_file:
        blocks += _admin_fields(rules, handles or {})
    elif not rules.from_file:
        blocks.append(context("Budget and who may start are for workspace admins to set."))
    if admin:
        blocks += _workspace_blocks(draft.workspace, file_name)
    told = [rules.channel, draft.channel_version, draft.workspace_version]
    return _modal(blocks, submit=any(block["type"] == "input" for block in blocks), private_metadata=json.dumps(told))


def _modal(blocks: list[Block], *, submit: bool = False, private_metadata: str = "") -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain(_TITLE, 24),
        "close": plain("Cancel" if submit else "Close", 24),
        "private_metadata": private_metadata,
        "blocks": blocks,
    }
    return {**view, "submit": plain("Save", 24)} if submit else view


def _as_written(lines: list[str], file_name: str) -> list[Block]:
    where = (
        f"They stand in the rules file {code(file_name or 'BITS_CHANNELS_FILE', 100)}, which wins: change them there."
    )
    return [context(where), section("\n".join(f"• {line}" for line in lines))]


def _channel_fields(rules: ChannelRules) -> list[Block]:
    return [
        header("Alerts"),
        select_field(
            "route",
            f"Alerts of {DATADOG}'s webhook that come here",
            _WHICH,
            _mode(rules.route, "none"),
            hint="Each becomes a card that follows its alert.",
        ),
        *_filter_fields("route", rules.route),
        boxes_field("default", "The rest", {_TICK: "Alerts no channel's filter takes"}, _tick(rules.is_default)),
        boxes_field(
            "nudge", f"{DATADOG}'s own messages", {_TICK: f"{APP}'s buttons in their threads"}, _tick(rules.nudge)
        ),
        text_field("org", f"{DATADOG} organisation", rules.org, hint="Empty: the only or default one.", limit=64),
        divider(),
        header("Starts by itself"),
        select_field("auto", f"{INVESTIGATIONS} nobody has to ask for", _WHEN, _mode(rules.auto, "never")),
        *_filter_fields("auto", rules.auto),
        number_field(
            "cooldown",
            "Minutes before the same monitor and group again",
            rules.cooldown_minutes,
            most=LONGEST_COOLDOWN,
            hint="Holds for automatic starts only.",
        ),
        divider(),
        header("Results"),
        boxes_field("broadcast", "Conclusions", {_TICK: "Also send them to the channel"}, _tick(rules.broadcast)),
        text_field("case_project", f"Project of new {CASES}", rules.case_project, hint="Its key or id.", limit=64),
        text_field("case_type", f"Type of a new {CASE}", rules.case_type, limit=64),
    ]


def _filter_fields(name: str, alerts: AlertFilter | None) -> list[Block]:
    known = alerts or AlertFilter()
    tags = " ".join(sorted(known.tags))
    monitors = " ".join(map(str, sorted(known.monitors)))
    return [
        text_field(f"{name}_tags", "… with all these tags", tags, hint="Separated by spaces: team:core env:prod"),
        boxes_field(f"{name}_priorities", "… of one of these priorities", _PRIORITIES, map(str, known.priorities)),
        text_field(f"{name}_monitors", "… of one of these monitors", monitors, hint="Ids or links."),
        boxes_field(f"{name}_transitions", "… in one of these states", _TRANSITIONS, known.transitions),
    ]


def _admin_fields(rules: ChannelRules, handles: Mapping[str, str]) -> list[Block]:
    starters = rules.starters
    others = [name for name, given in (("guests", starters.guests), ("outsiders", starters.outsiders)) if given]
    return [
        divider(),
        header("For admins: who may start, and how often"),
        select_field("starters", "Who may start", _WHO, "everyone" if starters.everyone else "named"),
        people_field(
            "starter_people",
            "Named people",
            starters.users,
            hint="They may also change this form, see the audit and go over the budget.",
        ),
        groups_field(GROUPS, "Named user groups", starters.groups, handles, hint="The same for all members."),
        boxes_field("others", "Also", _OTHERS, others),
        number_field(
            "budget", "Starts a day in this channel", rules.budget_per_day, most=HIGHEST_BUDGET, hint=_NO_LIMIT
        ),
    ]


def _workspace_blocks(rules: WorkspaceRules, file_name: str) -> list[Block]:
    title = [divider(), header("For admins: the whole workspace")]
    if rules.from_file:
        return [*title, *_as_written(workspace_lines(rules), file_name)]
    return [
        *title,
        number_field(
            "workspace_budget",
            "Starts a day in all channels",
            rules.budget_per_day,
            most=HIGHEST_BUDGET,
            hint=_NO_LIMIT,
        ),
        number_field(
            "automatic_share",
            "Of those, at most by themselves",
            rules.automatic_share,
            most=HIGHEST_BUDGET,
            hint="The share of automatic starts. Empty: as long as the budget lasts.",
        ),
        boxes_field("exceed", "Over budget", {_TICK: "Admins may start all the same"}, _tick(rules.admins_may_exceed)),
    ]


def _mode(alerts: AlertFilter | None, none: str) -> str:
    if alerts is None:
        return none
    return "all" if alerts == AlertFilter() else "some"


def _tick(value: bool) -> list[str]:
    return [_TICK] if value else []


# -- reading --------------------------------------------------------------------------------------------------------


def read_opened(private_metadata: str) -> Opened | None:
    try:
        channel, channel_version, workspace_version = json.loads(private_metadata)
        return Opened(str(channel), int(channel_version), int(workspace_version))
    except (ValueError, TypeError):
        return None


def read_settings(view_state: Mapping[str, Any], draft: Draft, *, admin: bool) -> Draft | dict[str, str]:
    """The rules as they are to be; or what is wrong, by block id. Only an admin's form decides about money and people."""
    form = Form(view_state)
    channel, workspace = draft.channel, draft.workspace
    if not channel.from_file:
        channel = _read_channel(form, channel)
        channel = _read_admin(form, channel) if admin else channel
    if admin and not workspace.from_file:
        workspace = _read_workspace(form, workspace)
    return form.errors or replace(draft, channel=channel, workspace=workspace)


def _read_channel(form: Form, rules: ChannelRules) -> ChannelRules:
    cooldown = form.number("cooldown", most=LONGEST_COOLDOWN)
    return replace(
        rules,
        org=form.text("org"),
        route=_read_filter(form, "route", _WHICH),
        is_default=bool(form.ticked("default")),
        nudge=bool(form.ticked("nudge")),
        auto=_read_filter(form, "auto", _WHEN),
        cooldown_minutes=USUAL_COOLDOWN if cooldown is None else cooldown,
        case_project=form.text("case_project"),
        case_type=form.text("case_type"),
        broadcast=bool(form.ticked("broadcast")),
    )


def _read_filter(form: Form, name: str, modes: Mapping[str, str]) -> AlertFilter | None:
    mode = form.choice(name, modes)
    alerts = AlertFilter(
        form.tags(f"{name}_tags"),
        frozenset(int(one) for one in form.ticked(f"{name}_priorities") if one in _PRIORITIES),
        form.numbers(f"{name}_monitors"),
        form.ticked(f"{name}_transitions") & frozenset(TRANSITIONS),
    )
    if mode == "some" and alerts == AlertFilter() and not form.errors.keys() & {f"{name}_tags", f"{name}_monitors"}:
        form.errors[name] = f"Say below which alerts, or choose “{modes['all']}”."
    return {"some": alerts, "all": AlertFilter()}.get(mode)


def _read_admin(form: Form, rules: ChannelRules) -> ChannelRules:
    others = form.ticked("others")
    starters = Starters(
        everyone=form.choice("starters", _WHO) == "everyone",
        groups=tuple(sorted(one for one in form.ticked(GROUPS) if is_group_id(one))),
        users=form.people("starter_people"),
        guests="guests" in others,
        outsiders="outsiders" in others,
    )
    return replace(rules, starters=starters, budget_per_day=form.number("budget", most=HIGHEST_BUDGET))


def _read_workspace(form: Form, rules: WorkspaceRules) -> WorkspaceRules:
    budget = form.number("workspace_budget", most=HIGHEST_BUDGET)
    share = form.number("automatic_share", most=HIGHEST_BUDGET)
    if share_too_big(budget, share):
        form.errors["automatic_share"] = f"This is a part of the {budget} a day, so it can't be more."
    return replace(rules, budget_per_day=budget, automatic_share=share, admins_may_exceed=bool(form.ticked("exceed")))
