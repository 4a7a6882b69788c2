"""Where open windows keep what they hold: for one person only, not for ever, and no gesture lost."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

from bot.datadog.cases import Case, Insight
from bot.datadog.insight_recognition import recognise
from bot.datadog.insights import (
    InsightDraft,
    InsightType,
    Lookup,
    LookupKind,
    Reason,
    SetAside,
    draft,
    handle_of,
    plain_label,
)
from bot.datadog.links import SITES, Location
from bot.insights.attach_form import (
    AttachForm,
    AttachFormStore,
    CaseChoice,
    FormStage,
    HandForm,
    InsightList,
    Owner,
    comment_of,
)
from bot.insights.tables import FORM_LIVES, insight_drafts
from bot.model import Place
from bot.storage.engine import Database
from tests.clock import Clock
from tests.pg import database_url, ready, ready_postgres_url, sqlite_only

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
async def forms(database_url: str, clock: Clock) -> AsyncIterator[AttachFormStore]:
    async with ready(Database(database_url, clock=clock)) as database:
        yield AttachFormStore(database)


@sqlite_only
async def test_what_is_put_is_got_by_its_person_only(forms: AttachFormStore) -> None:
    form = EMPTY.adding([monitor(1)])
    key = await forms.put(ANA, form)

    assert await forms.get(key, ANA) == form
    assert await forms.get(key, BEN) is None
    assert await forms.get(key, Owner("T2", "U1")) is None
    assert await forms.change(key, BEN, lambda _: EMPTY) is None
    assert await forms.get("", ANA) is None
    assert await forms.get(key, ANA) == form


@sqlite_only
async def test_keys_are_random_and_windows_apart(forms: AttachFormStore) -> None:
    one, other = await forms.put(ANA, EMPTY), await forms.put(ANA, EMPTY)
    await forms.change(one, ANA, lambda form: form.adding([monitor(1)]))

    assert one != other
    assert len(one) >= 32
    assert await forms.get(other, ANA) == EMPTY


async def test_of_many_gestures_at_once_none_is_lost(forms: AttachFormStore) -> None:
    key = await forms.put(ANA, EMPTY)

    async def add(number: int) -> None:
        await forms.change(key, ANA, lambda form: form.adding([monitor(number)]))

    await asyncio.gather(*(add(number) for number in range(1, 9)))

    form = await forms.get(key, ANA)
    assert form is not None
    assert {each.resource_id for each in form.insights.lines} == {str(number) for number in range(1, 9)}
    assert form.list_round == 8


@sqlite_only
async def test_unused_for_two_hours_it_is_put_away_and_use_keeps_it(forms: AttachFormStore, clock: Clock) -> None:
    used, forgotten = await forms.put(ANA, EMPTY), await forms.put(ANA, EMPTY)
    clock.wind(FORM_LIVES - 1)
    await forms.change(used, ANA, lambda form: form)
    clock.wind(2)

    assert await forms.get(forgotten, ANA) is None
    assert await forms.get(used, ANA) == EMPTY


@sqlite_only
async def test_a_sheet_survives_as_it_is(forms: AttachFormStore) -> None:
    aside = SetAside("https://app.datadoghq.com/logs", Reason.NO_INSIGHT_TYPE, "No.", comment_link=True)
    form = AttachForm(
        place=PLACE,
        org="default",
        stage=FormStage.CONFIRMING,
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
    assert await forms.get(await forms.put(ANA, form), ANA) == form


# as written before rows were typed
OLDER = json.dumps(
    {
        "place": {"workspace": "T1", "channel": "C1", "thread_ts": "1.2"},
        "org": "default",
        "stage": "confirming",
        "case": {"id": "uuid", "key": "CASEM-42", "title": "Disk"},
        "held": [{"type": "NEW_TYPE", "ref": "/x", "resource_id": "1"}],
        "insights": json.dumps(
            {
                "format": 1,
                "lines": [
                    {
                        "type": "EVENT",
                        "resource_id": "9",
                        "ref": "/event/event?id=9",
                        "label": "Event 9",
                        "lookup": {"kind": "monitor", "id": "1"},
                        "chosen": False,
                        "on_case": True,
                    }
                ],
                "set_aside": [
                    {
                        "url": "https://app.datadoghq.com/cost/recommendations",
                        "reason": "id_not_in_link",
                        "sentence": "No.",
                        "comment_link": True,
                        "type": "CLOUD_COST_RECOMMENDATION",
                        "ref": "/cost/recommendations",
                    }
                ],
            }
        ),
        "hand": {"type": "INCIDENT", "ref": "/incidents", "problems": ["Give an id."]},
        "comment": True,
        "leaving": ["a"],
        "looked_up": ["c"],
        "notice": "Added 1.",
        "case_round": 1,
        "list_round": 2,
        "paste_round": 3,
        "hand_round": 4,
        "submits": 5,
        "submit_id": 6,
        "of_a_later_version": True,
    }
)


async def _overwrite(forms: AttachFormStore, key: str, content: str) -> None:
    async with forms._database.transaction() as connection:
        await connection.execute(update(insight_drafts).where(insight_drafts.c.key == key).values(content=content))


@sqlite_only
async def test_a_window_that_is_open_during_an_update_keeps_its_list(forms: AttachFormStore) -> None:
    key = await forms.put(ANA, EMPTY)
    await _overwrite(forms, key, OLDER)

    form = await forms.get(key, ANA)

    assert form is not None
    (line,) = form.insights.lines
    assert (line.key, line.label, line.chosen, line.on_case) == (("EVENT", "9"), "Event 9", False, True)
    assert line.lookup == Lookup(LookupKind.MONITOR, "1")
    assert form.insights.set_aside[0].type is InsightType.CLOUD_COST_RECOMMENDATION
    assert (form.stage, form.case, form.held) == (
        FormStage.CONFIRMING,
        CaseChoice("uuid", "CASEM-42", "Disk"),
        (Insight("NEW_TYPE", "/x", "1"),),
    )
    assert form.hand == HandForm(InsightType.INCIDENT, "/incidents", ("Give an id.",))
    assert (form.leaving, form.looked_up, form.submits, form.submit_id) == (frozenset("a"), frozenset("c"), 5, 6)


@sqlite_only
async def test_a_replica_that_was_not_updated_yet_reads_the_list_too(forms: AttachFormStore) -> None:
    key = await forms.put(ANA, EMPTY.adding([monitor(1)]))
    async with forms._database.transaction() as connection:
        row = (await connection.execute(select(insight_drafts.c.content))).one()

    written = json.loads(row.content)
    assert written.keys() == json.loads(OLDER).keys() - {"of_a_later_version"}
    (line,) = json.loads(written["insights"])["lines"]
    assert line == {
        "type": "MONITOR",
        "resource_id": "1",
        "ref": "/monitors/1",
        "label": "Monitor 1",
        "lookup": {"kind": "monitor", "id": "1"},
        "chosen": True,
        "on_case": False,
    }
    assert key


@sqlite_only
@pytest.mark.parametrize("content", ["", '{"place": 1}', "[" * 100_000])
async def test_what_nobody_of_ours_wrote_is_no_form(forms: AttachFormStore, content: str) -> None:
    key = await forms.put(ANA, EMPTY)
    await _overwrite(forms, key, content)
    assert await forms.get(key, ANA) is None


# -- what gestures make of a form ----------------------------------------------------------------------------------


def pasted(form: AttachForm, text: str) -> AttachForm:
    return form.with_pasted(recognise(text, Location(SITES[0])))


def test_a_late_gesture_only_decides_on_what_it_showed() -> None:
    first, second = monitor(1), monitor(2)
    form = EMPTY.adding([first]).adding([second])

    noted = form.noting(chosen=[], among=[first.handle], comment=False)

    assert [line.chosen for line in noted.insights.lines] == [False, True]


def test_adding_says_how_many_were_new_and_empties_the_field() -> None:
    links = "https://app.datadoghq.com/monitors/1 https://app.datadoghq.com/incidents/7"
    once = pasted(EMPTY, links)
    twice = pasted(once, links)

    assert (once.notice, once.paste_round) == ("Added 2.", 1)
    assert (twice.notice, twice.paste_round) == ("Nothing new. 2 were listed already.", 2)
    assert twice.insights.lines == once.insights.lines


def test_what_the_case_has_is_marked_and_forgotten_with_the_case() -> None:
    case = Case("uuid", "CASEM-42", "Disk", insights=(monitor(1).insight,))
    form = EMPTY.adding([monitor(1), monitor(2)]).with_case(CaseChoice("CASEM-42", "CASEM-42"))

    told = form.with_case_facts(case)
    assert told.case == CaseChoice("uuid", "CASEM-42", "Disk")
    assert [each.resource_id for each in told.insights.to_send] == ["2"]
    assert [each.resource_id for each in told.adding([monitor(3)]).insights.to_send] == ["2", "3"]
    assert told.with_case(CaseChoice("CASEM-42", "CASEM-42")) == told
    other = told.with_case(CaseChoice("else"))
    assert (other.held, len(other.insights.to_send)) == (None, 2)
    assert other.with_case_facts(case) == other


def test_a_case_that_is_gone_keeps_the_list() -> None:
    form = EMPTY.adding([monitor(1)]).with_case(CaseChoice("uuid", "CASEM-42"))
    gone = form.without_case("No such case.")
    assert (gone.case, gone.notice, gone.case_round) == (None, "No such case.", 1)
    assert gone.insights.to_send == form.insights.to_send


def test_by_hand_clears_the_piece_that_waited_for_its_id() -> None:
    form = pasted(EMPTY, "https://app.datadoghq.com/cost/recommendations?x=1 https://app.datadoghq.com/logs")
    waiting = form.insights.set_aside[0]
    with_hand = form.with_hand_form(HandForm(waiting.type, waiting.ref))

    done = with_hand.with_hand_draft(draft(InsightType.CLOUD_COST_RECOMMENDATION, "rec-1", waiting.ref))

    assert [piece.reason for piece in done.insights.set_aside] == [Reason.NO_INSIGHT_TYPE]
    assert done.insights.lines[0].resource_id == "rec-1"


def test_names_are_learnt_once() -> None:
    form = EMPTY.adding([monitor(1)])
    named = form.with_labels({monitor(1).key: "Disk · monitor"}, [])
    assert [line.key for line in form.unnamed] == [monitor(1).key]
    assert named.unnamed == ()
    assert named.list_round == form.list_round + 1
    assert named.with_labels({}, []) == named
    assert form.with_labels({}, [monitor(1)]).unnamed == ()


def test_the_comment_holds_each_link_once_and_is_then_done_with() -> None:
    links = "https://app.datadoghq.com/logs?query=a https://app.datadoghq.com/notebook/1"
    form = pasted(pasted(EMPTY, links), links)
    ticked = form.noting(chosen=[], among=[], comment=True)

    assert form.comment_text == ""
    assert ticked.comment_text.count("\n- https://") == 2
    after = ticked.after_comment(ticked.comment_text)
    assert (after.insights.set_aside, after.comment) == ((), False)


def test_a_comment_never_grows_without_end_and_what_did_not_fit_stays() -> None:
    pieces = [
        SetAside(f"https://app.datadoghq.com/logs?q={number:05}{'x' * 1000}", Reason.NO_INSIGHT_TYPE, "", True)
        for number in range(50)
    ]
    form = AttachForm(place=PLACE, org="default", insights=InsightList().put_aside(pieces), comment=True)

    text = comment_of(pieces)
    assert len(text) <= 20_100
    after = form.after_comment(text)
    assert text.count("\n- ") + len(after.insights.set_aside) == 50
    assert after.insights.set_aside


def test_a_handle_is_the_drafts_own() -> None:
    assert handle_of(monitor(1).insight.key) == monitor(1).handle
    assert handle_of(("NEW", "1")) != handle_of(("NEW", "2"))
    assert plain_label("NEW_TYPE", "1") == "New type 1"
