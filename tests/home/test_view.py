"""The Home tab as blocks: within Slack's limits whatever stands in it, and nothing in it is live that we did not write."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cases.model import KnownCase
from bot.datadog.links import SITES
from bot.home import view as home
from bot.home.view import HomeAdmin, HomeCase, HomeContent, HomeInvestigation, home_view
from bot.investigations.model import Investigation, State, Verdict
from bot.orgs import connect_form
from bot.orgs.model import OrgEntry
from bot.rules.budget import Limits, Usage
from bot.sandbox.slack.blockkit import check_view
from tests.investigations.samples import APP, HOSTILE, INV
from tests.slack.blockkit import check_blocks, mrkdwn, shown

USAGE = Usage(workspace=7, channel=0, automatic=2, limits=Limits(40, None, 10))
ACME = OrgEntry(
    id="acme-x",
    workspace="T1",
    name="Acme",
    site=SITES[3],
    subdomain="acme",
    api_key_end="1234",
    app_key_end="5678",
    owner="Bits (service account)",
    lacking=("cases_read",),
    connected_by="UEVA",
    connected_at=1_700_000_000.0,
)
SETTINGS = OrgEntry("default", "", "default", SITES[0], api_key_end="abcd", app_key_end="efgh")
CASE = KnownCase(1, "default", "uuid", "CASEM-42", title="Disk full", status="OPEN")


def drawn(content: HomeContent) -> str:
    view = home_view(content)
    checked(view)
    return shown(view["blocks"])


def checked(view: dict[str, Any]) -> None:
    assert view["type"] == "home"
    assert len(view["blocks"]) <= 100
    assert check_view(view, "home") == []
    check_blocks(view["blocks"])
    assert len(json.dumps(view)) <= 250_000


def inv(state: State = State.RUNNING, **changes: Any) -> HomeInvestigation:
    return HomeInvestigation(replace(INV, state=state, **changes), APP)


def test_empty_it_says_what_to_do_first() -> None:
    told = drawn(HomeContent())

    assert "None yet." in told
    assert "For admins" not in told


def test_without_an_organisation_everyone_hears_whom_to_ask_and_admins_what_to_press() -> None:
    assert "Ask a workspace admin to type `/bits connect`" in drawn(HomeContent(connected=False))
    assert "Connect one below." in drawn(HomeContent(connected=False, admin=HomeAdmin(USAGE)))


def test_every_state_has_its_word() -> None:
    for state in list(State):
        verdict = Verdict.CONCLUSIVE if state is State.CONCLUDED else None

        assert drawn(HomeContent(investigations=(inv(state, verdict=verdict),)))


def test_what_runs_stands_before_what_ended() -> None:
    told = drawn(HomeContent(investigations=(inv(State.CONCLUDED, verdict=Verdict.INCONCLUSIVE), inv())))

    assert told.index("Running now") < told.index("Your latest")
    assert "inconclusive" in told


def test_links_to_the_run_and_to_its_thread_and_the_name_of_the_organisation() -> None:
    each = replace(inv(), thread="https://acme.slack.com/archives/C1/p1", org="Acme")

    text = json.dumps(home_view(HomeContent(investigations=(each,))))

    assert "https://acme.slack.com/archives/C1/p1" in text
    assert f"{APP}/bits-ai/investigations" in text
    assert " \\u00b7 running \\u00b7 " in text
    assert " \\u00b7 Acme" in text


def test_cases_and_channels() -> None:
    content = HomeContent(cases=(HomeCase(CASE, APP),), channels=("C0123ABCD",), more_channels=2)

    assert "2 more channels" in drawn(content)
    assert f"{APP}/cases/CASEM-42" in json.dumps(home_view(content))


def test_an_admin_sees_organisations_by_the_ends_of_their_keys() -> None:
    content = HomeContent(admin=HomeAdmin(USAGE, (SETTINGS, ACME), health=("Slack: fine",)))

    told = drawn(content)
    assert "API key …1234, application key …5678" in told
    assert "*It lacks* `cases_read`" in told
    assert "7 of 40 used, 2 of 10 automatically" in told
    buttons = [element for block in home_view(content)["blocks"] for element in block.get("elements", [])]
    ids = [element["action_id"] for element in buttons if element.get("type") == "button"]
    mine = [connect_form.REPLACE_KEYS, connect_form.NEW_SECRET, connect_form.DISCONNECT]
    assert ids[-5:-1] == [*mine, connect_form.OPEN_FROM_HOME]
    confirmed = [button["action_id"] for button in buttons if button.get("confirm")]
    assert confirmed == [connect_form.DISCONNECT], "nothing is replaced where there is no secret yet"


def test_an_organisation_says_whether_its_webhook_has_a_secret() -> None:
    for has_one in (False, True):
        org = replace(ACME, has_webhook_secret=has_one)
        view = home_view(HomeContent(admin=HomeAdmin(USAGE, (org,))))
        elements = [element for block in view["blocks"] for element in block.get("elements", [])]
        (new,) = (each for each in elements if each.get("action_id") == connect_form.NEW_SECRET)
        assert ("It has no webhook secret yet" in json.dumps(view)) is not has_one
        assert ("confirm" in new) is has_one


def test_without_encryption_keys_there_is_no_button_but_the_reason() -> None:
    told = drawn(HomeContent(admin=HomeAdmin(USAGE, (SETTINGS,), can_connect=False)))

    assert "BITS_ENCRYPTION_KEYS" in told
    assert "Connect Datadog" not in told


def test_as_full_as_it_can_get_it_keeps_the_limits() -> None:
    long = "x" * 3_000
    run = inv(title=long)
    org = replace(ACME, name=long[:40], owner=long, lacking=("bits_investigations_write",) * 4)
    content = HomeContent(
        investigations=tuple(replace(run, thread="https://a.slack.com/p1") for _ in range(home.MOST_INVESTIGATIONS)),
        cases=(HomeCase(replace(CASE, title=long), APP),) * home.MOST_CASES,
        channels=tuple(f"C{number:08}" for number in range(home.MOST_CHANNELS)),
        more_channels=1_000,
        connected=False,
        admin=HomeAdmin(USAGE, (org,) * 25, health=("Slack: fine",) * 26),
    )

    assert "15 more organisations" in drawn(content)


def test_nothing_somebody_wrote_comes_alive() -> None:
    text = HOSTILE
    alert = replace(INV.alert, monitor_name=text, group=text) if INV.alert else None
    content = HomeContent(
        investigations=(HomeInvestigation(replace(INV, alert=alert, title=text), APP, org=text),),
        cases=(HomeCase(replace(CASE, title=text, status_name=text), APP),),
        admin=HomeAdmin(USAGE, (replace(ACME, name=text, owner=text),)),
    )

    view = home_view(content)
    checked(view)
    for written in mrkdwn(view["blocks"]):
        assert "<!channel" not in written
        assert "<!here" not in written
        assert "<https://evil" not in written


@settings(max_examples=40)
@given(st.lists(st.text(max_size=200), max_size=12), st.lists(st.sampled_from(list(State)), max_size=12))
def test_any_names_in_any_states(names: list[str], states: list[State]) -> None:
    asked = tuple(inv(state, title=name, alert=None, question=None) for name, state in zip(names, states, strict=False))

    checked(home_view(HomeContent(investigations=asked)))


def test_the_same_books_make_the_same_view() -> None:
    """It is drawn anew only where it differs, so no clock may stand in it."""
    content = HomeContent(investigations=(inv(),), admin=HomeAdmin(USAGE, (ACME,)))

    assert json.dumps(home_view(content)) == json.dumps(home_view(content))
    assert isinstance(content.investigations[0].investigation, Investigation)
