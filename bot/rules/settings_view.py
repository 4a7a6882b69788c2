"""The form behind `/bits settings`, drawn from rules; what stands in the rules file is only shown.

What is submitted is read in submitted_settings.py.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from bot.rules.case_fields import CREATE, case_rule_fields
from bot.rules.case_names import CaseName, CaseNames, chosen, gone
from bot.rules.model import (
    HIGHEST_BUDGET,
    LONGEST_COOLDOWN,
    TRANSITIONS,
    AlertFilter,
    ChannelRules,
    WorkspaceRules,
)
from bot.rules.repository import Draft
from bot.rules.rule_words import rule_lines, workspace_lines
from bot.rules.weekly import HOW
from bot.slack.blocks import Block, Message, actions, button, context, divider, header, option, plain, section
from bot.slack.forms import FormState, checkboxes, form_field, modal, multi_select, select, text_input
from bot.slack.text import channel_mention, code
from bot.wording import APP, CASES, DATADOG, INVESTIGATIONS

CALLBACK = "settings"
GROUPS = "starter_groups"

Options = Mapping[str, str]  # value to words
_TITLE = "Channel settings"
ROUTE, AUTO, MORE = "route", "auto", "settings:more"
ORG = "org"
CASE_PROJECT, CASE_TYPE = "settings:case_project", "settings:case_type"
WHICH = {"none": "None come here", "some": "Some of them …", "all": "All of them"}
WHEN = {"never": "Never", "some": "For some alerts …", "all": "For every alert"}
WHO = {"everyone": "Everyone in the workspace", "named": "Only admins and those named below"}
PRIORITIES = {str(number): f"P{number}" for number in range(1, 6)}
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
    case: str = ""

    @classmethod
    def of(cls, form: FormState) -> Self:
        more = form.has("budget") or form.has("workspace_budget")
        return cls(form.choice(ROUTE), form.choice(AUTO), more, form.choice(CREATE))


def settings_modal(
    draft: Draft,
    *,
    admin: bool,
    file_name: str,
    handles: Mapping[str, str],
    orgs: Mapping[str, str] | None = None,
    names: CaseNames | None = None,
    shown: Shown = Shown(),
) -> Block:
    """`handles` are those of user groups, by id; `orgs` the names of the connected organisations, by what rules call them;
    `names` what its cases can be, once that is known."""
    rules = draft.channel
    blocks = [section(f"Rules for {channel_mention(rules.channel)}")]
    if rules.from_file:
        blocks += _as_written(rule_lines(rules), file_name)
    else:
        blocks += _channel_fields(rules, orgs or {}, names, shown)
        blocks += _admin_fields(rules, handles) if admin else [context("Workspace admins set who may start.")]
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


def _channel_fields(rules: ChannelRules, orgs: Mapping[str, str], names: CaseNames | None, shown: Shown) -> list[Block]:
    route, auto = shown.route or _mode(rules.route, "none"), shown.auto or _mode(rules.auto, "never")
    extras = [name for name, on in _extras(rules).items() if on]
    return [
        _select_field(ROUTE, f"Alerts from {DATADOG}'s webhook", WHICH, route, sends_changes=True),
        *(_filter_fields(ROUTE, rules.route) if route == "some" else []),
        _boxes_field("extras", "Also in this channel", _EXTRAS, extras),
        *_org_field(rules.org, orgs),
        _select_field(AUTO, f"Start {INVESTIGATIONS} automatically", WHEN, auto, sends_changes=True),
        *(_filter_fields(AUTO, rules.auto) if auto == "some" else []),
        *(_cooldown_field(rules) if auto != "never" else []),
        _case_field(CASE_PROJECT, f"Project of new {CASES}", names.projects if names else None, rules.case.project),
        _case_field(CASE_TYPE, f"Type of new {CASES}", names.types if names else None, rules.case.type),
        *case_rule_fields(rules.case, shown.case),
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
    return [_select_field(ORG, f"{DATADOG} organisation", offered, org or _USUAL_ORG)]


def _case_field(name: str, label: str, names: tuple[CaseName, ...] | None, stored: str) -> Block:
    element: Block = {"type": "external_select", "action_id": name, "min_query_length": 0, "placeholder": plain("None")}
    element |= {"initial_option": chosen(names, stored)} if stored else {}
    return form_field(label, element, hint=gone(names, stored), optional=True)


def org_chosen(form: FormState) -> str:
    org = form.choice(ORG)
    return "" if org == _USUAL_ORG else org


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
        _choices_field(f"{name}_priorities", "With one of these priorities", PRIORITIES, priorities),
        _text_field(f"{name}_monitors", "Of one of these monitors", monitors, hint="Ids or links."),
        _choices_field(f"{name}_transitions", "In one of these states", _TRANSITIONS, transitions),
    ]


def _admin_fields(rules: ChannelRules, handles: Mapping[str, str]) -> list[Block]:
    starters = rules.starters
    return [
        divider(),
        _select_field("starters", "Who may start", WHO, "everyone" if starters.everyone else "named"),
        _people_field(
            "starter_people",
            "Named people",
            starters.users,
            hint="They may also change this form, see the audit and go over the budget.",
        ),
        _groups_field("Named user groups", starters.groups, handles, hint="All their members may do the same."),
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
    name: str, label: str, options: Options, chosen: str, *, hint: str = "", sends_changes: bool = False
) -> Block:
    return form_field(label, select(name, _listed(options), chosen), hint=hint, sends_changes=sends_changes)


def _choices_field(name: str, label: str, options: Options, chosen: Iterable[str]) -> Block:
    element = multi_select(name, _listed(options), chosen) | {"placeholder": plain("Any")}
    return form_field(label, element, optional=True)


def _boxes_field(name: str, label: str, options: Options, ticked: Iterable[str]) -> Block:
    return form_field(label, checkboxes(name, _listed(options), ticked), optional=True)


def _tick_field(name: str, label: str, words: str, *, ticked: bool) -> Block:
    return _boxes_field(name, label, {_TICK: words}, [_TICK] if ticked else [])


def _listed(options: Options) -> list[Block]:
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
