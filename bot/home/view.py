"""The Home tab: what a person asked for and may decide, the way to everything else, and for admins what is connected."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.cases.card import case_title, case_url, stands_words
from bot.cases.model import KnownCase
from bot.home.actions import ASK, HELP, NEW_CASE
from bot.home.status import UNDER_WAY
from bot.insights.form_views import BEGIN
from bot.investigations.model import Investigation
from bot.investigations.signs import stands
from bot.investigations.subject_view import investigation_url, subject_name
from bot.orgs.alert_setup_form import REMOVE as REMOVE_ALERTS
from bot.orgs.connect_form import DISCONNECT, NEW_SECRET, OPEN_FROM_HOME, REPLACE_KEYS, set_up_button
from bot.orgs.model import OrgEntry
from bot.rules.budget import Usage, used_words
from bot.rules.no_start import RESETS
from bot.slack.blocks import (
    Block,
    actions,
    button,
    confirmation,
    context,
    divider,
    header,
    pack,
    rich_date,
    rich_link,
    rich_section,
    run,
    section,
)
from bot.slack.text import channel_mention, code, escape, mention, moment, one_line
from bot.web.datadog_webhook import path_of
from bot.wording import (
    APP,
    CASE,
    CASES,
    COMMAND,
    DATADOG,
    INSIGHTS,
    INVESTIGATE,
    INVESTIGATIONS,
    PRODUCT,
    counted,
)

CHANNEL_SETTINGS = "home:settings"

MOST_INVESTIGATIONS = 15
MOST_CASES = 10
MOST_CHANNELS = 15
MOST_ORGS = 10  # each takes three blocks of the hundred


@dataclass(frozen=True, slots=True)
class HomeInvestigation:
    investigation: Investigation
    app_url: str
    org: str = ""  # its name, where there are several
    thread: str = ""  # the permalink of its card


@dataclass(frozen=True, slots=True)
class HomeCase:
    case: KnownCase
    app_url: str


@dataclass(frozen=True, slots=True)
class HomeAdmin:
    """What only admins see."""

    usage: Usage
    orgs: tuple[OrgEntry, ...] = ()
    can_connect: bool = True
    health: tuple[str, ...] = ()  # sentences, mrkdwn


@dataclass(frozen=True, slots=True)
class HomeContent:
    investigations: tuple[HomeInvestigation, ...] = ()
    cases: tuple[HomeCase, ...] = ()
    channels: tuple[str, ...] = ()  # whose rules this person may change
    more_channels: int = 0
    connected: bool = True  # any organisation serves this workspace
    admin: HomeAdmin | None = field(default=None)
    refusal: str = ""  # why this person sees nothing of it, mrkdwn


def home_view(content: HomeContent) -> Block:
    if content.refusal:
        return {"type": "home", "blocks": [section(content.refusal), *_help()]}
    blocks = [
        *([_first_actions()] if content.connected else []),
        *([] if content.connected else _not_connected(content.admin)),
        *_investigations(content.investigations),
        *_cases(content.cases),
        *_channels(content.channels, content.more_channels),
        *(_admin(content.admin) if content.admin else []),
        *_help(),
    ]
    return {"type": "home", "blocks": blocks}


def _first_actions() -> Block:
    return actions(
        button(f"Ask {PRODUCT}", ASK, style="primary"),
        button(f"Attach {INSIGHTS}", BEGIN),
        button(f"New {CASE}", NEW_CASE),
    )


def _not_connected(admin: HomeAdmin | None) -> list[Block]:
    step = "Connect one below." if admin else f"Ask a workspace admin to type `{COMMAND} connect`."
    return [section(f"*No {DATADOG} organisation is connected yet, so nothing can be investigated.* {step}"), divider()]


# -- for everyone ---------------------------------------------------------------------------------------------------


def _investigations(asked: Sequence[HomeInvestigation]) -> list[Block]:
    running = [each for each in asked if each.investigation.state in UNDER_WAY]
    ended = [each for each in asked if each.investigation.state not in UNDER_WAY]
    if not asked:
        return [
            header(f"Your {INVESTIGATIONS}"),
            section(
                f"None yet. Choose “{INVESTIGATE} with Bits” in the menu of an alert's message, or type "
                f"`{COMMAND} investigate` with a monitor's id, a link or a question."
            ),
        ]
    return [*_listed("Running now", running), *_listed(f"Your latest {INVESTIGATIONS}", ended)]


def _listed(title: str, asked: Sequence[HomeInvestigation]) -> list[Block]:
    return [header(title), *pack([_investigation(each) for each in asked])] if asked else []


def _investigation(each: HomeInvestigation) -> Block:
    inv = each.investigation
    sign, word = stands(inv)
    age = rich_date(inv.started_at or inv.created_at, "{date_short_pretty} at {time}")
    runs = [
        run(f"{sign} "),
        rich_link(investigation_url(inv, each.app_url), one_line(subject_name(inv), 140), "bold"),
        run(f" · {word} · "),
        age,
        *([run(f" · {one_line(each.org, 40)}")] if each.org else []),
    ]
    if each.thread:
        runs += [run(" · "), rich_link(each.thread, "Thread")]
    return rich_section([*runs, run(" · "), run(inv.ref, "code")])


def _cases(cases: Sequence[HomeCase]) -> list[Block]:
    bullets = [_case(each.case, each.app_url) for each in cases]
    return [header(f"Your {CASES}"), *pack(bullets)] if bullets else []


def _case(case: KnownCase, app_url: str) -> Block:
    link = rich_link(case_url(case, app_url), case.name, "bold")
    return rich_section([run("📋 "), link, run(f" {one_line(case_title(case), 140)} · {stands_words(case)}")])


def _channels(channels: Sequence[str], more: int) -> list[Block]:
    if not channels:
        return []
    rows: list[Block] = [header("Channels whose rules you may change")]
    for channel in channels:
        change = button("Change", CHANNEL_SETTINGS, value=channel, label=f"Change the rules of {channel}")
        rows.append(section(channel_mention(channel), accessory=change))
    rest = f"{counted(more, 'more channel')}: " if more else "In any other channel: "
    return [*rows, context(f"{rest}type `{COMMAND} settings` there.")]


def _help() -> list[Block]:
    return [
        divider(),
        context(
            f"In a thread: the buttons and message shortcuts, or mention me. Conclusions are written by {PRODUCT}, which can be wrong: check before you act."
        ),
        actions(button("All commands", HELP)),
    ]


# -- for admins -----------------------------------------------------------------------------------------------------


def _admin(admin: HomeAdmin) -> list[Block]:
    budget = _budget(admin.usage)
    health = [section("\n".join(["*Health*", *admin.health]))] if admin.health else []
    return [divider(), header("For admins"), *_orgs(admin), section(budget), *health]


def _budget(usage: Usage) -> str:
    limits = usage.limits
    whole = used_words(usage.workspace, limits.workspace)
    own = f", {usage.automatic} of {limits.automatic} automatically" if limits.automatic is not None else ""
    return f"*Budget today* ({RESETS}): {whole}{own}. `{COMMAND} settings` changes it."


def _orgs(admin: HomeAdmin) -> list[Block]:
    connect = button(f"Connect {DATADOG}", OPEN_FROM_HOME, style="" if admin.orgs else "primary")
    shown = [block for entry in admin.orgs[:MOST_ORGS] for block in _org(entry)]
    hidden = len(admin.orgs) - MOST_ORGS
    more = [context(f"{counted(hidden, 'more organisation')}.")] if hidden > 0 else []
    if not admin.can_connect:
        why = f"To connect organisations here, whoever runs {APP} has to set BITS_ENCRYPTION_KEYS."
        return [section(f"*{DATADOG} organisations*"), *shown, *more, context(why)]
    return [section(f"*{DATADOG} organisations*"), *shown, *more, actions(connect)]


def _org(entry: OrgEntry) -> list[Block]:
    name, place = f"*{escape(one_line(entry.name, 60))}*", f"{entry.site.region}, {escape(entry.host)}"
    keys = f"API key …{escape(entry.api_key_end)}, application key …{escape(entry.app_key_end)}"
    webhook = f"Its webhook comes in at {code(path_of(entry.id), 100)}."
    if not (entry.has_webhook_secret or entry.from_settings):
        webhook += (
            "\n*It has no webhook secret yet*, so no alert comes in there: make one with the button, if you want them."
        )
    if entry.from_settings:
        told = f"{name} ({place})\n{keys}, from {APP}'s own settings\n{webhook}{_alerts(entry)}"
        return [section(told)] if entry.is_lent else [section(told, accessory=set_up_button(entry)), *_removal(entry)]
    owner = f", acts as {escape(one_line(entry.owner, 80))}" if entry.owner else ""
    by = f"Connected by {mention(entry.connected_by)}, {moment(entry.connected_at, '{date_short_pretty}')}."
    lacking = ", ".join(code(name) for name in entry.lacking)
    without = f"\n*It lacks* {lacking}: grant that to the key's owner, then replace the keys." if lacking else ""
    return [
        section(
            f"{name} ({place}){owner}\n{keys}\n{by} {webhook}{_alerts(entry)}{without}", accessory=set_up_button(entry)
        ),
        actions(
            button("Replace keys", REPLACE_KEYS, value=entry.id, label=f"Replace the keys of {entry.name}"),
            button(
                "New webhook secret",
                NEW_SECRET,
                value=entry.id,
                label=f"New webhook secret for {entry.name}",
                confirm=_renews() if entry.has_webhook_secret else None,
            ),
            button(
                "Disconnect",
                DISCONNECT,
                value=entry.id,
                style="danger",
                label=f"Disconnect {entry.name}",
                confirm=_sure(entry),
            ),
        ),
    ]


def _removal(entry: OrgEntry) -> list[Block]:
    """Others lose it when they are disconnected."""
    if entry.alerts_begun_at is None:
        return []
    told = f"The webhook, its secret variable and its notification rule are removed in {DATADOG}: no more alert comes in by them."
    sure = confirmation("Remove the alert set-up?", told, confirm="Remove", style="danger")
    return [actions(button("Remove alert set-up", REMOVE_ALERTS, value=entry.id, style="danger", confirm=sure))]


def _alerts(entry: OrgEntry) -> str:
    """How far they are set up in Datadog from here."""
    if entry.alerts_set_up_at:
        tags = ", ".join(code(tag, 60) for tag in entry.alerts_tags[:5])
        cases = f" Its {CASES} tell of changes." if entry.case_projects else ""
        return f" Its alerts are set up{f': monitors with {tags}' if tags else ', without a rule'}.{cases}"
    return "\n*Its alerts are set up in part only*: press the button once more." if entry.alerts_begun_at else ""


def _renews() -> Block:
    told = f"It is shown once. {DATADOG} has to be told it within a day: until then the one it has now opens, too."
    return confirmation("Make a new webhook secret?", told, confirm="Make it")


def _sure(entry: OrgEntry) -> Block:
    set_up = entry.alerts_begun_at is not None
    first = (
        f"What was set up in {DATADOG} for its alerts is removed, then its keys."
        if set_up
        else "Its keys are removed at once."
    )
    return confirmation(
        f"Disconnect {one_line(entry.name, 40)}?",
        f"{first} What runs there goes on in {DATADOG}, but nobody here is told of its end.",
        confirm="Disconnect",
        style="danger",
    )
