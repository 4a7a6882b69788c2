"""The windows around a case: the form filled in beforehand, what was written into it, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bot.cases.catalog import Catalog
from bot.cases.choices import NO_PRIORITY, first_status, offered_types, preselected_type, sorted_projects, status_names
from bot.cases.known import KnownCase
from bot.cases.requests import Wanted
from bot.cases.views.answers import Told
from bot.cases.views.card import ATTACH, case_title, case_url, facts_of, priority_word
from bot.datadog.case_model import PRIORITIES, CaseType, Project
from bot.slack.blocks import Block, actions, button, context, option, plain, section
from bot.slack.text import clean, cut, escape, is_user, mention, one_line
from bot.wording import CASE, DATADOG, INSIGHTS, OPEN_IN_DATADOG

FORM = "case_form"
COMMENT_FORM = "case_comment"
ANOTHER = "case_form:another"
ANYWAY = "case_form:anyway"
RELOAD = "case_form:reload"
OPEN = "case_form:open"
TITLE, PROJECT, TYPE, STATUS = "case_title", "case_project", "case_type", "case_status"
PRIORITY, ASSIGNEE, DESCRIPTION, COMMENT = "case_priority", "case_assignee", "case_description", "case_comment"

MOST_OPTIONS = 100
_TITLE_LIMIT = 200
_TEXT_LIMIT = 3_000


@dataclass(frozen=True, slots=True)
class Form:
    """What the form shows."""

    key: str
    wanted: Wanted  # the values it opens with
    catalog: Catalog
    can_assign: bool = False
    goes_with_it: tuple[str, ...] = ()  # plain, untrusted

    @property
    def project(self) -> Project | None:
        only = self.catalog.projects[0] if len(self.catalog.projects) == 1 else None
        return self.catalog.project(self.wanted.project_id) or only

    @property
    def types(self) -> tuple[CaseType, ...]:
        return offered_types(self.catalog.types, self.project)[:MOST_OPTIONS]

    @property
    def type(self) -> CaseType | None:
        return preselected_type(self.types, self.wanted.type_id)


@dataclass(frozen=True, slots=True)
class Filled:
    """What was chosen and typed; empty where nothing was."""

    title: str
    description: str
    project_id: str
    type_id: str
    status_name: str
    priority: str
    assignee: str


# -- windows --------------------------------------------------------------------------------------------------------


def loading_view(key: str) -> Block:
    return _window(f"Create {CASE}", [section(f"Asking {DATADOG} for its projects…")], key)


def told_view(key: str, told: Told, *, title: str = f"Create {CASE}", close: str = "Close") -> Block:
    return _window(title, told.blocks, key, close=close)


def trouble_view(key: str, told: Told) -> Block:
    again = actions(button("Try again", RELOAD, value=key, style="primary"))
    return _window(f"Create {CASE}", [*told.blocks, again], key)


def offer_view(key: str, known: KnownCase, app_url: str) -> Block:
    """A thread that has a case already offers that one first."""
    facts = " · ".join(f"{label}: {escape(value)}" for label, value in facts_of(known))
    blocks = [
        section(f"*This thread has a {CASE} already:* {escape(known.name)} {escape(case_title(known))}"),
        context(facts),
        actions(
            button(OPEN_IN_DATADOG, OPEN, url=case_url(known, app_url), style="primary"),
            button(f"Attach {INSIGHTS}", ATTACH, value=str(known.id)),
            button(f"Create another {CASE}", ANOTHER, value=key),
        ),
    ]
    return _window(f"Create {CASE}", blocks, key)


def rival_view(key: str, *, rival: KnownCase | None, maker: str, app_url: str) -> Block:
    """Somebody was faster in the same thread: two of the same are seldom wanted."""
    if rival is None:
        words = f"*{mention(maker)} is creating a {CASE} for this thread right now.* Its card follows in the thread."
        opened: tuple[Block, ...] = ()
    else:
        words = (
            f"*This thread has got a {CASE} meanwhile:* {escape(rival.name)} {escape(case_title(rival))}. "
            "Yours was not created; what you wrote is kept."
        )
        opened = (button(OPEN_IN_DATADOG, OPEN, url=case_url(rival, app_url), style="primary"),)
    anyway = button("Create mine as well", ANYWAY, value=key)
    return _window(f"Create {CASE}", [section(words), actions(*opened, anyway)], key)


def comment_view(known: KnownCase, private_metadata: str) -> Block:
    field: Block = {"type": "plain_text_input", "action_id": COMMENT, "multiline": True, "max_length": _TEXT_LIMIT}
    blocks = [_input(COMMENT, f"Comment on {one_line(known.name, 60)}", field)]
    view = _window("Add comment", blocks, private_metadata, close="Cancel", submit="Add comment")
    return {**view, "callback_id": COMMENT_FORM}


def form_view(form: Form) -> Block:
    wanted, project, kind = form.wanted, form.project, form.type
    blocks = [
        _input(TITLE, "Title", _text(TITLE, wanted.title, _TITLE_LIMIT)),
        _input(PROJECT, "Project", _project_select(form.catalog.projects, project), dispatch=True),
        _input(_type_block(form.types), "Type", _type_select(form.types, kind), dispatch=True),
        *_status_input(kind, wanted.status_name),
        _input(PRIORITY, "Priority", _priority_select(wanted.priority)),
        *_assignee_input(form),
        _input(
            DESCRIPTION, "Description", _text(DESCRIPTION, wanted.description, _TEXT_LIMIT, many=True), optional=True
        ),
        *_goes_with_it(form.goes_with_it),
    ]
    return _window(f"Create {CASE}", blocks, form.key, close="Cancel", submit="Create")


def _window(title: str, blocks: Sequence[Block], key: str, *, close: str = "Close", submit: str = "") -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": FORM,
        "title": plain(title, 24),
        "close": plain(close, 24),
        "private_metadata": key,
        "blocks": list(blocks),
    }
    return {**view, "submit": plain(submit, 24)} if submit else view


def _input(name: str, label: str, element: Block, *, optional: bool = False, dispatch: bool = False) -> Block:
    block: Block = {"type": "input", "block_id": name, "label": plain(label), "element": element, "optional": optional}
    return {**block, "dispatch_action": True} if dispatch else block


def _text(name: str, initial: str, limit: int, *, many: bool = False) -> Block:
    field: Block = {"type": "plain_text_input", "action_id": name, "max_length": limit}
    shown = cut(clean(initial).strip(), limit) if many else one_line(initial, limit)
    return {**field, **({"multiline": True} if many else {}), **({"initial_value": shown} if shown else {})}


def _project_select(projects: Iterable[Project], chosen: Project | None) -> Block:
    """A plain list where Slack can hold it, else one that is searched as one types."""
    listed = sorted_projects(projects)
    placeholder = plain("Choose a project", 150)
    element: Block = {"type": "static_select", "action_id": PROJECT, "placeholder": placeholder}
    if len(listed) > MOST_OPTIONS:
        element |= {"type": "external_select", "min_query_length": 0}
    else:
        element["options"] = [project_option(each) for each in listed]
    return {**element, "initial_option": project_option(chosen)} if chosen else element


def project_option(project: Project) -> Block:
    named = project.name if project.name == project.key else f"{project.name} ({project.key})"
    return option(named or project.id, project.id)


def _type_block(types: Sequence[CaseType]) -> str:
    """A project with other types gets another block, so that no client keeps a type that is not offered."""
    offered = sha256("\0".join(each.id for each in types).encode()).hexdigest()[:12]
    return f"{TYPE}:{offered}"


def _type_select(types: Sequence[CaseType], chosen: CaseType | None) -> Block:
    options = [option(each.name or each.id, each.id) for each in types]
    element: Block = {"type": "static_select", "action_id": TYPE, "options": options}
    at = next((number for number, each in enumerate(types) if chosen and each.id == chosen.id), None)
    return element if at is None else {**element, "initial_option": options[at]}


def _status_input(kind: CaseType | None, wanted: str) -> list[Block]:
    names = [each.name for each in status_names(kind) if one_line(each.name) and len(each.name) <= 75][:MOST_OPTIONS]
    if kind is None or len(names) < 2:
        return []
    options = [option(name, name) for name in names]
    first = first_status(kind)
    initial = wanted if wanted in names else first.name if first else ""
    element: Block = {"type": "static_select", "action_id": STATUS, "options": options}
    if initial in names:
        element["initial_option"] = options[names.index(initial)]
    return [_input(f"{STATUS}:{kind.id}"[:255], "Status", element)]


def _priority_select(wanted: str) -> Block:
    options = [option(priority_word(each), each) for each in PRIORITIES]
    initial = PRIORITIES.index(wanted if wanted in PRIORITIES else NO_PRIORITY)
    return {"type": "static_select", "action_id": PRIORITY, "options": options, "initial_option": options[initial]}


def _assignee_input(form: Form) -> list[Block]:
    if not form.can_assign:
        return []
    element: Block = {"type": "users_select", "action_id": ASSIGNEE, "placeholder": plain("Nobody", 150)}
    if is_user(form.wanted.assignee):
        element["initial_user"] = form.wanted.assignee
    return [_input(ASSIGNEE, "Assignee", element, optional=True)]


def _goes_with_it(things: Sequence[str]) -> list[Block]:
    if not things:
        return []
    listed = "; ".join(escape(one_line(each, 200)) for each in things)
    return [context(f"Attached with it: {listed}.")]


# -- what was written into them -------------------------------------------------------------------------------------


def read_form(view: Mapping[str, Any]) -> Filled:
    return Filled(
        title=one_line(_typed(view, TITLE), _TITLE_LIMIT),
        description=clean(_typed(view, DESCRIPTION)).strip(),
        project_id=_chosen(view, PROJECT),
        type_id=_chosen(view, TYPE),
        status_name=_status_of_type(view, _chosen(view, TYPE)),
        priority=_chosen(view, PRIORITY),
        assignee=str(_field(view, ASSIGNEE).get("selected_user") or ""),
    )


def problems_of(filled: Filled, catalog: Catalog | None, view: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by block id, as an answer of `response_action: errors` takes it."""
    problems = {}
    if not filled.title:
        problems[TITLE] = f"A {CASE} needs a title that one can read."
    if not filled.project_id or (catalog and catalog.project(filled.project_id) is None):
        problems[PROJECT] = "Choose a project."
    if not filled.type_id or (catalog and catalog.type(filled.type_id) is None):
        problems[_block_of(view, TYPE)] = "Choose a type."
    return problems


