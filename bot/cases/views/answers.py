"""What is said to one person about cases: how her order stands, why something did not work, and what to do next."""

from dataclasses import dataclass

from bot.cases.actions import CaseAction
from bot.cases.known import CaseActionKind, KnownCase
from bot.cases.requests import CaseRequest, CaseRequestState
from bot.cases.trouble import Trouble, Why
from bot.cases.views.card import case_title, case_url, facts_of, priority_word
from bot.slack.blocks import Block, actions, button, confirmation, rich_quote, rich_text, run, section
from bot.slack.message import Message, sentences
from bot.slack.text import clean, code, cut, cut_mrkdwn, escape, fit_mrkdwn, link, mention, moment, one_line
from bot.wording import CASE, COMMAND, DATADOG, INSIGHTS, duration

RETRY = "case_form:retry"
EDIT = "case_form:edit"
NEW = "case:new"
ACT_AGAIN = "case:act_again"
OPEN = "case_form:open"


@dataclass(frozen=True, slots=True)
class Told:
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


def explain(trouble: Trouble) -> tuple[str, str]:
    """What happened, and what to do; both mrkdwn."""
    match trouble.why:
        case Why.FORBIDDEN:
            lacking = f" It lacks the permission {code(trouble.permission, 80)}." if trouble.permission else ""
            return (
                f"My {DATADOG} key may not do this.{lacking}",
                f"Ask a {DATADOG} admin to grant that to the key's owner, and to the key itself if it is scoped.",
            )
        case Why.RATE_LIMITED:
            wait = f"in {duration(trouble.wait)}" if trouble.wait else "in a minute"
            return f"{DATADOG} limits how often we may ask, and says no for now.", f"Try again {wait}."
        case Why.NO_EMAIL:
            who = mention(trouble.about)
            return (
                f"Slack does not show me the e-mail address of {who}, so I can't tell who that is in {DATADOG}.",
                f"Assign it in {DATADOG}, or ask whoever installed this app to allow `users:read.email`.",
            )
        case Why.NO_USER:
            return (
                f"No active {DATADOG} user has the e-mail address of {mention(trouble.about)}'s Slack profile.",
                f"Assign it in {DATADOG}.",
            )
        case _:
            return _EXPLANATIONS[trouble.why]


_EXPLANATIONS = {
    Why.NO_ORG: (
        f"No {DATADOG} organisation is connected to this workspace.",
        "Ask whoever installed this app to connect one.",
    ),
    Why.BAD_REQUEST: (f"{DATADOG} did not accept it.", "Change what it complains about, then try again."),
    Why.UNAUTHORIZED: (
        f"{DATADOG} does not know the keys I use.",
        "Ask whoever runs this app to check the API key, the application key and the site.",
    ),
    Why.NOT_FOUND: (
        f"{DATADOG} can't find what this names: it may have been deleted meanwhile.",
        "Look at it in Datadog, then choose again.",
    ),
    Why.NO_PROJECT: (
        f"{DATADOG} has no {CASE} project that I may see.",
        f"Create one in {DATADOG}, or ask an admin to let my key see one. Then try again.",
    ),
    Why.CONFLICT: (
        f"Somebody else was changing the {CASE} at the same moment.",
        "See how it stands now, then try again.",
    ),
    Why.REFUSED: (f"{DATADOG} refused the request.", "If the reason is not clear, show this to whoever runs this app."),
    Why.NOT_REACHED: (
        f"{DATADOG} could not be reached; nothing was sent.",
        f"Look at {DATADOG}'s status page, then try again.",
    ),
    Why.UNCLEAR: (
        f"{DATADOG} did not answer clearly, so it may have been done or not.",
        f"See how the {CASE} stands, then try again.",
    ),
}


# -- an order -------------------------------------------------------------------------------------------------------


def order_told(order: CaseRequest, known: KnownCase | None, app_url: str) -> Told:
    match order.state:
        case CaseRequestState.DONE | CaseRequestState.CREATED if known is not None:
            return _made(order, known, app_url)
        case CaseRequestState.REFUSED:
            return _refused(order, order.problem or Trouble(Why.UNCLEAR))
        case CaseRequestState.UNCERTAIN:
            return _uncertain(order, app_url)
        case _:
            return _being_made(order)


def _being_made(order: CaseRequest) -> Told:
    if order.retry_at:
        when = moment(order.retry_at, "{time_secs}")
        return Told((f"{DATADOG} asked us to wait. I create the {CASE} at {when}; you can close this window.",))
    return Told((f"Creating the {CASE}… You can close this window: its card follows.",))


