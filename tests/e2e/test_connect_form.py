"""An admin connects a Datadog organisation: the form, what is wrong with it, what is stored, and taking it back."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.orgs import slack as connect
from bot.sandbox.datadog.faults import Fault
from bot.wording import AI_WRITTEN
from tests.e2e.org_town import OrgTown


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[OrgTown]:
    async with OrgTown(tmp_path) as town:
        yield town


async def test_an_admin_connects_and_sees_what_the_keys_are_good_for(town: OrgTown) -> None:
    shown = await town.connects(town.acme)

    assert "acme is connected (EU1, app.datadoghq.eu)." in shown.text
    assert "appears under Bits Bot (service account)" in shown.text
    assert "✅ bits_investigations_read" in shown.text
    assert "✅ cases_read" in shown.text
    assert "Whether it may write shows only when it is used" in shown.text
    assert town.acme.api_key not in shown.text
    assert "API key …6789" in shown.text


async def test_only_admins_may(town: OrgTown) -> None:
    seen = await town.ana.command("/bits", "connect", in_=town.channel)

    assert "Only workspace admins may connect Datadog. Ask one" in await seen.answered()
    assert town.ana.modal is None


async def test_nobody_may_while_slack_does_not_say_who_she_is(town: OrgTown) -> None:
    town.slack.break_next("users.info", error="internal_error", times=9)

    seen = await town.eva.command("/bits", "connect", in_=town.channel)

    assert "Slack did not say whether you are one" in await seen.answered()


async def test_without_an_encryption_key_no_key_is_taken(tmp_path: Path) -> None:
    async with OrgTown(tmp_path, bits_encryption_keys=None) as town:
        seen = await town.eva.command("/bits", "connect", in_=town.channel)

        assert "keys are stored encrypted or not at all, and BITS_ENCRYPTION_KEYS is not set" in await seen.answered()


async def test_a_mention_gets_a_button_to_the_form(town: OrgTown) -> None:
    said = await town.eva.mention("connect", town.channel)
    offer = await town.eva.waits_for(
        lambda: next((one for one in town.eva.ephemerals if "Press the button to connect" in one.shown), None)
    )

    await town.eva.click("Connect Datadog", on=offer)

    assert await town.eva.waits_for_modal("Application key")
    assert said.replies == []


async def test_a_link_fills_in_site_and_sub_domain(town: OrgTown) -> None:
    shown = await town.opens_form(town.eva, "https://acme.us5.datadoghq.com/monitors/1")

    assert shown.fields["Datadog site"] == "US5 (us5.datadoghq.com)"
    assert shown.fields["Sub-domain"] == "acme"


@pytest.mark.parametrize("status", [403, 404])
async def test_an_organisation_on_a_government_site_connects_and_hears_what_that_site_refuses(
    town: OrgTown, status: int
) -> None:
    town.datadog.break_next("*", "/api/v2/bits-ai/investigations", status=status, times=9)
    shown = await town.connects(town.acme, site="US1-FED (ddog-gov.com)")

    assert "acme is connected (US1-FED, app.ddog-gov.com)" in shown.text
    assert "❌ Missing: bits_investigations_read" in shown.text
    assert "✅ cases_read" in shown.text
    assert "By Datadog's documents Bits AI is not offered on US1-FED." in shown.text
    await town.eva.close()

    await town.ana.command("/bits", "list https://app.ddog-gov.com/monitors/7", in_=town.channel)
    await town.slack.wait_for(lambda: "refuses this on its site US1-FED" in town.ana.sees)


WRONG = [
    ({"API key": "wrong-key-0123456789"}, "API key", "does not know this API key on EU1"),
    ({"Application key": "wrong-key-0123456789"}, "Application key", "does not accept this application key"),
    ({"API key": "a b c d e f g h"}, "API key", "holds a space"),
    ({"API key": "a" * 40, "Application key": "b" * 32}, "API key", "are they swapped?"),
    ({"Sub-domain": "https://acme.us3.datadoghq.com"}, "Sub-domain", "lies on US3 (us3.datadoghq.com)"),
    ({"Sub-domain": "acme.ddog-gov.com"}, "Sub-domain", "lies on US1-FED (ddog-gov.com)"),
    ({"Name": "Default"}, "Name", "connected under this name"),
]


async def test_what_is_wrong_is_said_beside_its_field_and_mended_in_the_same_window(town: OrgTown) -> None:
    await town.opens_form(town.eva)
    await town.eva.choose("Datadog site", "EU1 (datadoghq.eu)")
    for changes, field, sentence in WRONG:
        await town.eva.fill({"Sub-domain": ""} | town.filled(town.acme, **changes))

        seen = await town.eva.submit()

        assert list(seen.errors) == [field]
        assert sentence in seen.errors[field]

    await town.eva.fill({"Sub-domain": "acme"} | town.filled(town.acme))
    await town.eva.submit()
    await town.eva.waits_for_modal("acme is connected (EU1, acme.datadoghq.eu)")


async def test_keys_that_may_not_read_investigations_are_refused(town: OrgTown) -> None:
    town.acme.scopes.discard("bits_investigations_read")
    await town.opens_form(town.eva)
    await town.eva.fill(town.filled(town.acme))

    seen = await town.eva.submit()

    assert "may not read investigations" in seen.errors["Application key"]


async def test_other_missing_permissions_are_named_and_the_rest_works(town: OrgTown) -> None:
    town.acme.scopes -= {"cases_read", "events_read"}

    shown = await town.connects(town.acme)

    assert "❌ Missing: cases_read" in shown.text
    assert "❌ Missing: events_read" in shown.text
    assert "✅ monitors_read" in shown.text


async def test_a_datadog_that_is_down_is_no_fault_of_the_keys(town: OrgTown) -> None:
    town.datadog.faults.add(Fault("GET", "/api/v1/validate", times=99, status=400))
    await town.opens_form(town.eva)
    await town.eva.fill(town.filled(town.acme))

    seen = await town.eva.submit()

    assert "did not answer usefully" in seen.errors["Datadog site"]


async def test_the_organisation_of_the_settings_is_not_connected_twice(town: OrgTown) -> None:
    await town.opens_form(town.eva)
    await town.eva.fill(town.filled(town.datadog.org, Name="mine"))

    seen = await town.eva.submit()

    assert "its keys stand in Bits Bot's own settings" in seen.errors["API key"]


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if two of Slack's three seconds were over at once."""
    monkeypatch.setattr(connect, "AT_ONCE", 0.05)


