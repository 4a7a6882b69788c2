"""The window in which a case is escalated, what was chosen in it, and how each escalation stands on the case's card. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cases.card import case_title
from bot.cases.escalation_model import Escalation, EscalationForm, EscalationKind, EscalationState
from bot.cases.model import KnownCase
from bot.datadog.escalations import SEVERITIES, URGENCIES, JiraTemplate
from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.blocks import Block, Message, button, confirmation, context, option, section
from bot.slack.errors import TroubleWords, explain
from bot.slack.forms import FormState, form_field, modal, select, text_input
from bot.slack.payloads import Payload
from bot.slack.text import code, cut_mrkdwn, escape, fit_mrkdwn, mention, named_link, one_line
from bot.wording import CASE, DATADOG

FORM = "case_escalate"
KIND = "case_escalate:kind"
AGAIN = "case:escalate_again"
TITLE, SEVERITY, IMPACT = "escalate_title", "escalate_severity", "escalate_impact"
TEAM, URGENCY, MESSAGE = "escalate_team", "escalate_urgency", "escalate_message"
TEMPLATE, INSTANCE, GROUP = "escalate_template", "escalate_instance", "escalate_group"

_TITLE_LIMIT = 200
_TEXT_LIMIT = 3_000
_MOST_OPTIONS = 100
_MOST_ON_THE_CARD = 8
_SEVERITY_WORDS = {
    "SEV-1": "SEV-1, critical",
    "SEV-2": "SEV-2, high",
    "SEV-3": "SEV-3, moderate",
    "SEV-4": "SEV-4, low",
    "SEV-5": "SEV-5, minor",
    "UNKNOWN": "Not known yet",
}
_URGENCY_WORDS = {"high": "High: wake somebody up", "low": "Low: as the team has set it up"}


@dataclass(frozen=True, slots=True)
class KindWords:
    """How one kind is spoken of."""

    chosen: str  # in the window
    submit: str
    under_way: str
    there: str
    undone: str  # a whole sentence begins with it
    doubt: str  # what we don't know
    look: str  # where a person looks for it
    twice: str  # why there is no second one


WORDS = {
    EscalationKind.INCIDENT: KindWords(
        "Declare an incident",
        "Declare",
        "Declaring an incident",
        "Incident",
        "No incident was declared",
        "whether the incident was declared",
        f"Look in {DATADOG}'s incidents",
        f"This {CASE} has its incident already, or is getting one",
    ),
    EscalationKind.PAGE: KindWords(
        "Page an on-call team",
        "Page",
        "Paging",
        "Paged",
        "Nobody was paged",
        "whether the page went out",
        f"Look at {DATADOG}'s On-Call pages, or ask the team",
        "That team is being paged just now",
    ),
    EscalationKind.JIRA: KindWords(
        "Make a Jira issue",
        "Make it",
        "Making a Jira issue",
        "Jira issue",
        "No Jira issue was made",
        "whether the Jira issue was asked for",
        f"Look at the {CASE} in {DATADOG}",
        f"This {CASE} has its Jira issue already, or is getting one",
    ),
    EscalationKind.SERVICE_NOW: KindWords(
        "Make a ServiceNow ticket",
        "Make it",
        "Making a ServiceNow ticket",
        "ServiceNow ticket",
        "No ServiceNow ticket was made",
        "whether the ServiceNow ticket was asked for",
        f"Look at the {CASE} in {DATADOG}",
        f"This {CASE} has its ServiceNow ticket already, or is getting one",
    ),
    EscalationKind.NOTEBOOK: KindWords(
        "Start an investigation notebook",
        "Start it",
        "Starting a notebook",
        "Notebook",
        "No notebook was started",
        "whether the notebook was started",
        f"Look at the {CASE} in {DATADOG}",
        f"This {CASE} has its notebook already, or is getting one",
    ),
}


# -- the window -----------------------------------------------------------------------------------------------------


def form_view(known: KnownCase, kind: EscalationKind, fields: Sequence[Block], metadata: str) -> Block:
    options = [option(words.chosen, each.value) for each, words in WORDS.items()]
    head = section(f"*{escape(one_line(known.name, 60))}* {escape(case_title(known))}")
    what = form_field("What", select(KIND, options, kind), sends_changes=True)
    blocks = [head, what, *fields]
    return modal("Escalate", blocks, callback_id=FORM, metadata=metadata, submit=WORDS[kind].submit)


def fields_of(known: KnownCase, kind: EscalationKind) -> list[Block] | None:
    """None where Datadog is asked first."""
    match kind:
        case EscalationKind.INCIDENT:
            return _incident_fields(known)
        case EscalationKind.PAGE:
            return _page_fields(known)
        case EscalationKind.NOTEBOOK:
            return [section(f"{DATADOG} starts a notebook for this {CASE} and shows it there.")]
        case _:
            return None


def _incident_fields(known: KnownCase) -> list[Block]:
    severities = [option(_SEVERITY_WORDS[each], each) for each in SEVERITIES]
    impact = text_input(IMPACT, limit=_TEXT_LIMIT, multiline=True)
    return [
        form_field("Title", text_input(TITLE, case_title(known), limit=_TITLE_LIMIT)),
        form_field("Severity", select(SEVERITY, severities, "UNKNOWN")),
        form_field("What customers notice", impact, hint="Empty where they notice nothing.", optional=True),
        context(f"Whoever {DATADOG} notifies of incidents of this severity hears of it at once."),
    ]


def _page_fields(known: KnownCase) -> list[Block]:
    urgencies = [option(_URGENCY_WORDS[each], each) for each in URGENCIES]
    hint = f"The team's handle in {DATADOG}, such as checkout-sre."
    return [
        form_field("Team", text_input(TEAM, limit=100), hint=hint),
        form_field("Title", text_input(TITLE, case_title(known), limit=_TITLE_LIMIT)),
        form_field("Urgency", select(URGENCY, urgencies, URGENCIES[0])),
        form_field("Message", text_input(MESSAGE, limit=_TEXT_LIMIT, multiline=True), optional=True),
    ]


def asking_fields() -> list[Block]:
    return [section(f"Asking {DATADOG} what it is connected to…")]


def trouble_fields(kind: EscalationKind, trouble: Trouble) -> list[Block]:
    return [section(str(_why(kind, trouble)))]


def jira_fields(templates: Sequence[JiraTemplate]) -> list[Block]:
    if not templates:
        return [
            section(
                f"{DATADOG} knows no Jira issue template: Jira is not connected there, or has none yet. "
                f"Ask a {DATADOG} admin to set one up on the Jira integration's page."
            )
        ]
    options = [option(each.name, each.id) for each in templates[:_MOST_OPTIONS] if len(each.id) <= 75]
    return [form_field("Template", select(TEMPLATE, options, options[0]["value"] if len(options) == 1 else ""))]


def service_now_fields(instances: Sequence[str]) -> list[Block]:
    if not instances:
        return [
            section(
                f"{DATADOG} knows no ServiceNow instance: it is not connected there. "
                f"Ask a {DATADOG} admin to set it up on the ServiceNow integration's page."
            )
        ]
    options = [option(each, each) for each in instances[:_MOST_OPTIONS] if len(each) <= 75]
    group = text_input(GROUP, limit=200)
    return [
        form_field("Instance", select(INSTANCE, options, options[0]["value"] if len(options) == 1 else "")),
        form_field("Assignment group", group, hint="Empty for ServiceNow's own choice.", optional=True),
    ]


# -- what was chosen ------------------------------------------------------------------------------------------------


def read_kind(view: Payload) -> EscalationKind:
    chosen = FormState(view).choice(KIND)
    return EscalationKind(chosen) if chosen in set(EscalationKind) else EscalationKind.INCIDENT


def read_form(view: Payload, kind: EscalationKind) -> EscalationForm | dict[str, str]:
    """As submitted; or what is wrong, a sentence for each block."""
    state = FormState(view)
    match kind:
        case EscalationKind.INCIDENT:
            title, severity = one_line(state.text(TITLE), _TITLE_LIMIT), state.choice(SEVERITY)
            form = EscalationForm(title, severity if severity in SEVERITIES else "UNKNOWN", state.text(IMPACT))
            return form if title else {state.block_id(TITLE): "An incident needs a title."}
        case EscalationKind.PAGE:
            return _read_page(state)
        case EscalationKind.JIRA:
            chosen = state.choice(TEMPLATE)
            return EscalationForm(template=chosen) if chosen else _nothing_chosen(state)
        case EscalationKind.SERVICE_NOW:
            instance = state.choice(INSTANCE)
            form = EscalationForm(instance=instance, group=one_line(state.text(GROUP), 200))
            return form if instance else _nothing_chosen(state)
        case EscalationKind.NOTEBOOK:
            return EscalationForm()


def _nothing_chosen(state: FormState) -> dict[str, str]:
    return {state.block_id(KIND): "There is nothing to make yet: do first what stands below."}


def _read_page(state: FormState) -> EscalationForm | dict[str, str]:
    team = one_line(state.text(TEAM), 100).removeprefix("@").removeprefix("oncall-")
    if not team or any(each.isspace() for each in team):
        return {state.block_id(TEAM): f"A handle has no spaces: it stands on the team's page in {DATADOG}."}
    urgency = state.choice(URGENCY)
    return EscalationForm(
        title=one_line(state.text(TITLE), _TITLE_LIMIT),
        team=team,
        urgency=urgency if urgency in URGENCIES else URGENCIES[0],
        message=state.text(MESSAGE),
    )


# -- on the card ----------------------------------------------------------------------------------------------------


def on_card(escalations: Sequence[Escalation]) -> Message | None:
    """How each stands, those that ask for something with their button; spoken is the last one."""
    shown = latest(escalations)[-_MOST_ON_THE_CARD:]
    return Message(_words(shown[-1]), [_card_line(each) for each in shown]) if shown else None


def latest(escalations: Sequence[Escalation]) -> list[Escalation]:
    """What came to nothing is told until somebody has asked for the same again."""
    last = {(each.kind, each.form.team): each.id for each in escalations}
    nothing = EscalationState.REFUSED
    return [each for each in escalations if each.state is not nothing or last[each.kind, each.form.team] == each.id]


def _card_line(each: Escalation) -> Block:
    again = _again(each)
    words = cut_mrkdwn(f"{_sign(each)} {_words(each)}", 2_900)
    return section(words, accessory=again) if again else context(words)


def _sign(each: Escalation) -> str:
    match each.state:
        case EscalationState.DONE:
            return "⚠️" if each.problem else "✅"
        case EscalationState.REFUSED | EscalationState.UNCERTAIN:
            return "⚠️"
        case _:
            return "⏳"


def _words(each: Escalation) -> str:
    words, who = WORDS[each.kind], mention(each.person)
    match each.state:
        case EscalationState.ORDERED | EscalationState.SENDING:
            return f"{words.under_way}{_what(each)} for {who}…"
        case EscalationState.REFUSED:
            return _refused(each, each.problem or Trouble(TroubleKind.UNCLEAR))
        case EscalationState.UNCERTAIN:
            mark = f" for {code(each.mark.rstrip('.'), 40)}" if each.kind is EscalationKind.INCIDENT else ""
            return (
                f"*I don't know {words.doubt}{_what(each)}*: {DATADOG}'s answer got lost. "
                f"{words.look}{mark} before you ask for it again."
            )
        case _:
            return _there(each)


def _there(each: Escalation) -> str:
    words, made = WORDS[each.kind], each.made
    named = " ".join(filter(None, [words.there, made.name if made else each.form.team]))
    linked = named_link(made.url, named) if made is not None and made.url else escape(one_line(named, 200))
    said = f"{linked} · {mention(each.person)}"
    if each.state is EscalationState.MADE:
        return f"{said} · not finished yet…"
    if each.problem:
        return f"{said}. It is not linked to this {CASE} yet: {explain(each.problem)}{_quoted(each.problem)}"
    return said if made is not None and made.url else f"{said} · {DATADOG} shows it in the {CASE} when it is there"


def _what(each: Escalation) -> str:
    return f" {code(each.form.team, 100)}" if each.kind is EscalationKind.PAGE else ""


_NOT_CONNECTED = {
    EscalationKind.JIRA: TroubleWords(
        f"{DATADOG}'s Jira integration did not make it.",
        f"Ask a {DATADOG} admin to look at the Jira integration's page: account, project and issue type.",
    ),
    EscalationKind.SERVICE_NOW: TroubleWords(
        f"{DATADOG}'s ServiceNow integration did not make it.",
        f"Ask a {DATADOG} admin to look at the ServiceNow integration's page.",
    ),
    EscalationKind.PAGE: TroubleWords(
        f"{DATADOG} On-Call knows no such team.", f"Look up its handle in {DATADOG}, then page again."
    ),
}


_SAID_BY_THE_OTHER_SIDE = (TroubleKind.NOT_FOUND, TroubleKind.REFUSED, TroubleKind.BAD_REQUEST)


def _refused(each: Escalation, trouble: Trouble) -> str:
    return f"*{WORDS[each.kind].undone}{_what(each)}.* {_why(each.kind, trouble)}{_quoted(trouble)}"


def _why(kind: EscalationKind, trouble: Trouble) -> TroubleWords:
    instead = _NOT_CONNECTED.get(kind)
    return explain(trouble, dict.fromkeys(_SAID_BY_THE_OTHER_SIDE, instead) if instead else None)


def _quoted(trouble: Trouble) -> str:
    detail = one_line(trouble.detail, 400)
    return f" {DATADOG}: “{fit_mrkdwn(detail, 400)}”." if detail else ""


def _again(each: Escalation) -> Block | None:
    if each.state is EscalationState.UNCERTAIN:
        ask = confirmation(
            "Ask for it again?",
            f"Only if {DATADOG} does not show it.",
            confirm=WORDS[each.kind].submit,
            style="danger",
        )
        return button(WORDS[each.kind].submit, AGAIN, value=str(each.id), confirm=ask)
    if each.state is EscalationState.REFUSED or (each.state is EscalationState.DONE and each.problem):
        return button("Try again", AGAIN, value=str(each.id))
    return None