def _made(order: CaseRequest, known: KnownCase, app_url: str) -> Told:
    named = link(case_url(known, app_url), known.name)
    words = [f"*{named} is created.* {escape(case_title(known))}"]
    if order.state is CaseRequestState.CREATED:
        words.append("Adding what belongs to it…")
    words.append("Its card stands in the thread." if order.place.thread_ts else "Its card stands in the channel.")
    words += [_note(what, trouble) for what, trouble in order.notes]
    unfinished = any(what != "assignee" for what, _ in order.notes)
    again = (button("Try the rest again", RETRY, value=order.key, style="primary"),) if unfinished else ()
    shown = button(f"Open in {DATADOG}", OPEN, url=case_url(known, app_url))
    detail = next((trouble.detail for _, trouble in order.notes if trouble.detail), "")
    return Told(tuple(words), one_line(detail, 800), (*again, shown))


_NOTES = {
    "assignee": f"The {CASE} has no assignee.",
    "insights": f"Its {INSIGHTS} could not all be attached.",
    "comment": "The conclusions could not be added as a comment.",
}


def _note(what: str, trouble: Trouble) -> str:
    happened, next_step = explain(trouble)
    return f":warning: {_NOTES[what]} {happened} {next_step}"


def _refused(order: CaseRequest, trouble: Trouble) -> Told:
    happened, next_step = explain(trouble)
    words = (f"*The {CASE} was not created.* {happened}", f"{next_step} What you wrote is kept.")
    again = button("Try again", RETRY, value=order.key, style="primary")
    return Told(words, one_line(trouble.detail, 800), (again, button("Change it", EDIT, value=order.key)))


def not_allowed(order: CaseRequest, refusal: Message) -> Told:
    words = (refusal.text, "Nothing was sent. What you wrote is kept.")
    return Told(words, buttons=(button("Back", EDIT, value=order.key),))


def comment_not_allowed(refusal: Message, comment: str) -> Told:
    return Told((refusal.text, "The comment was not added. You wrote:"), kept=comment)


def _uncertain(order: CaseRequest, app_url: str) -> Told:
    listed = link(f"{app_url}/cases", f"the list of {CASE}s")
    look = f"Look into {listed} for “ref {order.ref}”: if it is not there, create it. I look once more before I do."
    words = (
        f"*I don't know whether the {CASE} was created.* {DATADOG} did not answer clearly, and shows none with our mark.",
        f"I never create the same one twice on a guess. {look}",
    )
    confirm = confirmation(f"Create the {CASE}?", f"Only if {DATADOG} does not show it.", confirm="Create it")
    return Told(words, "", (button("Create it", RETRY, value=order.key, confirm=confirm),))


# -- the card's buttons ---------------------------------------------------------------------------------------------


def act_failed(act: CaseAction, known: KnownCase, trouble: Trouble) -> Message:
    if trouble.why is Why.NOT_FOUND:
        happened, next_step = f"{DATADOG} has no such {CASE} any more.", "Its card says so now."
    else:
        happened, next_step = explain(trouble)
    words = [f"*{_undone(act)} on {escape(known.name)}.* {happened} {next_step}"]
    kept = act.value if act.kind is CaseActionKind.COMMENT else ""
    if kept:
        words.append("Here it is again, so that you don't lose it:")
    again = (button("Try again", ACT_AGAIN, value=str(act.id)),) if trouble.may_pass else ()
    return Told(tuple(words), one_line(trouble.detail, 800), again, kept).message


def _undone(act: CaseAction) -> str:
    match act.kind:
        case CaseActionKind.STATUS:
            return f"The status was not set to {escape(one_line(act.value, 75))}"
        case CaseActionKind.PRIORITY:
            return f"The priority was not set to {escape(priority_word(act.value))}"
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
    happened, next_step = explain(trouble)
    return Told((f"{happened} {next_step}",), one_line(trouble.detail, 800)).message


def card_stands(known: KnownCase, app_url: str, permalink: str) -> Message:
    facts = " · ".join(f"{label}: {escape(value)}" for label, value in facts_of(known))
    where = f"See {link(permalink, 'its card')}." if permalink else "Its card stands here already."
    return sentences(f"*{link(case_url(known, app_url), known.name)}* {escape(case_title(known))}. {facts}.", where)


def case_unknown_here() -> Message:
    return sentences(f"I no longer know this {CASE}. `{COMMAND} case <key>` shows it again.")


def form_lost() -> Message:
    return sentences(f"I no longer have this form. Open it anew, or type `{COMMAND} case new`.")


def press_to_open(title: str) -> Message:
    """After a mention, which gives no right to open a window: a button does."""
    words = f"Press to open the form: {escape(one_line(title, 150))}" if title else "Press to open the form."
    opens = button(f"Create {CASE}", NEW, value=one_line(title, 1_500) or "-", style="primary")
    return Message(words, [section(words), actions(opens)])
