"""The window that sets up an organisation's alerts: what it names, what it reads, and what it says of each outcome."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.cases import Project
from bot.datadog.links import SITES
from bot.datadog.trouble import Trouble, TroubleKind
from bot.orgs import alert_setup_form as form
from bot.orgs.alert_setup import SetUp, Undone, variable_of, webhook_of
from bot.orgs.alert_setup_form import Opened
from bot.orgs.case_setup import CasesSetUp, chosen
from bot.orgs.model import OrgEntry
from bot.sandbox.datadog import FakeDatadog
from bot.sandbox.datadog.webhooks import fill, variables
from bot.web.datadog_webhook import HEADER
from tests.slack.blockkit import check_message, check_modal, shown

URL = "https://bits.example.com"
ACME = OrgEntry("acme-x7", "T1", "Acme", SITES[0], owner="Bits Bot (service account)")


def typed(words: str) -> dict[str, Any]:
    return {"state": {"values": {form.TAGS: {form.TAGS: {"value": words}}}}}


def test_names_hold_the_id_and_the_header_is_filled_with_the_secret() -> None:
    webhook = webhook_of("acme-x7", URL)
    assert (webhook.name, webhook.recipient) == ("bits-bot-acme-x7", "webhook-bits-bot-acme-x7")
    assert webhook.url == f"{URL}/datadog/webhook/acme-x7"
    assert variable_of("acme-x7") == "BITS_BOT_ACME_X7"

    fake = FakeDatadog()
    alert = fake.fire(fake.add_monitor("Disk", tags=["team:sre"]))
    known = variables(alert, fake.org) | {variable_of("acme-x7"): "the-secret"}
    assert json.loads(fill(webhook.headers, known, alert.tags, as_json=False)) == {HEADER: "the-secret"}
    assert json.loads(fill(webhook.payload, known, alert.tags, as_json=True))["event_id"] == alert.event_id


@pytest.mark.parametrize(
    ("words", "tags"),
    [
        ("", ()),
        (" , \n", ()),
        ("team:sre", ("team:sre",)),
        ("team:sre,env:prod\nteam:sre", ("team:sre", "env:prod")),
        ("url:http://x/y", ("url:http://x/y",)),
    ],
)
def test_tags_as_people_type_them(words: str, tags: tuple[str, ...]) -> None:
    assert form.read_tags(typed(words)) == (tags, {})


@pytest.mark.parametrize(
    "words", ["prod", "team:", ":sre", "a:b prod", "x:" + "y" * 200, ",".join(f"a:{n}" for n in range(21))]
)
def test_what_is_no_tag_for_datadog_stands_under_the_field(words: str) -> None:
    tags, problems = form.read_tags(typed(words))
    assert (tags, list(problems)) == ((), [form.TAGS])


@given(st.text(max_size=300))
def test_whatever_is_typed_is_read(words: str) -> None:
    tags, problems = form.read_tags(typed(words))
    assert not (tags and problems)
    check_modal(form.setup_modal(replace(ACME, alerts_tags=tags), URL, Opened(ACME.id)))


def test_the_window_says_what_will_be_put_there_and_knows_its_place_again() -> None:
    opened = Opened(ACME.id, "C1", "1.2")
    modal = form.setup_modal(ACME, URL, opened)
    check_modal(modal)
    assert form.read_metadata(modal["private_metadata"]) == opened
    assert form.read_metadata("not json") == Opened("")
    told = shown(modal["blocks"])
    assert "brought up to date" not in told
    assert "brought up to date" in shown(form.setup_modal(replace(ACME, alerts_begun_at=1.0), URL, opened)["blocks"])

    for missing in ("BITS_PUBLIC_URL", "BITS_WEBHOOK_SECRET"):
        closed = form.closed_modal(missing)
        check_modal(closed)
        assert "submit" not in closed
        assert missing in shown(closed["blocks"])


def test_each_outcome_has_its_sentence() -> None:
    forbidden = Trouble(TroubleKind.FORBIDDEN, permission="manage_integrations", detail="<!channel> no")
    for outcome, says in (
        (None, "Somebody is setting this up just now"),
        (SetUp(ACME, ("team:sre",), 3), "Alerts of monitors with `team:sre` come in from now on"),
        (SetUp(ACME, (), 3), "Write `@webhook-bits-bot-acme-x7`"),
        (SetUp(ACME, (), 0, forbidden), "the secret variable could not be put in place"),
        (SetUp(ACME, (), 2, Trouble(TroubleKind.UNCLEAR)), "stands there by then is not made twice"),
        (SetUp(ACME, (), 0), "is not connected any more"),
        (SetUp(ACME, tuple(f"a:{n}" for n in range(20)), 3), "and 10 more tags"),
    ):
        message = form.outcome_message(outcome, URL)
        check_message(message)
        check_modal(form.outcome_modal(message))
        assert says in message.text
        assert "<!channel>" not in message.text


PROJECTS = tuple(Project(f"p{number}", f"P{number}", f"<!channel> {number} {'x' * 300}") for number in range(30))


def test_the_window_says_what_tells_of_cases_and_what_keeps_it_from_that() -> None:
    forbidden = Trouble(TroubleKind.FORBIDDEN, permission="cases_read")
    for projects, says in (
        ((), "each case project, 25 at most"),
        (Trouble(TroubleKind.UNCLEAR), "each case project, 25 at most"),
        (chosen(PROJECTS), "25 case projects"),
        (forbidden, "Changes to cases can't be set up"),
    ):
        modal = form.setup_modal(ACME, URL, Opened(ACME.id), projects)
        check_modal(modal)
        told = shown(modal["blocks"])
        assert says in told
        assert "<!channel>" not in told
        assert ("bits-bot-acme-x7-cases" in told) is (projects is not forbidden)


@pytest.mark.parametrize(
    ("cases", "wanted", "says"),
    [
        (CasesSetUp(("p1",)), True, "1 case project tells of changes at once."),
        (CasesSetUp(("p1", "p2")), True, "2 case projects tell of changes at once."),
        (CasesSetUp(), True, "There is no case project yet"),
        (
            CasesSetUp(("p1",), Trouble(TroubleKind.NOT_FOUND), "<!here>"),
            True,
            "1 case project tells of changes at once. *Not all changes to cases are told at once:*",
        ),
        (CasesSetUp(), False, "Changes to cases are not told any more."),
        (
            CasesSetUp((), Trouble(TroubleKind.NOT_REACHED), "the webhook x"),
            False,
            "the webhook x could not be removed",
        ),
    ],
)
def test_what_came_of_cases_has_its_sentence(cases: CasesSetUp, wanted: bool, says: str) -> None:
    for trouble, done in ((None, 3), (Trouble(TroubleKind.CONFLICT), 2)):
        message = form.outcome_message(SetUp(ACME, (), done, trouble, cases_wanted=wanted, cases=cases), URL)
        check_message(message)
        check_modal(form.outcome_modal(message))
        assert says in message.text
        assert "<!here>" not in message.text


def test_what_is_left_in_datadog_is_named() -> None:
    assert form.undone_sentences(Undone()) == ("What was set up in Datadog for its alerts is removed there.",)
    (told,) = form.undone_sentences(Undone(("the webhook x",), Trouble(TroubleKind.NOT_REACHED)))
    assert "Not removed in Datadog: `the webhook x`. Datadog could not be reached" in told
