"""The case card, its answers and windows: within Slack's limits and live in no way, whatever Datadog's words are."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.cases import card as case_card
from bot.cases import views as case_views
from bot.cases.action_views import ACTION_AGAIN, action_failed
from bot.cases.catalog import Catalog
from bot.cases.model import (
    ATTRIBUTE_CHANGES,
    AttributeChanges,
    CaseAction,
    CaseActionKind,
    CaseContent,
    CaseRequest,
    CaseRequestState,
    CaseSource,
    DoneAction,
    KnownCase,
)
from bot.cases.views import CaseForm, form_view, problems_of, read_form, request_answer
from bot.datadog.case_attributes import CustomValue
from bot.datadog.cases import STANDARD_TYPE, CaseType, Project, StatusOption
from bot.datadog.trouble import Trouble, TroubleKind
from bot.model import Place
from bot.sandbox.slack import blockkit as local_slack
from bot.slack.blocks import Message
from tests.slack.blockkit import links, mrkdwn, shown

APP_URL = "https://app.datadoghq.com"
HOSTILE = "<!channel> <https://evil.example|https://app.datadoghq.com> <@U123> `x` *y* & \u202egnp"
LONG = "&<>" * 2_000
THREAD = Place("T1", "C1", "1.0")
STATUSES = (StatusOption("Open", "open", default=True), StatusOption("In Progress", "in_progress"))
NAMED = tuple((each.name, each.group) for each in STATUSES)
KNOWN = KnownCase(
    7,
    "default",
    "uuid-1",
    "CASEM-42",
    title="Disk full",
    status="OPEN",
    status_name="Open",
    priority="P2",
    type_id=STANDARD_TYPE,
    type_name="Standard",
    project_name="Case Management",
    assignee="Ana Lytic",
    insights=2,
    statuses=NAMED,
    done=(DoneAction("U0ANA", "opened this case", 1_700_000_000.0),),
)
REQUEST = CaseRequest(
    1,
    "key-of-the-request",
    "7KQ2MXPA",
    "default",
    THREAD,
    "U1",
    CaseSource(),
    CaseRequestState.ORDERED,
    content=CaseContent("Disk full", "", "p1", "CASEM", STANDARD_TYPE),
)


def _hostile(words: str) -> KnownCase:
    actions = tuple(DoneAction("U0ANA", f"set the status to {words}", 1_700_000_000.0) for _ in range(4))
    names: dict[str, Any] = {
        "title": words,
        "status_name": words,
        "priority": words,
        "type_name": words,
        "project_name": words,
    }
    return replace(KNOWN, **names, assignee=words, done=actions, statuses=((words, "open"), *NAMED))


def _check_message(message: Message) -> None:
    assert 0 < len(message.text) <= 4_000
    assert local_slack.check_blocks(message.blocks, "message") == []
    assert sum(len(text) for text in shown(message.blocks)) <= 12_000
    _check_nothing_is_live([message.text, *mrkdwn(message.blocks)])


def _check_view(view: dict[str, Any]) -> None:
    assert local_slack.check_view(view, "modal") == []
    _check_nothing_is_live(mrkdwn(view["blocks"]))


def _check_nothing_is_live(texts: Any) -> None:
    for text in texts:
        assert "<!channel>" not in text
        assert "<@U123>" not in text
        assert "evil.example|" not in text.replace("&lt;https://evil.example|", "")


def _elements(message: Message) -> dict[str, dict[str, Any]]:
    return {element["action_id"]: element for element in message.blocks[-1]["elements"]}


# -- the card -------------------------------------------------------------------------------------------------------


def test_the_card_says_how_the_case_stands_and_who_did_what() -> None:
    card = case_card.case_card(KNOWN, APP_URL)
    assert links(card.blocks) == [("CASEM-42", f"{APP_URL}/cases/CASEM-42")]
    for words in ("Disk full", "Open", "P2", "Ana Lytic", "Case Management", "Standard", "<@U0ANA> opened this case"):
        assert words in shown(card.blocks)
    assert card.text == (
        "Case CASEM-42: Disk full. 🔵 Open · 🟠 P2 · 👤 Ana Lytic. 2 insights. <@U0ANA> opened this case."
    )


def test_the_controls_repeat_no_fact_and_belong_to_the_case() -> None:
    controls = _elements(case_card.case_card(KNOWN, APP_URL))
    assert all("initial_option" not in controls[name] for name in (case_card.STATUS, case_card.PRIORITY))
    assert controls[case_card.ASSIGN_TO]["type"] == "users_select"
    assert [controls[name]["value"] for name in (case_card.ASSIGN, case_card.COMMENT, case_card.ATTACH)] == ["7"] * 3
    block = case_card.case_card(KNOWN, APP_URL).blocks[-1]["block_id"]
    assert case_card.row_of_block(block) == 7
    later = case_card.case_card(replace(KNOWN, version=2), APP_URL).blocks[-1]["block_id"]
    assert later != block, "clients forget what was chosen in a block that is another one"


def test_a_block_that_is_no_cards_names_no_case() -> None:
    for block_id in ("", "case", "case:", "case:x:1", "case:-1:2", "other:7:1", "case:" + "9" * 40):
        assert case_card.row_of_block(block_id) == 0


def test_without_the_types_names_datadogs_three_statuses_are_offered() -> None:
    controls = _elements(case_card.case_card(replace(KNOWN, statuses=()), APP_URL))
    assert [each["value"] for each in controls[case_card.STATUS]["options"]] == ["Open", "In Progress", "Closed"]


def test_a_status_that_is_not_offered_is_shown_but_not_chosen() -> None:
    card = case_card.case_card(replace(KNOWN, status_name="Frozen"), APP_URL)
    assert "Frozen" in shown(card.blocks)
    assert "initial_option" not in _elements(card)[case_card.STATUS]


def test_a_gone_case_has_no_controls() -> None:
    card = case_card.case_card(replace(_hostile(HOSTILE), gone=True), APP_URL)
    _check_message(card)
    assert "no such case any more" in card.text
    assert all(block["type"] != "actions" for block in card.blocks)


def test_the_card_keeps_slacks_limits() -> None:
    for words in (HOSTILE, LONG, "", "\u200b", "x" * 5_000):
        for number in (0, 1, 100, 150):
            many = tuple((f"Status {each}", "open") for each in range(number))
            known = _hostile(words)
            _check_message(case_card.case_card(replace(known, statuses=(*many, *known.statuses)), APP_URL))


@given(words=st.text(max_size=400))
def test_no_words_of_datadog_break_a_card(words: str) -> None:
    _check_message(case_card.case_card(_hostile(words), APP_URL))
    _check_message(case_card.case_card(_hostile(f"<!channel> {words} <@U123>"), APP_URL))


# -- answers --------------------------------------------------------------------------------------------------------


def test_where_a_request_stands_is_told_within_the_limits() -> None:
    for state in [state for state in CaseRequestState if state is not CaseRequestState.DRAFT]:
        for words in (HOSTILE, LONG):
            notes = tuple(
                (what, Trouble(TroubleKind.BAD_REQUEST, words)) for what in ("assignee", "insights", "comment")
            )
            request = replace(REQUEST, state=state, notes=notes, problem=Trouble(TroubleKind.BAD_REQUEST, words))
            answer = request_answer(request, _hostile(words), APP_URL)
            _check_message(answer.message)
            _check_view(case_views.answer_view(request.key, answer))


def test_only_what_is_missing_can_be_tried_again() -> None:
    done = replace(REQUEST, state=CaseRequestState.DONE)
    assert case_views.RETRY not in str(request_answer(done, KNOWN, APP_URL).blocks)
    unassigned = replace(done, notes=(("assignee", Trouble(TroubleKind.NO_USER, about="U5")),))
    assert case_views.RETRY not in str(request_answer(unassigned, KNOWN, APP_URL).blocks)
    unfinished = replace(done, notes=(("comment", Trouble(TroubleKind.FORBIDDEN)),))
    assert case_views.RETRY in str(request_answer(unfinished, KNOWN, APP_URL).blocks)


def test_a_refused_click_is_answered_whatever_was_clicked() -> None:
    kinds: list[CaseActionKind] = [
        CaseActionKind.STATUS,
        CaseActionKind.PRIORITY,
        CaseActionKind.ASSIGN,
        CaseActionKind.COMMENT,
        CaseActionKind.CLOSE,
        CaseActionKind.ARCHIVE,
        CaseActionKind.UNARCHIVE,
        CaseActionKind.ATTRIBUTES,
    ]
    for kind in kinds:
        for trouble in list(TroubleKind):
            for words in (HOSTILE, LONG):
                changes = AttributeChanges(((words, (words,)),), (CustomValue(words, "TEXT", values=(words,)),))
                value = ATTRIBUTE_CHANGES.dump_json(changes).decode() if kind is CaseActionKind.ATTRIBUTES else words
                action = CaseAction("k", 7, THREAD, "U1", kind, value, id=3)
                message = action_failed(action, _hostile(words), Trouble(trouble, words, words[:200], 90, "U5"))
                _check_message(message)
                assert (ACTION_AGAIN in str(message.blocks)) == Trouble(trouble).may_pass


def test_the_other_answers_keep_the_limits_too() -> None:
    for words in (HOSTILE, LONG):
        for message in (
            case_views.looking_up(words),
            case_views.unknown_case(words),
            case_views.lookup_failed(Trouble(TroubleKind.REFUSED, words)),
            case_views.card_stands(_hostile(words), APP_URL, "https://acme.slack.com/archives/C1/p1"),
            case_views.press_to_open(words),
            case_views.case_unknown_here(),
            case_views.form_lost(),
        ):
            _check_message(message)


# -- the form -------------------------------------------------------------------------------------------------------

CHANGE = CaseType(
    "type-change",
    "Change Request",
    internal=True,
    statuses=(StatusOption("Open", "open", default=True), StatusOption("Approved", "in_progress")),
)
CUSTOM = CaseType("type-own", "Our own")
TYPES = (
    CaseType("gone", "World", deleted=True),
    CHANGE,
    CaseType(STANDARD_TYPE, "Standard", statuses=STATUSES),
    CUSTOM,
)


def _form(projects: int = 2, **members: Any) -> CaseForm:
    listed = tuple(Project(f"p{each}", f"P{each}", f"Project {each}") for each in range(projects))
    content = CaseContent("Disk full", "words")
    return CaseForm("key", replace(content, **members), Catalog(listed, TYPES))


def _block(view: dict[str, Any], name: str) -> dict[str, Any]:
    (block,) = (block for block in view["blocks"] if block.get("block_id", "").split(":")[0] == name)
    found: dict[str, Any] = block
    return found


def _filled_view(view: dict[str, Any], **values: Any) -> dict[str, Any]:
    """What Slack sends back of a form when these fields were filled in."""
    state = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            action = block["element"]["action_id"]
            initial = block["element"].get("initial_option")
            state[block["block_id"]] = {action: values.get(action, {"selected_option": initial})}
    return {**view, "state": {"values": state}}


def test_the_form_holds_any_number_of_projects() -> None:
    for number in (1, 2, 100, 101, 500):
        view = form_view(_form(number))
        _check_view(view)
        element = _block(view, case_views.PROJECT)["element"]
        assert element["type"] == ("external_select" if number > 100 else "static_select")
        assert ("initial_option" in element) == (number == 1), "one project needs no choice, of several none is guessed"


def test_types_are_offered_without_deleted_ones_standard_first() -> None:
    element = _block(form_view(_form()), case_views.TYPE)["element"]
    assert [each["text"]["text"] for each in element["options"]] == ["Standard", "Change Request", "Our own"]
    assert element["initial_option"] == element["options"][0]


def test_each_type_brings_its_own_statuses_in_a_block_of_its_own() -> None:
    standard, change = form_view(_form()), form_view(_form(type_id="type-change"))
    one, other = _block(standard, case_views.STATUS), _block(change, case_views.STATUS)
    assert [each["value"] for each in other["element"]["options"]] == ["Open", "Approved"]
    assert one["block_id"] != other["block_id"]
    none = form_view(_form(type_id="type-own"))
    assert not any(block.get("block_id", "").startswith(case_views.STATUS) for block in none["blocks"])


def test_a_project_that_takes_other_types_gets_another_block_for_them() -> None:
    form = _form()
    strict = Project("p9", "P9", "Strict", enabled_type_ids=("something-else",))
    narrow = replace(
        form, catalog=Catalog((*form.catalog.projects, strict), TYPES), content=replace(form.content, project_id="p9")
    )
    wide, less = _block(form_view(form), case_views.TYPE), _block(form_view(narrow), case_views.TYPE)
    assert len(less["element"]["options"]) < len(wide["element"]["options"])
    assert less["block_id"] != wide["block_id"]


def test_hostile_words_fit_the_form() -> None:
    for words in (HOSTILE, LONG, "", "\u200b"):
        projects = (Project("p1", words[:50], words), Project("p2", "K", "Other"))
        types = (
            CaseType(
                "t1",
                words,
                statuses=(StatusOption(words, "open"), StatusOption("Open", "open"), StatusOption("Shut", "closed")),
            ),
        )
        form = CaseForm(
            "key",
            CaseContent(words, words, "p1", "K", "t1", words, words, "U5"),
            Catalog(projects, types),
            can_assign=True,
            goes_with_it=(words, words),
        )
        _check_view(form_view(form))
        _check_view(case_views.offer_view("key", _hostile(words), APP_URL))
        _check_view(case_views.made_meanwhile_view("key", _hostile(words), APP_URL))
        _check_view(case_views.being_made_view("key", "U5"))
        _check_view(case_views.comment_view(_hostile(words), "{}"))
        _check_view(case_views.trouble_view("key", Trouble(TroubleKind.REFUSED, words)))
        _check_view(case_views.loading_view("key"))


def test_what_was_filled_in_is_read() -> None:
    view = _filled_view(
        form_view(replace(_form(1), can_assign=True)),
        **{
            case_views.TITLE: {"value": "  Disk\nfull \u202e"},
            case_views.DESCRIPTION: {"value": "one\r\ntwo "},
            case_views.ASSIGNEE: {"selected_user": "U5"},
        },
    )
    assert read_form(view) == CaseContent("Disk full", "one\ntwo", "p0", "", STANDARD_TYPE, "Open", "NOT_DEFINED", "U5")
    assert problems_of(read_form(view), _form(1).catalog, view) == {}


def test_a_status_of_another_type_does_not_count() -> None:
    view = _filled_view(form_view(_form(1)), **{case_views.TYPE: {"selected_option": {"value": "type-change"}}})
    assert read_form(view).status_name == ""


def test_a_form_of_which_nothing_comes_back_has_problems_and_no_exception() -> None:
    cases: list[dict[str, Any]] = [{}, {"state": None}, {"state": {"values": {"x": {"case_title": None}}}}]
    for view in cases:
        problems = problems_of(read_form(view), _form().catalog, view)
        assert set(problems) >= {case_views.PROJECT}
        assert len(problems) == 3


def test_what_datadog_no_longer_offers_is_said_under_its_field() -> None:
    view = _filled_view(
        form_view(_form(1)),
        **{
            case_views.TITLE: {"value": "Disk full"},
            case_views.PROJECT: {"selected_option": {"value": "p77"}},
            case_views.TYPE: {"selected_option": {"value": "unknown"}},
        },
    )
    problems = problems_of(read_form(view), _form(1).catalog, view)
    assert set(problems) == {case_views.PROJECT, _block(view, case_views.TYPE)["block_id"]}
