"""What is said to one person about cases: how a request stands, why something did not work, and what to do next; and the
form of a new case, filled in beforehand, with what was written into it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bot.cases.card import ATTACH, case_title, case_url, priority_word, stands_line
from bot.cases.catalog import (
    MOST_OPTIONS,
    NO_PRIORITY,
    Catalog,
    first_status,
    offered_types,
    preselected_type,
    project_words,
    sorted_projects,
    status_names,
)
from bot.cases.model import (
    CaseContent,
    CaseRequest,
    CaseRequestState,
    KnownCase,
)
from bot.datadog.cases import PRIORITIES, SECURITY_TYPE, CaseType, Project
from bot.datadog.insights import KINDS, InsightType
from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    confirmation,
    context,
    option,
    plain,
    rich_quote,
    rich_text,
    run,
    section,
    sentences,
)
from bot.slack.errors import explain, why_it_waits
from bot.slack.forms import FormState, form_field, modal, select, text_input
from bot.slack.payloads import Payload
from bot.slack.text import clean, code, cut, cut_mrkdwn, escape, fit_mrkdwn, is_user, link, mention, moment, one_line
from bot.wording import CASE, COMMAND, DATADOG, INSIGHTS, OPEN_IN_DATADOG

FORM = "case_form"
COMMENT_FORM = "case_comment"
ANOTHER = "case_form:another"
ANYWAY = "case_form:anyway"
RELOAD = "case_form:reload"
RETRY = "case_form:retry"
EDIT = "case_form:edit"
NEW = "case:new"
OPEN = "case_form:open"
TITLE, PROJECT, TYPE, STATUS = "case_title", "case_project", "case_type", "case_status"
RESOURCE = "case_resource"
PRIORITY, ASSIGNEE, DESCRIPTION, COMMENT = "case_priority", "case_assignee", "case_description", "case_comment"

_TITLE_LIMIT = 200
_TEXT_LIMIT = 3_000


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
        why = why_it_waits(request.problem)
        return CaseAnswer((f"{why} I create the {CASE} at {when}; you can close this window.",))
    return CaseAnswer((f"Creating the {CASE}… You can close this window: its card follows.",))


def _made(request: CaseRequest, known: KnownCase, app_url: str) -> CaseAnswer:
    named = link(case_url(known, app_url), known.name)
    words = [f"*Created {named}.* {escape(case_title(known))}"]
    if request.state is CaseRequestState.CREATED:
        words.append("Adding what belongs to it…")
    words.append(f"The {CASE} card is in the {'thread' if request.place.thread_ts else 'channel'}.")
    words += notes_of(request)
    unfinished = any(what != "assignee" for what, _ in request.notes)
    again = (button("Try the rest again", RETRY, value=request.key, style="primary"),) if unfinished else ()
    shown = button(f"Open in {DATADOG}", OPEN, url=case_url(known, app_url))
    detail = next((trouble.detail for _, trouble in request.notes if trouble.detail), "")
    return CaseAnswer(tuple(words), one_line(detail, 800), (*again, shown))


def notes_of(request: CaseRequest) -> list[str]:
    """What did not work beside the case itself, mrkdwn."""
    return [f":warning: {_NOTES[what]} {explain(trouble)}" for what, trouble in request.notes]


_NOTES = {
    "assignee": f"The {CASE} has no assignee.",
    "attributes": "The alert's service, team and environment could not be set on it.",
    "insights": f"Its {INSIGHTS} could not all be attached.",
    "comment": "The conclusions could not be added as a comment.",
}


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


# -- looking one up -------------------------------------------------------------------------------------------------


def looking_up(identifier: str) -> Message:
    return sentences(f"Looking up {CASE} {code(identifier, 60)} in {DATADOG}…")


def unknown_case(identifier: str) -> Message:
    return sentences(
        f"{CASE.capitalize()} {code(identifier, 60)} doesn't exist, or I can't see it. A {CASE} moved to another project has a new key:",
        f"open it in {DATADOG} and paste its link.",
    )


def lookup_failed(trouble: Trouble) -> Message:
    return CaseAnswer((str(explain(trouble)),), one_line(trouble.detail, 800)).message


def card_stands(known: KnownCase, app_url: str, permalink: str) -> Message:
    where = f"See {link(permalink, 'its card')}." if permalink else f"The {CASE} card is here already."
    return sentences(
        f"*{link(case_url(known, app_url), known.name)}* {escape(case_title(known))}. {stands_line(known)}.", where
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


@dataclass(frozen=True, slots=True)
class CaseForm:
    """What the form shows."""

    key: str
    content: CaseContent  # the values it opens with
    catalog: Catalog
    can_assign: bool = False
    goes_with_it: tuple[str, ...] = ()  # plain, untrusted
    unnamed: InsightType | None = None  # what the message shows, without saying which one

    @property
    def project(self) -> Project | None:
        only = self.catalog.projects[0] if len(self.catalog.projects) == 1 else None
        return self.catalog.project(self.content.project_id) or only

    @property
    def types(self) -> tuple[CaseType, ...]:
        return offered_types(self.catalog.types, self.project)[:MOST_OPTIONS]

    @property
    def type(self) -> CaseType | None:
        return preselected_type(self.types, self.content.type_id)


# -- windows --------------------------------------------------------------------------------------------------------


def loading_view(key: str) -> Block:
    return _window(key, section(f"Asking {DATADOG} for its projects…"))


def answer_view(key: str, answer: CaseAnswer, *, title: str = f"Create {CASE}") -> Block:
    return modal(title, answer.blocks, callback_id=FORM, metadata=key)


def trouble_view(key: str, trouble: Trouble) -> Block:
    why = explain(trouble)
    answer = CaseAnswer((why.happened, why.next_step), one_line(trouble.detail, 800))
    again = actions(button("Try again", RELOAD, value=key, style="primary"))
    return _window(key, *answer.blocks, again)


def offer_view(key: str, known: KnownCase, app_url: str) -> Block:
    """A thread that has a case already offers that one first."""
    return _window(
        key,
        section(f"*This thread has a {CASE} already:* {escape(known.name)} {escape(case_title(known))}"),
        context(stands_line(known)),
        actions(
            button(OPEN_IN_DATADOG, OPEN, url=case_url(known, app_url), style="primary"),
            button(f"Attach {INSIGHTS}", ATTACH, value=str(known.id)),
            button(f"Create another {CASE}", ANOTHER, value=key),
        ),
    )


def made_meanwhile_view(key: str, made: KnownCase, app_url: str) -> Block:
    """Somebody was faster in the same thread: two of the same are seldom wanted."""
    words = (
        f"*This thread has got a {CASE} meanwhile:* {escape(made.name)} {escape(case_title(made))}. "
        "Yours was not created; what you wrote is kept."
    )
    opened = button(OPEN_IN_DATADOG, OPEN, url=case_url(made, app_url), style="primary")
    return _window(key, section(words), actions(opened, _anyway(key)))


def being_made_view(key: str, requester: str) -> Block:
    """The same, and the other one is not there yet."""
    who = mention(requester) if requester else "This channel's rule"
    words = f"*{who} is creating a {CASE} for this thread right now.* Its card follows in the thread."
    return _window(key, section(words), actions(_anyway(key)))


def _anyway(key: str) -> Block:
    return button("Create mine as well", ANYWAY, value=key)


def comment_view(known: KnownCase, metadata: str) -> Block:
    words = text_input(COMMENT, limit=_TEXT_LIMIT, multiline=True)
    block = form_field(f"Comment on {one_line(known.name, 60)}", words)
    return modal("Add comment", [block], callback_id=COMMENT_FORM, metadata=metadata, submit="Add comment")


def form_view(form: CaseForm) -> Block:
    content, types, kind = form.content, form.types, form.type
    # a project with other types gets another block, so that no client keeps a type that is not offered
    offered = sha256("\0".join(each.id for each in types).encode()).hexdigest()[:12]
    kinds = [option(each.name or each.id, each.id) for each in types]
    type_select = select(TYPE, kinds, kind.id if kind else "")
    priority = content.priority if content.priority in PRIORITIES else NO_PRIORITY
    priorities = [option(priority_word(each), each) for each in PRIORITIES]
    description = text_input(DESCRIPTION, content.description, limit=_TEXT_LIMIT, multiline=True)
    blocks = [
        form_field("Title", text_input(TITLE, content.title, limit=_TITLE_LIMIT)),
        form_field("Project", _project_select(form.catalog.projects, form.project), sends_changes=True),
        form_field("Type", type_select, block_id=f"{TYPE}:{offered}", sends_changes=True),
        *_status_field(kind, content.status_name),
        form_field("Priority", select(PRIORITY, priorities, priority)),
        *_assignee_field(form),
        form_field("Description", description, optional=True),
        *_resource_field(form),
        *_goes_with_it(form.goes_with_it),
    ]
    return modal(f"Create {CASE}", blocks, callback_id=FORM, metadata=form.key, submit="Create")


def _window(key: str, *blocks: Block) -> Block:
    return modal(f"Create {CASE}", blocks, callback_id=FORM, metadata=key)


def _project_select(projects: Iterable[Project], chosen: Project | None) -> Block:
    """A plain list where Slack can hold it, else one that is searched as one types."""
    listed, placeholder = sorted_projects(projects), plain("Choose a project", 150)
    if len(listed) <= MOST_OPTIONS:
        options = [project_option(each) for each in listed]
        return {**select(PROJECT, options, chosen.id if chosen else ""), "placeholder": placeholder}
    element: Block = {
        "type": "external_select",
        "action_id": PROJECT,
        "min_query_length": 0,
        "placeholder": placeholder,
    }
    return {**element, "initial_option": project_option(chosen)} if chosen else element


def project_option(project: Project) -> Block:
    return option(project_words(project), project.id)


def _status_field(kind: CaseType | None, wanted: str) -> list[Block]:
    # a security case is closed with a reason, which a new one has no field for
    offered = [
        each for each in status_names(kind) if not (each.group == "closed" and kind and kind.id == SECURITY_TYPE)
    ]
    names = [each.name for each in offered if one_line(each.name) and len(each.name) <= 75][:MOST_OPTIONS]
    if kind is None or len(names) < 2:
        return []
    first = first_status(kind)
    initial = wanted if wanted in names else first.name if first else ""
    element = select(STATUS, [option(name, name) for name in names], initial)
    return [form_field("Status", element, block_id=_status_block(kind.id))]


def _status_block(type_id: str) -> str:
    return f"{STATUS}:{type_id}"[:255]


def _assignee_field(form: CaseForm) -> list[Block]:
    if not form.can_assign:
        return []
    element: Block = {"type": "users_select", "action_id": ASSIGNEE, "placeholder": plain("Nobody", 150)}
    if is_user(form.content.assignee):
        element["initial_user"] = form.content.assignee
    return [form_field("Assignee", element, optional=True)]


def _resource_field(form: CaseForm) -> list[Block]:
    if form.unnamed is None:
        return []
    kind = KINDS[form.unnamed]
    hint = (
        f"The message's link does not say which one it is. With its id it is attached; its page in {DATADOG} shows it."
    )
    return [
        form_field(
            f"Id of the {kind.name}",
            text_input(RESOURCE, form.content.resource_id, limit=200),
            hint=hint,
            optional=True,
        )
    ]


def _goes_with_it(things: Sequence[str]) -> list[Block]:
    if not things:
        return []
    listed = "; ".join(escape(one_line(each, 200)) for each in things)
    return [context(f"Attached with it: {listed}.")]


# -- what was written into them -------------------------------------------------------------------------------------


def read_form(view: Payload) -> CaseContent:
    entered = FormState(view)
    type_id = entered.choice(TYPE)
    # a status left over from another type does not count
    status = entered.choice(STATUS) if entered.block_id(STATUS) == _status_block(type_id) else ""
    return CaseContent(
        title=one_line(entered.text(TITLE), _TITLE_LIMIT),
        description=entered.text(DESCRIPTION),
        project_id=entered.choice(PROJECT),
        type_id=type_id,
        status_name=status,
        priority=entered.choice(PRIORITY),
        assignee=entered.person(ASSIGNEE),
        resource_id=one_line(entered.text(RESOURCE), 200),
    )


def problems_of(content: CaseContent, catalog: Catalog | None, view: Payload) -> dict[str, str]:
    """What is wrong, a sentence for each block."""
    problems = {}
    if not content.title:
        problems[TITLE] = f"A {CASE} needs a title."
    if not content.project_id or (catalog and catalog.project(content.project_id) is None):
        problems[PROJECT] = "Choose a project."
    if not content.type_id or (catalog and catalog.type(content.type_id) is None):
        problems[FormState(view).block_id(TYPE)] = "Choose a type."
    return problems


def has_assignee(view: Payload) -> bool:
    return any(block.get("block_id") == ASSIGNEE for block in view.get("blocks") or ())
