"""What is said to one person about cases: how a request stands, why something did not work, and what to do next."""

from dataclasses import dataclass

from bot.cases.model import CaseAction, CaseActionKind, CaseRequest, CaseRequestState, KnownCase
from bot.cases.views.card import case_title, case_url, facts_line, priority_word
from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    confirmation,
    rich_quote,
    rich_text,
    run,
    section,
    sentences,
)
from bot.slack.errors import TroubleWords, explain
from bot.slack.text import clean, code, cut, cut_mrkdwn, escape, fit_mrkdwn, link, moment, one_line
from bot.wording import CASE, COMMAND, DATADOG, INSIGHTS

RETRY = "case_form:retry"
EDIT = "case_form:edit"
NEW = "case:new"
ACTION_AGAIN = "case:act_again"
OPEN = "case_form:open"


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """Words (mrkdwn), Datadog's own words beside them (untrusted), and buttons: for a modal and a message alike."""

    words: tuple[str, ...]
    quoted: str = ""
    buttons: tuple[Block, ...] = ()
    kept: str = ""  # what the person wrote and must not lose (untrusted)

    @property
    def blocks(self) -> list[Block]:
        quotes = [f"{DATADOG}: {self.quoted}" if self.quoted else "", clean(self.kept)]
        shown = [rich_text(rich_quote([run(cut(quote, 3_000))])) for quote in quotes if quote]
        return [section("\n".join(self.words)), *shown, *([actions(*self.buttons)] if self.buttons else [])]

    @property
    def message(self) -> Message:
        quoted = [f"{DATADOG}: “{fit_mrkdwn(self.quoted, 800)}”."] if self.quoted else []
        kept = [fit_mrkdwn(self.kept, 1_000)] if self.kept else []
        return Message(cut_mrkdwn(" ".join([*self.words, *quoted, *kept]), 3_900), self.blocks)


# -- a request ------------------------------------------------------------------------------------------------------


def request_answer(request: CaseRequest, known: KnownCase | None, app_url: str) -> CaseAnswer:
    match request.state:
        case CaseRequestState.DONE | CaseRequestState.CREATED if known is not None:
            return _made(request, known, app_url)
        case CaseRequestState.REFUSED:
            return _refused(request, request.problem or Trouble(TroubleKind.UNCLEAR))
        case CaseRequestState.UNCERTAIN:
            return _uncertain(request, app_url)
        case _:
            return _being_made(request)


def _being_made(request: CaseRequest) -> CaseAnswer:
    if request.retry_at:
        when = moment(request.retry_at, "{time_secs}")
        return CaseAnswer((f"{DATADOG} asked us to wait. I create the {CASE} at {when}; you can close this window.",))
    return CaseAnswer((f"Creating the {CASE}… You can close this window: its card follows.",))


def _made(request: CaseRequest, known: KnownCase, app_url: str) -> CaseAnswer:
    named = link(case_url(known, app_url), known.name)
    words = [f"*{named} is created.* {escape(case_title(known))}"]
    if request.state is CaseRequestState.CREATED:
        words.append("Adding what belongs to it…")
    words.append("Its card stands in the thread." if request.place.thread_ts else "Its card stands in the channel.")
    words += [_note(what, trouble) for what, trouble in request.notes]
    unfinished = any(what != "assignee" for what, _ in request.notes)
    again = (button("Try the rest again", RETRY, value=request.key, style="primary"),) if unfinished else ()
    shown = button(f"Open in {DATADOG}", OPEN, url=case_url(known, app_url))
    detail = next((trouble.detail for _, trouble in request.notes if trouble.detail), "")
    return CaseAnswer(tuple(words), one_line(detail, 800), (*again, shown))


_NOTES = {
    "assignee": f"The {CASE} has no assignee.",
    "insights": f"Its {INSIGHTS} could not all be attached.",
    "comment": "The conclusions could not be added as a comment.",
}


def _note(what: str, trouble: Trouble) -> str:
    return f":warning: {_NOTES[what]} {explain(trouble)}"


