"""Alerts: their ids, their words, their cycles, and the links under Datadog's Slack messages."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.datadog import FakeAlert, FakeDatadog
from bot.sandbox.datadog.alerts import event_id_at
from tests.sandbox.datadog.conftest import Clock


@given(st.integers(1_577_836_800_000, 1_813_000_000_000), st.integers(1, 2_000))
def test_event_ids_have_19_digits_and_tell_their_time(ts_ms: int, serial: int) -> None:
    event_id = event_id_at(ts_ms, serial)
    assert len(event_id) == 19
    assert abs((int(event_id) >> 24) + 1_264_262_800_000 - ts_ms) <= 60_000


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 2_000))
def test_event_ids_keep_their_length_at_any_time(ts_ms: int, serial: int) -> None:
    assert 10**18 <= int(event_id_at(ts_ms, serial)) < 2**63


def test_no_two_alerts_share_an_id(fake: FakeDatadog) -> None:
    monitor = fake.add_monitor("Disk")
    alerts = [fake.fire(monitor, at=1_795_000_000) for _ in range(500)]
    assert len({alert.event_id for alert in alerts}) == len({alert.uid for alert in alerts}) == 500


def test_a_cycle_runs_from_trigger_to_recovery_for_each_group(fake: FakeDatadog) -> None:
    monitor = fake.add_monitor("Disk", groups=["host:a", "host:b"])

    def tell(group: str, transition: str) -> tuple[str, str]:
        alert = fake.fire(monitor, group=group, transition=transition)
        return alert.slack_title, alert.cycle_key

    warned, first = tell("host:a", "warning")
    told = [tell("host:a", "alert"), tell("host:a", "alert"), tell("host:a", "renotify")]
    assert monitor.overall_state == "Alert"
    told += [tell("host:a", "alert recovery")]
    assert warned == "Warn: Disk on host:a"
    assert [title.partition(":")[0] for title, _ in told] == ["Triggered", "Re-Triggered", "Renotify", "Recovered"]
    assert {cycle for _, cycle in told} == {first}
    assert monitor.overall_state == "OK"
    assert tell("host:b", "no data")[1] != first
    assert tell("host:a", "alert")[1] != first


def test_unknown_transitions_are_told(fake: FakeDatadog) -> None:
    with pytest.raises(ValueError, match="no transition"):
        fake.fire(fake.add_monitor("Disk"), transition="Triggered")


def test_links_stand_on_the_sites_own_host() -> None:
    for site, host in (("datadoghq.com", "app.datadoghq.com"), ("us3.datadoghq.com", "us3.datadoghq.com")):
        fake = FakeDatadog(site=site)
        assert urlsplit(fake.fire(fake.add_monitor("Disk")).link()).hostname == host


def test_the_link_has_every_member_and_each_can_be_left_out(alert: FakeAlert, clock: Clock) -> None:
    def members(**switches: bool) -> dict[str, str]:
        return {name: value[0] for name, value in parse_qs(urlsplit(alert.link(**switches)).query).items()}

    seconds = str(int(clock.now))
    full = members()
    assert int(full["to_ts"]) - int(full["from_ts"]) == 20 * 60 * 1000
    assert int(full["from_ts"]) + 900_000 == alert.event_ts
    assert full["event_id"] == full["link_event_id"] == alert.event_id
    assert (full["link_event_ts"], full["group"]) == (seconds, "host:db-3")
    assert not any(name.startswith("link_") for name in members(link_members=False))
    assert "link_event_ts" not in members(link_ts=False)
    assert set(members(link_members=False, event_id=False, group=False)) == {"from_ts", "to_ts"}
    assert alert.link(hash_form=True).startswith(f"https://app.datadoghq.com/monitors#{alert.monitor.id}?")
    assert "&amp;event_id=" in alert.link(escaped=True)
    bare = alert.link(window=False, event_id=False, link_members=False, group=False)
    assert bare == alert.monitor.link
