"""Where open windows keep what they hold: for one person only, not for ever, and no gesture lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.case_model import Case, Insight
from bot.datadog.insight_drafts import InsightDraft, Reason, SetAside, plain_label
from bot.datadog.insight_pages import draft
from bot.datadog.insight_recognition import recognise
from bot.datadog.insight_types import InsightType
from bot.datadog.sites import SITES
from bot.insights.attach_form import AttachForm, CaseChoice, HandForm, Stage, comment_of, handle_of
from bot.insights.attach_form_records import read_sheet, sheet_text
from bot.insights.attach_form_store import AttachFormStore, Owner
from bot.insights.drafts import InsightList
from bot.insights.tables import FORM_LIVES
from bot.model import Place
from bot.storage.engine import Database
from tests.clock import Clock
from tests.pg import database_url, ready, ready_postgres_url

__all__ = ["database_url", "ready_postgres_url"]

ANA, BEN = Owner("T1", "U1"), Owner("T1", "U2")
PLACE = Place("T1", "C1", "1.2")
EMPTY = AttachForm(place=PLACE, org="default")


def monitor(number: int) -> InsightDraft:
    return draft(InsightType.MONITOR, str(number), f"/monitors/{number}")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def shelf(database_url: str, clock: Clock) -> AsyncIterator[AttachFormStore]:
    async with ready(Database(database_url, clock=clock)) as database:
        yield AttachFormStore(database)


async def test_what_is_put_is_got_by_its_person_only(shelf: AttachFormStore) -> None:
    sheet = EMPTY.adding([monitor(1)])
    key = await shelf.put(ANA, sheet)

    assert await shelf.get(key, ANA) == sheet
    assert await shelf.get(key, BEN) is None
    assert await shelf.get(key, Owner("T2", "U1")) is None
    assert await shelf.change(key, BEN, lambda _: EMPTY) is None
    assert await shelf.get("", ANA) is None
    assert await shelf.get(key, ANA) == sheet


async def test_keys_are_random_and_windows_apart(shelf: AttachFormStore) -> None:
    one, other = await shelf.put(ANA, EMPTY), await shelf.put(ANA, EMPTY)
    await shelf.change(one, ANA, lambda sheet: sheet.adding([monitor(1)]))

    assert one != other
    assert len(one) >= 32
    assert await shelf.get(other, ANA) == EMPTY


async def test_of_many_gestures_at_once_none_is_lost(shelf: AttachFormStore) -> None:
    key = await shelf.put(ANA, EMPTY)

    async def add(number: int) -> None:
        await shelf.change(key, ANA, lambda sheet: sheet.adding([monitor(number)]))

    await asyncio.gather(*(add(number) for number in range(1, 9)))

    sheet = await shelf.get(key, ANA)
    assert sheet is not None
    assert {each.resource_id for each in sheet.insights.drafts} == {str(number) for number in range(1, 9)}
    assert sheet.list_round == 8


async def test_unused_for_two_hours_it_is_put_away_and_use_keeps_it(shelf: AttachFormStore, clock: Clock) -> None:
    used, forgotten = await shelf.put(ANA, EMPTY), await shelf.put(ANA, EMPTY)
    clock.wind(FORM_LIVES - 1)
    await shelf.change(used, ANA, lambda sheet: sheet)
    clock.wind(2)

    assert await shelf.get(forgotten, ANA) is None
    assert await shelf.get(used, ANA) == EMPTY


async def test_a_sheet_survives_as_it_is(shelf: AttachFormStore) -> None:
    aside = SetAside("https://app.datadoghq.com/logs", Reason.NO_INSIGHT_TYPE, "No.", comment_link=True)
    sheet = AttachForm(
        place=PLACE,
        org="default",
        stage=Stage.CONFIRMING,
        case=CaseChoice("uuid", "CASEM-42", "Título 💥"),
        held=(Insight("NEW_TYPE", "/x", "1"),),
        insights=InsightList().add([monitor(1)]).put_aside([aside]),
        hand=HandForm(InsightType.INCIDENT, "/incidents", ("Give an id.",)),
        comment=True,
        leaving=frozenset({"a", "b"}),
        looked_up=frozenset({"c"}),
        notice="Added 1.",
        case_round=1,
        list_round=2,
        paste_round=3,
        hand_round=4,
        submits=5,
        submit_id=6,
    )
    assert await shelf.get(await shelf.put(ANA, sheet), ANA) == sheet


@given(st.text(max_size=60) | st.sampled_from(["[]", "{}", '{"place": 1}', '{"place": {}, "stage": "x", "held": [1]}']))
def test_no_content_is_too_odd_to_be_read(content: str) -> None:
    read = read_sheet(content)
    assert read is None or read_sheet(sheet_text(read)) == read


# -- what gestures make of a sheet ----------------------------------------------------------------------------------


def pasted(sheet: AttachForm, text: str) -> AttachForm:
    return sheet.with_pasted(recognise(text, site=SITES[0]))


def test_a_late_gesture_only_decides_on_what_it_showed() -> None:
    first, second = monitor(1), monitor(2)
    sheet = EMPTY.adding([first]).adding([second])

    noted = sheet.noting(chosen=[], among=[first.handle], comment=False)

    assert [line.chosen for line in noted.insights.lines] == [False, True]


def test_adding_says_how_many_were_new_and_empties_the_field() -> None:
    links = "https://app.datadoghq.com/monitors/1 https://app.datadoghq.com/incidents/7"
    once = pasted(EMPTY, links)
    twice = pasted(once, links)

    assert (once.notice, once.paste_round) == ("Added 2.", 1)
    assert (twice.notice, twice.paste_round) == ("Nothing new. 2 were listed already.", 2)
    assert twice.insights.lines == once.insights.lines


def test_what_the_case_has_is_marked_and_forgotten_with_the_case() -> None:
    case = Case("uuid", "CASEM-42", "Disk", insights=(monitor(1).insight,), insights_known=True)
    sheet = EMPTY.adding([monitor(1), monitor(2)]).with_case(CaseChoice("CASEM-42", "CASEM-42"))

    told = sheet.with_case_facts(case)
    assert told.case == CaseChoice("uuid", "CASEM-42", "Disk")
    assert [each.resource_id for each in told.insights.to_send] == ["2"]
    assert [each.resource_id for each in told.adding([monitor(3)]).insights.to_send] == ["2", "3"]
    assert told.with_case(CaseChoice("CASEM-42", "CASEM-42")) == told
    other = told.with_case(CaseChoice("else"))
    assert (other.held, len(other.insights.to_send)) == (None, 2)
    assert other.with_case_facts(case) == other


def test_a_case_that_is_gone_keeps_the_list() -> None:
    sheet = EMPTY.adding([monitor(1)]).with_case(CaseChoice("uuid", "CASEM-42"))
    gone = sheet.without_case("No such case.")
    assert (gone.case, gone.notice, gone.case_round) == (None, "No such case.", 1)
    assert gone.insights.to_send == sheet.insights.to_send


def test_by_hand_clears_the_piece_that_waited_for_its_id() -> None:
    sheet = pasted(EMPTY, "https://app.datadoghq.com/cost/recommendations?x=1 https://app.datadoghq.com/logs")
    waiting = sheet.insights.set_aside[0]
    form = sheet.with_hand_form(HandForm(waiting.type, waiting.ref))

    done = form.with_hand_draft(draft(InsightType.CLOUD_COST_RECOMMENDATION, "rec-1", waiting.ref))

    assert [piece.reason for piece in done.insights.set_aside] == [Reason.NO_INSIGHT_TYPE]
    assert done.insights.drafts[0].resource_id == "rec-1"


def test_names_are_learnt_once() -> None:
    sheet = EMPTY.adding([monitor(1)])
    named = sheet.with_labels({monitor(1).key: "Monitor: Disk"})
    assert sheet.unnamed == (monitor(1),)
    assert named.unnamed == ()
    assert named.list_round == sheet.list_round + 1
    assert named.with_labels({}) == named
    assert sheet.with_labels({}, [monitor(1)]).unnamed == ()


def test_the_comment_holds_each_link_once_and_is_then_done_with() -> None:
    links = "https://app.datadoghq.com/logs?query=a https://app.datadoghq.com/notebook/1"
    sheet = pasted(pasted(EMPTY, links), links)
    ticked = sheet.noting(chosen=[], among=[], comment=True)

    assert sheet.comment_text == ""
    assert ticked.comment_text.count("\n- https://") == 2
    after = ticked.after_comment(ticked.comment_text)
    assert (after.insights.set_aside, after.comment) == ((), False)


def test_a_comment_never_grows_without_end_and_what_did_not_fit_stays() -> None:
    pieces = [
        SetAside(f"https://app.datadoghq.com/logs?q={number:05}{'x' * 1000}", Reason.NO_INSIGHT_TYPE, "", True)
        for number in range(50)
    ]
    sheet = AttachForm(place=PLACE, org="default", insights=InsightList().put_aside(pieces), comment=True)

    text = comment_of(pieces)
    assert len(text) <= 20_100
    after = sheet.after_comment(text)
    assert text.count("\n- ") + len(after.insights.set_aside) == 50
    assert after.insights.set_aside


def test_a_handle_is_the_drafts_own() -> None:
    assert handle_of(monitor(1).insight) == monitor(1).handle
    assert handle_of(Insight("NEW", "/a", "1")) != handle_of(Insight("NEW", "/a", "2"))
    assert plain_label("NEW_TYPE", "1") == "New type 1"