def read_comment(view: Mapping[str, Any]) -> str:
    return clean(_typed(view, COMMENT)).strip()


def has_assignee(view: Mapping[str, Any]) -> bool:
    return any(block.get("block_id") == ASSIGNEE for block in view.get("blocks") or ())


def _status_of_type(view: Mapping[str, Any], type_id: str) -> str:
    """The status chosen for this very type; one left over from another type does not count."""
    return _chosen(view, STATUS) if _block_of(view, STATUS) == f"{STATUS}:{type_id}"[:255] else ""


def _values(view: Mapping[str, Any]) -> Mapping[str, Any]:
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    return values if isinstance(values, Mapping) else {}


def _block_of(view: Mapping[str, Any], action_id: str) -> str:
    return next((str(name) for name, fields in _values(view).items() if action_id in fields), action_id)


def _field(view: Mapping[str, Any], action_id: str) -> Mapping[str, Any]:
    field = (_values(view).get(_block_of(view, action_id)) or {}).get(action_id)
    return field if isinstance(field, Mapping) else {}


def _typed(view: Mapping[str, Any], action_id: str) -> str:
    value = _field(view, action_id).get("value")
    return value if isinstance(value, str) else ""


def _chosen(view: Mapping[str, Any], action_id: str) -> str:
    chosen = _field(view, action_id).get("selected_option")
    return str(chosen.get("value") or "") if isinstance(chosen, Mapping) else ""
