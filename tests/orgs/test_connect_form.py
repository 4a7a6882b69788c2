"""The form that connects an organisation: what it offers, what it reads, and that no key ever comes back in a view."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.checkup import ESSENTIAL, Checkup
from bot.datadog.links import SITES, site_named
from bot.orgs import connect_form as form
from bot.orgs.connect_form import Filled, Prefill, connect_modal, connected_modal, prefill_of, read_form
from bot.orgs.model import OrgEntry
from tests.slack.blockkit import check_message, check_modal, shown

US5 = next(site for site in SITES if site.region == "US5")
API_KEY, APP_KEY = "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef01234567"


def view(site: str = "datadoghq.eu", **typed: str) -> dict[str, Any]:
    given_ = {form.NAME: "Acme", form.SUBDOMAIN: "", form.API_KEY: API_KEY, form.APP_KEY: APP_KEY} | typed
    values: dict[str, Any] = {name: {name: {"value": value}} for name, value in given_.items()}
    values[form.SITE] = {form.SITE: {"selected_option": {"value": site}}}
    return {"state": {"values": values}}


def read(**typed: str) -> tuple[Filled, dict[str, str]]:
    return read_form(view(**typed))


def test_every_site_is_offered() -> None:
    modal = connect_modal(Prefill())
    check_modal(modal)
    select = next(block["element"] for block in modal["blocks"] if block.get("block_id") == form.SITE)
    offered = [site_named(option["value"]) for option in select["options"]]
    assert offered == list(SITES)


def test_it_says_what_can_be_told_only_on_use() -> None:
    told = shown(connect_modal(Prefill())["blocks"])

    assert "To write, which shows only when it is used: `bits_investigations_write`" in told
    assert all(f"`{name}`" in told for name in {*ESSENTIAL, "monitors_read", "events_read", "cases_read"})


def test_what_is_wrong_stands_under_its_field_and_checking_keeps_the_fields() -> None:
    problems = {form.APP_KEY: "Wrong <key>.", form.SITE: "Slow."}
    modal = connect_modal(Prefill(name="Acme", site=US5), problems=problems)
    check_modal(modal)
    names = [block.get("block_id") for block in modal["blocks"]]
    at = names.index(form.APP_KEY)
    assert "Wrong &lt;key&gt;." in shown(modal["blocks"][at + 1])

    waiting = connect_modal(Prefill(name="Acme", site=US5), checking=True)
    check_modal(waiting)
    inputs = [name for name in names if name]
    assert [block["block_id"] for block in waiting["blocks"] if block.get("block_id")] == inputs


def test_what_was_filled_in_is_read() -> None:
    filled, problems = read(subdomain="https://acme.datadoghq.eu/monitors", name="  Acme\n EU ")

    assert problems == {}
    assert (filled.name, filled.site.region, filled.subdomain) == ("Acme EU", "EU1", "acme")
    assert (filled.api_key, filled.app_key) == (API_KEY, APP_KEY)
    assert API_KEY not in repr(filled)


def test_sub_domains() -> None:
    for typed, meant in (("", ""), ("app", ""), ("app.datadoghq.eu", ""), ("Acme", "acme")):
        filled, problems = read(subdomain=typed)

        assert (filled.subdomain, problems) == (meant, {})


def test_sub_domains_that_are_none() -> None:
    for typed in ("a b", "-a", "acme.example.com", "acme.us5.datadoghq.com", "acme.ddog-gov.com"):
        assert list(read(subdomain=typed)[1]) == [form.SUBDOMAIN]


def test_keys_that_are_none() -> None:
    for key in ("", "short", "with a space in it", "schlüssel-schlüssel", "a\tb" * 5):
        assert list(read(api_key=key)[1]) == [form.API_KEY]


def test_what_stands_behind_connect() -> None:
    for words, name, region, subdomain in (
        ("", "", "US1", ""),
        ("eu1", "", "EU1", ""),
        ("datadoghq.eu", "", "EU1", ""),
        ("acme.us5.datadoghq.com/monitors/1", "acme", "US5", "acme"),
        ("https://acme.datadoghq.eu/cases/CASEM-1", "acme", "EU1", "acme"),
        ("production", "production", "US1", ""),
    ):
        known = prefill_of(words)

        assert isinstance(known, Prefill)
        assert (known.name, known.site.region, known.subdomain) == (name, region, subdomain)


def test_of_a_government_site_it_is_said_what_the_documents_do_not_offer() -> None:
    for words, missing in (
        ("us1-fed", "Bits AI is"),
        ("https://x.us2.ddog-gov.com/", "Bits AI and cases are"),
        ("eu1", ""),
    ):
        told = form.offered_words(prefill_of(words).site)
        assert (missing in told) if missing else told == ""


@given(st.text(max_size=80))
def test_any_words_make_a_form(words: str) -> None:
    check_modal(connect_modal(prefill_of(words)))


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_typed_is_read_and_no_key_comes_back(key: str, name: str, subdomain: str) -> None:
    filled, problems = read(api_key=f"SECRET{key}", name=name, subdomain=subdomain)

    known = Prefill(name=filled.name, site=filled.site, subdomain=filled.subdomain)
    for modal in (connect_modal(known, problems=problems), connect_modal(known, checking=True)):
        check_modal(modal)
        assert "SECRET" not in json.dumps(modal)
    assert all(sentence for sentence in problems.values())


def test_a_window_that_says_nothing_of_itself_is_a_new_connection() -> None:
    assert form.read_metadata("not json") == Prefill()
    modal = connect_modal(Prefill(replaces="acme-x", channel="C1", thread_ts="1.2"))
    assert form.read_metadata(modal["private_metadata"]) == Prefill(replaces="acme-x", channel="C1", thread_ts="1.2")


def test_the_result_says_what_is_granted_what_is_not_and_what_nobody_knows() -> None:
    entry = OrgEntry("acme-x", "T1", "Acme", SITES[3], "acme", "1234", "5678", lacking=("cases_read",))
    webhook = form.webhook_of(entry, "https://bits.example.com", "the-secret")
    modal = connected_modal(entry, Checkup(lacking=("cases_read",), unclear=("events_read",)), webhook)

    check_modal(modal)
    told = shown(modal["blocks"])
    assert "❌ Missing: `cases_read`" in told
    assert "❔ Not clear now: `events_read`" in told
    assert "✅ `monitors_read`" in told
    assert "does not tell whose application key it is" in told
    assert "https://bits.example.com/datadog/webhook/acme-x" in told
    assert '{"X-Bits-Webhook-Secret": "the-secret"}' in told
    check_message(form.connected_message(entry))
    check_message(form.not_connected_message({"name": "Taken."}))
    check_message(form.press_to_connect())
