"""Several cases changed at once: which and how, whether that is really meant, and what came of each. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cases.action_views import undone
from bot.cases.card import case_title
from bot.cases.model import CaseAction, CaseActionKind, Closing, KnownCase
from bot.datadog.cases import CLOSING_REASONS
from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.blocks import Block, Message, context, option, section, sentences
from bot.slack.errors import explain
from bot.slack.forms import FormState, form_field, modal, multi_select, select
from bot.slack.payloads import Payload
from bot.slack.text import cut_mrkdwn, escape, one_line
from bot.wording import CASE, CASES, DATADOG, counted

SEVERAL_FORM = "cases_several"
CONFIRM_FORM = "cases_confirm"
CHOSEN, CHANGE, WHY = "cases_chosen", "cases_change", "cases_reason"
MOST_AT_ONCE = 25
MOST_OFFERED = 100

CHANGES = {
    "open": "Set the status to Open",
    "in_progress": "Set the status to In Progress",
    "closed": "Close",
    "assign": "Assign to me",
    "archive": "Archive",
}


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What is to be done to the chosen cases; `reason` is why the security cases among them are closed."""

    change: str
    reason: str = ""

    @property
    def words(self) -> str:
        return CHANGES[self.change]

    def action_for(self, known: KnownCase) -> tuple[CaseActionKind, str]:
        if self.change == "assign":
            return CaseActionKind.ASSIGN, ""
        if self.change == "archive":
            return CaseActionKind.ARCHIVE, ""
        status = known.status_in(self.change) or known.status_word
        if self.change == "closed" and known.is_security:
            return CaseActionKind.CLOSE, Closing(status, self.reason).value
        return CaseActionKind.STATUS, status


# -- choosing -------------------------------------------------------------------------------------------------------


def loading_view(metadata: str) -> Block:
    return modal(
        f"Change several {CASES}",
        [section(f"Asking {DATADOG} for its {CASES}…")],
        callback_id=SEVERAL_FORM,
        metadata=metadata,
    )


def words_view(words: str, metadata: str = "") -> Block:
    return modal(f"Change several {CASES}", [section(words)], callback_id=SEVERAL_FORM, metadata=metadata)


def several_view(found: Sequence[KnownCase], metadata: str) -> Block:
    offered = found[:MOST_OFFERED]
    options = [option(f"{each.name} {case_title(each)}", each.case_id) for each in offered]
    chosen: Block = {**multi_select(CHOSEN, options), "max_selected_items": MOST_AT_ONCE}
    changes = [option(words, name) for name, words in CHANGES.items()]
    reasons = [option(words, reason) for reason, words in CLOSING_REASONS.items()]
    blocks = [
        form_field(CASES.capitalize(), chosen, hint=f"Up to {MOST_AT_ONCE}."),
        form_field("Change", select(CHANGE, changes)),
        form_field("Reason", select(WHY, reasons), hint=f"Why security {CASES} among them are closed.", optional=True),
    ]
    return modal(f"Change several {CASES}", blocks, callback_id=SEVERAL_FORM, metadata=metadata, submit="Next")


def read_several(view: Payload) -> tuple[tuple[str, ...], BulkChange | None]:
    """Datadog's ids of the chosen cases, and the change."""
    state = FormState(view)
    change, reason = state.choice(CHANGE), state.choice(WHY)
    known = BulkChange(change, reason if reason in CLOSING_REASONS else "") if change in CHANGES else None
    return tuple(dict.fromkeys(state.choices(CHOSEN))), known


def problems_of(chosen: Sequence[KnownCase], change: BulkChange | None) -> dict[str, str]:
    if not chosen:
        return {CHOSEN: f"Choose the {CASES}."}
    if len(chosen) > MOST_AT_ONCE:
        return {CHOSEN: f"These are {len(chosen)}. Choose up to {MOST_AT_ONCE}."}
    if change is None:
        return {CHANGE: "Choose what to change."}
    security = [each.name for each in chosen if each.is_security]
    if change.change == "closed" and security and not change.reason:
        return {WHY: f"{one_line(security[0], 40)} is a security {CASE}: without a reason its status does not change."}
    return {}


def confirm_view(chosen: Sequence[KnownCase], change: BulkChange, metadata: str) -> Block:
    listed = "\n".join(f"• {escape(each.name)} {escape(case_title(each)[:80])}" for each in chosen)
    blocks = [section(f"*{change.words}: {counted(len(chosen), CASE, CASES)}?*"), section(listed)]
    return modal("Are you sure?", blocks, callback_id=CONFIRM_FORM, metadata=metadata, submit="Yes, change them")


# -- what came of it --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    action: CaseAction
    name: str  # the case's key; untrusted, as all words here
    title: str
    state: str  # waiting | sending | done | refused
    said: str
    problem: Trouble | None

    @property
    def is_open(self) -> bool:
        return self.state not in {"done", "refused"}

    @property
    def line(self) -> str:
        """Mrkdwn."""
        case = f"*{escape(one_line(self.name, 60))}* {escape(one_line(self.title, 80))}"
        if self.is_open:
            return f":hourglass_flowing_sand: {case}"
        if self.state == "done":
            return f":white_check_mark: {case}: you {escape(one_line(self.said, 200))}"
        trouble = self.problem or Trouble(TroubleKind.UNCLEAR)
        detail = f" {DATADOG}: “{escape(one_line(trouble.detail, 200))}”." if trouble.detail else ""
        return f":warning: {case}: {undone(self.action)}. {explain(trouble)}{detail}"


def outcome_view(outcomes: Sequence[CaseOutcome]) -> Block:
    blocks = [section(_head(outcomes)), *(section(cut_mrkdwn(each.line, 2_900)) for each in outcomes[:MOST_AT_ONCE])]
    if any(each.is_open for each in outcomes):
        blocks.append(context("You can close this window: you are told when all are done."))
    return modal(f"Change several {CASES}", blocks, callback_id=CONFIRM_FORM)


def outcome_message(outcomes: Sequence[CaseOutcome]) -> Message:
    if len(outcomes) == 1:
        return sentences(outcomes[0].line)
    blocks = [section(_head(outcomes)), *(section(cut_mrkdwn(each.line, 2_900)) for each in outcomes[:MOST_AT_ONCE])]
    return Message(_head(outcomes), blocks)


def _head(outcomes: Sequence[CaseOutcome]) -> str:
    done, refused = (sum(each.state == state for each in outcomes) for state in ("done", "refused"))
    failed = f", {refused} not changed" if refused else ""
    return f"{done} of {counted(len(outcomes), CASE, CASES)} changed{failed}."