@pytest.mark.usefixtures("no_patience")
async def test_a_slow_check_shows_that_it_goes_on_and_then_its_result(town: OrgTown) -> None:
    slow = town.datadog.faults.add(Fault("GET", "/api/v2/validate_keys", hang=True))
    await town.opens_form(town.eva)
    await town.eva.fill(town.filled(town.acme))
    await town.eva.submit()
    assert "Checking the keys with Datadog" in (await town.eva.waits_for_modal("Checking the keys")).text

    slow.release()

    assert await town.eva.waits_for_modal("acme is connected")


@pytest.mark.usefixtures("no_patience")
async def test_a_slow_refusal_brings_the_form_back_with_the_reason_and_what_was_typed(town: OrgTown) -> None:
    slow = town.datadog.faults.add(Fault("GET", "/api/v2/validate_keys", hang=True))
    await town.opens_form(town.eva)
    await town.eva.fill(town.filled(town.acme, **{"Application key": "wrong-key-0123456789"}))
    await town.eva.submit()
    await town.eva.waits_for_modal("Checking the keys")

    slow.release()
    shown = await town.eva.waits_for_modal("Not connected yet")

    assert "does not accept this application key" in shown.text
    assert shown.fields["Name"] == "acme"
    assert town.acme.api_key not in str(shown.view.definition)
    await town.eva.fill({"Application key": town.acme.app_key})
    await town.eva.submit()
    assert await town.eva.waits_for_modal("acme is connected")


@pytest.mark.usefixtures("no_patience")
async def test_who_has_closed_the_window_is_told_directly(town: OrgTown) -> None:
    slow = town.datadog.faults.add(Fault("GET", "/api/v2/validate_keys", hang=True))
    await town.opens_form(town.eva)
    await town.eva.fill(town.filled(town.acme))
    await town.eva.submit()
    await town.eva.waits_for_modal("Checking the keys")
    await town.eva.close()

    slow.release()

    await town.eva.waits_for(lambda: "acme is connected (US1)" in town.eva.sees)


async def test_no_key_stands_in_the_database_a_view_or_the_log(town: OrgTown, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await town.connects(town.acme)

    keys = (town.acme.api_key, town.acme.app_key)
    stored = b"".join(path.read_bytes() for path in town.folder.iterdir())
    views = [str(call.args.get("view")) for call in town.slack.calls if call.method.startswith("views.")]
    assert not [key for key in keys if key.encode() in stored]
    assert not [key for key in keys for view in views if key in view]
    assert not [key for key in keys if key in caplog.text]
    assert (await town.row("acme")).api_key_end == town.acme.api_key[-4:]


async def test_a_restart_keeps_what_is_connected(town: OrgTown) -> None:
    await town.connects(town.acme)
    await town.bot.stop()
    await town.start_bot()

    _, message = await town.acme_alert()
    await town.ana.shortcut("investigate_message", on=message)

    await town.reads(message, AI_WRITTEN)
    assert (town.runs_of(town.acme), town.runs_of(town.datadog.org)) == (1, 0)
