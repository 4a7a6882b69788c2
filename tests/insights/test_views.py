"""The insights windows at their limits, with labels that nobody should have to trust."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.datadog.cases import Insight
from bot.datadog.insights import KINDS, InsightDraft, InsightType, Reason, SetAside
from bot.datadog.trouble import Trouble, TroubleKind
from bot.insights.attach_form import AttachForm, CaseChoice, HandForm, InsightList
from bot.insights.attach_jobs import AttachJob, AttachWork, CommentState
from bot.insights.form_views import (
    CHOSEN,
    LEAVING,
    Entered,
    attach_view,
    begin_message,
    case_options,
    confirm_view,
    expired_view,
    removal_view,
)
from bot.insights.picker import CaseOffer, PickerHint
from bot.insights.result_views import line_message, result_view, told_directly, working_view
from bot.insights.sending import BatchOutcome, InsightOutcome, Refusal
from bot.model import Place
from bot.sandbox.slack import blockkit as local_slack
from tests.slack.blockkit import check_message, mrkdwn, shown

PLACE = Place("T1", "C1", "1.2")
APP_URL = "https://app.datadoghq.com"
HOSTILE = "<!channel> <@U1> *bold* `code` <https://evil.example|Datadog> & \u202egnp.exe\u0000 \U0001f4a5"
LABELS = {
    "short": "Disk · monitor",
    "hostile": HOSTILE,
    "long": "x" * 5_000,
    "wide": "\U0001f4a5" * 200,
    "quotes": '"\\' * 100,
    "blank": " \u200b\n ",
}


def check(view: dict[str, Any]) -> dict[str, Any]:
    assert local_slack.check_view(view, "modal") == []
    assert len(json.dumps(view)) <= 250_000
    names = [block["block_id"] for block in view["blocks"] if "block_id" in block]
    assert len(names) == len(set(names))
    if any(block["type"] == "input" for block in view["blocks"]):
        assert view["submit"]["text"]
    for text in mrkdwn(view):
        assert "<!" not in text
        assert "<@" not in text
        assert "<https://evil" not in text
    return view


def drafts(count: int, label: str) -> list[InsightDraft]:
    return [
        InsightDraft(InsightType.MONITOR, str(number), f"/monitors/{number}", label) for number in range(1, count + 1)
    ]


def form_of(count: int, label: str = "Disk · monitor") -> AttachForm:
    return AttachForm(place=PLACE, org="default", case=CaseChoice("uuid", "CASEM-42", HOSTILE), held=()).adding(
        drafts(count, label)
    )


def lists(view: dict[str, Any], action_id: str = CHOSEN) -> list[dict[str, Any]]:
    return [
        block["element"]
        for block in view["blocks"]
        if block["type"] == "input" and block["element"]["action_id"] == action_id
    ]


def job(**changes: Any) -> AttachJob:
    usual = AttachJob(
        id=1,
        ref="AB12CD34",
        draft_key="key",
        view_id="V1",
        work=AttachWork.ATTACH,
        org="default",
        place=PLACE,
        person="U0001",
        case_id="uuid",
        case_key="CASEM-42",
        outcome=InsightOutcome(),
        comment="",
        comment_state=CommentState.NONE,
        comment_problem=None,
        done=True,
    )
    return replace(usual, **changes)


def insights(numbers: Iterable[int]) -> tuple[Insight, ...]:
    return tuple(Insight("MONITOR", f"/monitors/{number}", str(number)) for number in numbers)


def test_a_list_of_any_length_and_any_label_fits_a_window() -> None:
    counts = [(count, LABELS["short"]) for count in (0, 1, 100, 250, 700)]
    for count, label in (*counts, *((101, label) for label in LABELS.values())):
        view = check(attach_view(form_of(count, label), "k" * 32))

        selects = lists(view)
        sizes = [len(select["options"]) for select in selects]
        assert sum(sizes) == min(count, 500)
        assert all(size == 100 for size in sizes[:-1])
        assert all(select["initial_options"] == select["options"] for select in selects)


def test_over_a_hundred_it_says_how_they_are_sent_and_over_five_hundred_what_is_not_shown() -> None:
    assert "requests of up to" not in shown(attach_view(form_of(100), "k"))
    assert "sent in 3 requests of up to 100" in shown(attach_view(form_of(250), "k"))
    assert "the other 37 are kept and sent too" in shown(attach_view(form_of(537), "k"))


def test_the_window_carries_its_key_and_nothing_else() -> None:
    view = attach_view(form_of(250), "the-key")
    assert view["private_metadata"] == "the-key"


def test_nothing_listed_says_what_to_do() -> None:
    view = check(attach_view(form_of(0), "k"))
    assert "No insights listed yet.* Paste links above and press Add." in shown(view)
    assert lists(view) == []


def test_what_the_case_has_is_told_and_not_offered() -> None:
    held = form_of(12)
    marked = replace(held, insights=held.insights.mark_on_case([line.key for line in held.insights.lines[:10]]))

    view = check(attach_view(marked, "k"))

    assert "Already on CASEM-42" in shown(view)
    assert "and 2 more" in shown(view)
    assert [len(select["options"]) for select in lists(view)] == [2]


def test_set_aside_pieces_show_their_reasons_and_a_comment_is_offered() -> None:
    pieces = [
        SetAside(f"https://evil.example/{HOSTILE}/{number}", Reason.FOREIGN_HOST, "Not yours <!here>.", True)
        for number in range(40)
    ]
    pieces[0] = SetAside("https://x.com/1", Reason.ID_NOT_IN_LINK, "By hand.", True, InsightType.RESOURCE_POLICY, "/x")
    form = replace(form_of(1), insights=InsightList().put_aside(pieces), comment=True)

    view = check(attach_view(form, "k"))

    words = shown(view)
    assert "Can't be attached as pasted" in words
    assert "Post these 40 links as one comment" in words
    assert "and 28 more" in words
    assert view["blocks"][-1]["elements"][0]["text"]["text"] == "Clear these"
    (by_hand,) = [block["accessory"] for block in view["blocks"] if "accessory" in block]
    assert by_hand["value"] == "piece:0"


def test_by_hand_offers_all_kinds_and_starts_with_what_is_known() -> None:
    form = replace(form_of(0), hand=HandForm(InsightType.INCIDENT, "/incidents", ("Give its id <!here>.",)))

    view = check(attach_view(form, "k"))

    (kinds,) = lists(view, "attach:hand_type")
    assert len(kinds["options"]) == len(KINDS)
    assert kinds["initial_option"]["value"] == "INCIDENT"
    (page,) = lists(view, "attach:hand_ref")
    assert page["initial_value"] == "/incidents"
    assert "Give its id &lt;!here&gt;." in shown(view)


def test_the_picker_takes_any_case() -> None:
    for label in LABELS.values():
        cases = tuple(CaseChoice(f"{number:036}", f"CASEM-{number}", label, label) for number in range(120))

        options = case_options(CaseOffer(cases, PickerHint.SLOW))

        assert local_slack.check_options({"options": options}) == []
        assert len(options) == 100
        assert options[-1]["text"]["text"] == "Datadog is slow: keep typing to see more"


def test_every_hint_has_words_and_is_no_case() -> None:
    for hint in [each for each in PickerHint if each is not PickerHint.NONE]:
        (option,) = case_options(CaseOffer((), hint))
        assert option["text"]["text"]
        state = {"values": {"case:0": {"attach:case": {"type": "external_select", "selected_option": option}}}}
        assert Entered({"state": state}).case is None


def test_a_case_nobody_offered_is_none() -> None:
    for value in ("", " ", "a b c", "../etc", "x" * 65, "uuid CASEM 1", "<!here>"):
        chosen = {"selected_option": {"text": {"text": "x"}, "value": value}}
        assert Entered({"state": {"values": {"case:0": {"attach:case": chosen}}}}).case is None


def test_an_empty_or_odd_payload_reads_as_nothing() -> None:
    entered = Entered({})
    assert (entered.case, entered.picked, entered.has_hand_entry) == (None, "", False)
    odd: dict[str, Any] = {
        "state": {"values": {"a": {"attach:paste": None, "attach:list": {"selected_options": None}}}}
    }
    assert Entered(odd).choices(CHOSEN) == ()


def test_removal_lists_and_confirms_any_number() -> None:
    for count in (1, 100, 101, 250, 700):
        held = insights(range(count))
        form = replace(form_of(0), held=held)

        view = check(removal_view(form, "k"))
        assert sum(len(select["options"]) for select in lists(view, LEAVING)) == min(count, 500)
        assert all("initial_options" not in select for select in lists(view, LEAVING))

        sure = check(confirm_view(form.confirming(handle for handle, _ in form.removable), "k"))
        assert f"Remove {count:,} insight" in shown(sure)
        assert sure["submit"]["text"] == "Remove"


def test_removal_without_anything_to_remove_leads_back() -> None:
    for form, words in (
        (form_of(0), "has no insights"),
        (replace(form_of(0), held=None), "Reading `CASEM-42` from Datadog"),
        (replace(form_of(0), case=None, held=None), "Choose a case first"),
    ):
        view = check(removal_view(form, "k"))
        assert words in shown(view)
        assert "submit" not in view


def test_an_expired_window_says_so() -> None:
    assert "two hours without use" in shown(check(expired_view()))


def test_the_result_of_a_clean_submit() -> None:
    done = job(outcome=InsightOutcome((BatchOutcome(1, done=insights(range(3))),)))

    view = check(result_view(done, APP_URL))

    assert "Attached 3 insights to `CASEM-42`:* 3 monitors." in shown(view)
    assert "submit" not in view
    assert "Reference" not in shown(view)


def test_the_result_of_a_partial_failure_tells_each_reason_and_offers_retry() -> None:
    refused = Refusal(
        Insight("MONITOR", "/monitors/9", HOSTILE), Trouble(TroubleKind.BAD_REQUEST, f"no such {HOSTILE}")
    )
    outcome = InsightOutcome(
        (
            BatchOutcome(1, done=insights(range(99)), refused=(refused,)),
            BatchOutcome(
                2, open=insights(range(100, 200)), problem=Trouble(TroubleKind.FORBIDDEN, permission="cases_write")
            ),
            BatchOutcome(3, open=insights(range(200, 250)), problem=Trouble(TroubleKind.FORBIDDEN), tried=False),
        )
    )

    view = check(result_view(job(outcome=outcome), APP_URL))

    words = shown(view)
    assert ":warning: *Attached 99 insights" in words
    assert "Refused.* Datadog refused it" in words
    assert "Not attached: 150 insights* (150 monitors)" in words
    assert "give it cases_write" in words
    assert "Request 1: 99 done, 1 refused" in words
    assert "Request 3: 50 not sent" in words
    assert "Reference `AB12CD34`" in words
    assert view["submit"]["text"] == "Retry what is missing"


def test_results_with_everything_refused_fit() -> None:
    for count in (1, 100, 101, 250):
        refusals = tuple(
            Refusal(each, Trouble(TroubleKind.BAD_REQUEST, f"{each.resource_id} {'y' * 900}"))
            for each in insights(range(count))
        )
        outcome = InsightOutcome((BatchOutcome(1, refused=refusals),))
        view = check(result_view(job(outcome=outcome), APP_URL))
        assert "Nothing was attached to `CASEM-42`" in shown(view)
        check_message(told_directly(job(outcome=outcome), APP_URL))


def test_every_state_of_the_comment_is_told() -> None:
    for state in CommentState:
        problem = Trouble(TroubleKind.UNCLEAR) if state is CommentState.REFUSED else None
        told = job(comment="Links:\n\n- https://a\n- https://b", comment_state=state, comment_problem=problem)

        words = shown(check(result_view(told, APP_URL)))

        expected = {
            CommentState.NONE: "CASEM-42",
            CommentState.OWED: "was not tried",
            CommentState.SENDING: "was not tried",
            CommentState.POSTED: "Posted 2 links as a comment.",
            CommentState.REFUSED: "Retry looks first whether it is there",
        }
        assert expected[state] in words
        assert told.can_retry == (state in {CommentState.OWED, CommentState.SENDING, CommentState.REFUSED})


def test_the_working_view_says_it_goes_on_without_the_window() -> None:
    working = job(outcome=InsightOutcome((BatchOutcome(1, open=insights(range(7))),)), done=False)
    words = shown(check(working_view(working)))
    assert "Attaching 7 insights to `CASEM-42`…" in words
    assert "I'll tell the thread" in words
    assert "I'll tell you" in shown(working_view(replace(working, place=Place("T1", "", ""))))


def test_the_line_sums_up_the_kinds_and_pings_nobody() -> None:
    done = (*insights(range(3)), Insight("INCIDENT", "/incidents/1", "1"), Insight("<!HERE>", "/x", "1"))
    told = job(outcome=InsightOutcome((BatchOutcome(1, done=done),)), case_key="CASEM-42")

    message = line_message(told, APP_URL)

    check_message(message)
    assert message.text == (
        "<@U0001> attached 5 insights to <https://app.datadoghq.com/cases/CASEM-42|CASEM-42>: "
        "3 monitors, 1 incident, 1 &lt;!here&gt;."
    )


def test_the_line_tells_of_links_too() -> None:
    told = job(comment="Links:\n\n- https://a\n- https://b", comment_state=CommentState.POSTED)
    assert "posted 2 links as a comment on" in line_message(told, APP_URL).text
    both = replace(told, outcome=InsightOutcome((BatchOutcome(1, done=insights([1])),)))
    assert "1 monitor, and posted 2 links as a comment." in line_message(both, APP_URL).text
    assert "You may have seen this line already" in line_message(both, APP_URL, may_repeat=True).text


def test_after_a_mention_a_button_opens_the_window() -> None:
    message = begin_message("CASEM-42 " + "x" * 5_000)
    check_message(message)