def _refused(request: CaseRequest, trouble: Trouble) -> CaseAnswer:
    why = explain(trouble)
    words = (f"*The {CASE} was not created.* {why.happened}", f"{why.next_step} What you wrote is kept.")
    again = button("Try again", RETRY, value=request.key, style="primary")
    return CaseAnswer(words, one_line(trouble.detail, 800), (again, button("Change it", EDIT, value=request.key)))


def not_allowed(request: CaseRequest, refusal: Message) -> CaseAnswer:
    words = (refusal.text, "Nothing was sent. What you wrote is kept.")
    return CaseAnswer(words, buttons=(button("Back", EDIT, value=request.key),))


def comment_not_allowed(refusal: Message, comment: str) -> CaseAnswer:
    return CaseAnswer((refusal.text, "The comment was not added. You wrote:"), kept=comment)


def _uncertain(request: CaseRequest, app_url: str) -> CaseAnswer:
    listed = link(f"{app_url}/cases", f"the list of {CASE}s")
    look = f"Look into {listed} for “ref {request.ref}”: if it is not there, create it. I look once more before I do."
    words = (
        f"*I don't know whether the {CASE} was created.* {DATADOG} did not answer clearly, and shows none with our mark.",
        f"I never create the same one twice on a guess. {look}",
    )
    confirm = confirmation(f"Create the {CASE}?", f"Only if {DATADOG} does not show it.", confirm="Create it")
    return CaseAnswer(words, "", (button("Create it", RETRY, value=request.key, confirm=confirm),))


# -- the card's buttons ---------------------------------------------------------------------------------------------


def action_failed(action: CaseAction, known: KnownCase, trouble: Trouble) -> Message:
    gone = TroubleWords(f"{DATADOG} has no such {CASE} any more.", "Its card says so now.")
    words = [f"*{_undone(action)} on {escape(known.name)}.* {explain(trouble, {TroubleKind.NOT_FOUND: gone})}"]
    kept = action.value if action.kind is CaseActionKind.COMMENT else ""
    if kept:
        words.append("Here it is again, so that you don't lose it:")
    again = (button("Try again", ACTION_AGAIN, value=str(action.id)),) if trouble.may_pass else ()
    return CaseAnswer(tuple(words), one_line(trouble.detail, 800), again, kept).message


def _undone(action: CaseAction) -> str:
    match action.kind:
        case CaseActionKind.STATUS:
            return f"The status was not set to {escape(one_line(action.value, 75))}"
        case CaseActionKind.PRIORITY:
            return f"The priority was not set to {escape(priority_word(action.value))}"
        case CaseActionKind.ASSIGN:
            return "You were not assigned"
        case _:
            return "The comment was not added"


# -- looking one up -------------------------------------------------------------------------------------------------


def looking_up(identifier: str) -> Message:
    return sentences(f"Looking up {CASE} {code(identifier, 60)} in {DATADOG}…")


def unknown_case(identifier: str) -> Message:
    return sentences(
        f"{DATADOG} knows no {CASE} {code(identifier, 60)}. A {CASE} moved to another project has a new key:",
        f"open it in {DATADOG} and paste its link.",
    )


def lookup_failed(trouble: Trouble) -> Message:
    return CaseAnswer((str(explain(trouble)),), one_line(trouble.detail, 800)).message


def card_stands(known: KnownCase, app_url: str, permalink: str) -> Message:
    where = f"See {link(permalink, 'its card')}." if permalink else "Its card stands here already."
    return sentences(
        f"*{link(case_url(known, app_url), known.name)}* {escape(case_title(known))}. {facts_line(known)}.", where
    )


def case_unknown_here() -> Message:
    return sentences(f"I no longer know this {CASE}. `{COMMAND} case <key>` shows it again.")


def form_lost() -> Message:
    return sentences(f"I no longer have this form. Open it anew, or type `{COMMAND} case new`.")


def press_to_open(title: str) -> Message:
    """After a mention, which gives no right to open a window: a button does."""
    words = f"Press to open the form: {escape(one_line(title, 150))}" if title else "Press to open the form."
    opens = button(f"Create {CASE}", NEW, value=one_line(title, 1_500) or "-", style="primary")
    return Message(words, [section(words), actions(opens)])
