"""Pasted links: every type from its URL, every refusal with its reason, and nothing pasted lost."""

import time

from bot.datadog.insight_recognition import recognise
from bot.datadog.insights import InsightType, Lookup, LookupKind, Reason
from bot.datadog.links import Location, Site, site_named
from tests.datadog.conftest import Recognise

APP = "https://app.datadoghq.com"
UUID = "9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f"
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
UID = "AgAAAYGCFXAgAbc-_DEF"
T = InsightType

NOTIFICATION = (
    f"{APP}/monitors/444839?from_ts=1788105779000&to_ts=1788106979000&event_id=8788641826233093636"
    "&link_source=monitor_notif&link_monitor_id=444839&link_event_id=8788641826233093636&link_event_ts=1788106679"
    "&group=host%3Aweb-1"
)

WIDGET_PAGE = "/dashboard/abc-def-ghi/checkout?fullscreen_widget=4567890123456789"
DASHBOARD_NOISE = (
    "from_ts=1&to_ts=2&live=true&fullscreen_start_ts=1&fullscreen_end_ts=2&fullscreen_paused=false"
    "&fullscreen_section=overview&refresh_mode=sliding&fromUser=true"
)

LINKS = [
    ("/monitors/12345", T.MONITOR, "12345", "/monitors/12345"),
    ("/monitors/12345/edit", T.MONITOR, "12345", "/monitors/12345"),
    ("/monitors/12345/status?live=true", T.MONITOR, "12345", "/monitors/12345"),
    ("/monitors/12345?q=total", T.MONITOR, "12345", "/monitors/12345?q=total"),
    ("/monitors#12345", T.MONITOR, "12345", "/monitors/12345"),
    ("/monitors#status/12345", T.MONITOR, "12345", "/monitors/12345"),
    ("/monitors#status?id=12345&group=all", T.MONITOR, "12345", "/monitors/12345"),
    ("/monitors//12345/", T.MONITOR, "12345", "/monitors/12345"),
    (f"/event/explorer?live=true&event={UID}%3D%3D", T.EVENT, f"{UID}==", f"/event/explorer?event={UID}%3D%3D"),
    ("/event/event?id=8788641826233093636", T.EVENT, "8788641826233093636", "/event/event?id=8788641826233093636"),
    ("/event/jump_to?event_id=123456", T.EVENT, "123456", "/event/jump_to?event_id=123456"),
    ("/event/stream?id=123456&from_ts=1&to_ts=2", T.EVENT, "123456", "/event/stream?id=123456"),
    ("/incidents/42", T.INCIDENT, "42", "/incidents/42"),
    ("/incidents/42/checkout-is-down?tab=timeline", T.INCIDENT, "42", "/incidents/42?tab=timeline"),
    (f"/incidents/{UUID}", T.INCIDENT, UUID, f"/incidents/{UUID}"),
    (f"/security/signal?event={UID}", T.SECURITY_SIGNAL, UID, f"/security/signal?event={UID}"),
    (f"/security?event={UID}", T.SECURITY_SIGNAL, UID, f"/security?event={UID}"),
    (
        f"/security/siem/signals?query=a&event={UID}&start=1788105779000&end=1788106979000&paused=true",
        T.SECURITY_SIGNAL,
        UID,
        f"/security/siem/signals?query=a&event={UID}",
    ),
    (f"/security/appsec/signals?event={UID}", T.SECURITY_SIGNAL, UID, f"/security/appsec/signals?event={UID}"),
    (f"/error-tracking?issueId={UUID}", T.ERROR_TRACKING, UUID, f"/error-tracking?issueId={UUID}"),
    (f"/error-tracking/issue/{UUID}", T.ERROR_TRACKING, UUID, f"/error-tracking/issue/{UUID}"),
    (f"/rum/error-tracking?issueId={UUID}", T.ERROR_TRACKING, UUID, f"/rum/error-tracking?issueId={UUID}"),
    (f"/apm/error-tracking/issue/{UUID.upper()}", T.ERROR_TRACKING, UUID, f"/apm/error-tracking/issue/{UUID.upper()}"),
    (
        f"{WIDGET_PAGE}&{DASHBOARD_NOISE}&tpl_var_env=prod",
        T.WIDGET,
        "4567890123456789",
        f"{WIDGET_PAGE}&tpl_var_env=prod",
    ),
    ("/dashboard/abc-def-ghi?tile_focus=77", T.WIDGET, "77", "/dashboard/abc-def-ghi?tile_focus=77"),
    ("/notebook/123/postmortem?cell_id=k3x9", T.WIDGET, "k3x9", "/notebook/123/postmortem?cell_id=k3x9"),
    (f"/watchdog/story/{HEX}", T.WATCHDOG_STORY, HEX, f"/watchdog/story/{HEX}"),
    (f"/apm/watchdog/story/{HEX}", T.WATCHDOG_STORY, HEX, f"/apm/watchdog/story/{HEX}"),
    (f"/watchdog?storyKey={HEX}", T.WATCHDOG_STORY, HEX, f"/watchdog?storyKey={HEX}"),
]


def test_a_link_becomes_the_insight_it_shows(pasted: Recognise) -> None:
    for page, type_, resource_id, ref in LINKS:
        found = pasted(APP + page)
        assert not found.set_aside
        assert [(draft.type, draft.resource_id, draft.ref) for draft in found.drafts] == [(type_, resource_id, ref)]


def test_a_page_without_the_id_goes_to_the_form_with_type_and_page_filled_in(pasted: Recognise) -> None:
    cases: list[tuple[str, T]] = [
        ("/incidents?query=a", T.INCIDENT),
        ("/event/explorer?query=a", T.EVENT),
        ("/event/correlation/patterns?id=7", T.EVENT_CORRELATION),
        ("/event/overview", T.EVENT_CORRELATION),
        (f"/security/csm/vm?vulnerability={HEX}", T.SECURITY_FINDING),
        (f"/security/appsec/vm/library/vulnerability/{HEX}?detection=static", T.SECURITY_FINDING),
        ("/security/compliance?event=AQAAAYabcdefgh", T.SECURITY_FINDING),
        ("/security/identities", T.SECURITY_FINDING),
        ("/security/siem/signals", T.SECURITY_SIGNAL),
        ("/error-tracking?issueId=nonsense", T.ERROR_TRACKING),
        ("/watchdog", T.WATCHDOG_STORY),
        ("/cost/recommendations?a=b", T.CLOUD_COST_RECOMMENDATION),
        ("/sensitive-data-scanner/telemetry?a=b", T.SENSITIVE_DATA_SCANNER_ISSUE),
        ("/organization-settings/sensitive-data-scanner/x", T.SENSITIVE_DATA_SCANNER_ISSUE),
        ("/apm/recommendations?a=b", T.APM_RECOMMENDATION),
        ("/software/scorecards?activeTab=campaigns&x=1", T.INSIGHT_SCORECARD_CAMPAIGN),
        ("/infrastructure/resource-policies?a=b", T.RESOURCE_POLICY),
        ("/profiling/optimize?a=b", T.PROFILING_DOWNSIZING_EXPERIMENT),
    ]
    for page, type_ in cases:
        found = pasted(APP + page + ("&" if "?" in page else "?") + "from_ts=1&to_ts=2")
        assert not found.drafts
        (piece,) = found.set_aside
        assert (piece.reason, piece.type, piece.ref) == (Reason.ID_NOT_IN_LINK, type_, page)
        assert "by hand" in piece.sentence
        assert piece.comment_link


def test_every_type_is_either_read_from_links_or_led_to_the_form() -> None:
    read = {type_ for _, type_, _, _ in LINKS} | {T.SCM_URL}
    assert {kind for kind in T if kind not in read} == {
        T.SECURITY_FINDING,
        T.EVENT_CORRELATION,
        T.CLOUD_COST_RECOMMENDATION,
        T.SENSITIVE_DATA_SCANNER_ISSUE,
        T.APM_RECOMMENDATION,
        T.INSIGHT_SCORECARD_CAMPAIGN,
        T.RESOURCE_POLICY,
        T.PROFILING_DOWNSIZING_EXPERIMENT,
    }


def test_a_notification_link_is_the_monitor_and_offers_its_event_too(pasted: Recognise) -> None:
    monitor, event = pasted(NOTIFICATION).drafts
    assert (monitor.type, monitor.resource_id, monitor.ref) == (
        T.MONITOR,
        "444839",
        "/monitors/444839?group=host%3Aweb-1",
    )
    assert (event.type, event.resource_id) == (T.EVENT, "8788641826233093636")
    assert event.ref == "/event/event?id=8788641826233093636"
    assert monitor.lookup == event.lookup == Lookup(LookupKind.MONITOR, "444839")


def test_source_code_is_its_own_url(pasted: Recognise) -> None:
    for url, whole in (
        ("https://github.com/acme/shop/pull/7", "https://github.com/acme/shop/pull/7"),
        ("https://www.github.com/acme/shop/pull/7?utm_source=x#issue-1", "https://github.com/acme/shop/pull/7#issue-1"),
        ("https://gitlab.com/acme/shop/-/merge_requests/7", "https://gitlab.com/acme/shop/-/merge_requests/7"),
        ("https://bitbucket.org/acme/shop/commits/1?at=main", "https://bitbucket.org/acme/shop/commits/1?at=main"),
    ):
        (draft,) = pasted(url).drafts
        assert (draft.type, draft.resource_id, draft.ref) == (T.SCM_URL, whole, whole)


REFUSED = [
    (f"{APP}/s/acme1/x9k-2fd", Reason.SHORT_LINK, True),
    (f"{APP}/logs?query=a&link_monitor_id=1", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/apm/trace/123", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/notebook/123", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/dashboard/abc-def-ghi", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/slo?slo_id=1", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/synthetics/details/abc-def-ghi", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/on-call/pages/7", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/bits-ai/investigations/{UUID}", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/cases/CASEM-42", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/work/CASEM-42", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/monitors/manage?q=a", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/software/scorecards?activeTab=rules", Reason.NO_INSIGHT_TYPE, True),
    (f"{APP}/monitors/123456789012345678901", Reason.NO_INSIGHT_TYPE, True),
    ("https://github.com/acme", Reason.NO_INSIGHT_TYPE, True),
    ("https://us3.datadoghq.com/monitors/1", Reason.OTHER_SITE, True),
    ("https://app.datadoghq.eu/monitors/1", Reason.OTHER_SITE, True),
    ("https://wiki.corp.example/runbook", Reason.FOREIGN_HOST, True),
    ("https://localhost:3000/monitors/1", Reason.FOREIGN_HOST, True),
    ("https://docs.datadoghq.com/monitors/1", Reason.FOREIGN_HOST, True),
    ("https://api.datadoghq.com/monitors/1", Reason.FOREIGN_HOST, True),
    ("https://app.datadoghq.com.evil.com/monitors/1", Reason.FOREIGN_HOST, True),
    ("https://evil.com/https://app.datadoghq.com/monitors/1", Reason.FOREIGN_HOST, True),
    ("https://evil.com/?u=https://app.datadoghq.com/monitors/1", Reason.FOREIGN_HOST, True),
    ("https://evildatadoghq.com/monitors/1", Reason.FOREIGN_HOST, True),
    ("https://app.datadoghq.com:8443/monitors/1", Reason.FOREIGN_HOST, True),
    ("https://app.datadoghq.com@evil.com/monitors/1", Reason.UNREADABLE, False),
    ("https://evil.com\\@app.datadoghq.com/monitors/1", Reason.UNREADABLE, False),
    ("https://app.datadoghq.com\\.evil.com/monitors/1", Reason.UNREADABLE, False),
    (f"{APP}/monitors/1?a=\\b", Reason.UNREADABLE, False),
    ("https://app.datadoghq\u3002com/monitors/1", Reason.UNREADABLE, False),
    ("https://[::1/monitors/1", Reason.UNREADABLE, False),
    ("https://.datadoghq.com/monitors/1", Reason.UNREADABLE, False),
    ("http://app.datadoghq.com/monitors/1", Reason.NOT_HTTPS, False),
    ("MONITOR-77", Reason.NOT_A_LINK, False),
    ("<!channel>", Reason.NOT_A_LINK, False),
]


def test_what_is_no_insight_says_why(pasted: Recognise) -> None:
    for text, reason, comment_link in REFUSED:
        found = pasted(text)
        assert not found.drafts
        (piece,) = found.set_aside
        assert (piece.reason, piece.comment_link) == (reason, comment_link)
        assert piece.sentence.endswith(".")
        assert piece.url in {text, text.strip("<>")}


def test_only_known_code_hosts_are_taken_but_others_are_led_to_the_form(pasted: Recognise) -> None:
    (own,) = pasted("https://gitlab.corp.example/acme/shop/-/merge_requests/7").set_aside
    assert (own.reason, own.type, own.ref) == (Reason.FOREIGN_HOST, T.SCM_URL, own.url)
    (wiki,) = pasted("https://wiki.corp.example/a").set_aside
    assert wiki.type is None


class TestSubdomains:
    LINK = "https://acme.datadoghq.com/monitors/1"

    def test_any_is_let_through_while_our_own_is_unknown(self, us1: Site) -> None:
        assert recognise(self.LINK, Location(us1)).drafts

    def test_our_own_and_the_common_one_are_ours(self, us1: Site) -> None:
        found = recognise(f"{self.LINK} {APP}/monitors/2", Location(us1, "Acme"))
        assert [draft.resource_id for draft in found.drafts] == ["1", "2"]

    def test_another_is_another_organisation(self, us1: Site) -> None:
        found = recognise(self.LINK, Location(us1, "umbrella"))
        (piece,) = found.set_aside
        assert (piece.reason, piece.comment_link, found.drafts) == (Reason.OTHER_ORG, True, ())
        assert "acme" in piece.sentence

    def test_a_site_is_no_subdomain_of_another(self) -> None:
        us3 = site_named("us3.datadoghq.com")
        assert us3
        (piece,) = recognise(self.LINK, Location(us3)).set_aside
        assert piece.reason is Reason.OTHER_SITE
        assert recognise("https://us3.datadoghq.com/monitors/1", Location(us3)).drafts


def test_links_may_be_separated_by_anything(pasted: Recognise) -> None:
    for between in (" ", "\n", ", ", ",", ";", "|", "\n- ", " * ", "\t", ") (", "", " \u2022 ", "\u00a0"):
        found = pasted(between.join(f"{APP}/monitors/{number}" for number in (3, 1, 2)))
        assert [draft.resource_id for draft in found.drafts] == ["3", "1", "2"]
        assert not found.set_aside


def test_links_are_found_in_every_wrapping(pasted: Recognise) -> None:
    for text in (
        f"<{APP}/monitors/1?a=b&amp;c=d>",
        f"<{APP}/monitors/1?a=b&amp;c=d|High latency, see https://evil.com/monitors/9>",
        f"&lt;{APP}/monitors/1?a=b&amp;amp;c=d&gt;",
        f"[High latency]({APP}/monitors/1?a=b&c=d).",
        f"*{APP}/monitors/1?a=b&c=d*",
        f'"{APP}/monitors/1?a=b&c=d"!',
        f"\u200b{APP}/monitors/1?a=b&c=d\u200b\ufeff",
        "app.datadoghq.com/monitors/1?a=b&c=d",
        "HTTPS://APP.DATADOGHQ.COM:443/monitors/1?a=b&c=d",
    ):
        (draft,) = pasted(text).drafts
        assert (draft.resource_id, draft.ref) == ("1", "/monitors/1?a=b&c=d")


def test_six_mixed_links_of_which_two_are_refused(pasted: Recognise) -> None:
    found = pasted(f"""please look at
        <{APP}/monitors/1|High latency>, {APP}/incidents/42/checkout and
        {APP}/error-tracking?issueId={UUID}; {APP}/s/acme/short
        https://evil.example/monitors/2
        {APP}/dashboard/abc-def-ghi?fullscreen_widget=77""")
    assert [draft.label for draft in found.drafts] == [
        "Monitor 1",
        "Incident 42",
        f"Error tracking issue {UUID}",
        "Widget 77",
    ]
    assert [(piece.reason, piece.url) for piece in found.set_aside] == [
        (Reason.NOT_A_LINK, "please look at"),
        (Reason.NOT_A_LINK, "and"),
        (Reason.SHORT_LINK, f"{APP}/s/acme/short"),
        (Reason.FOREIGN_HOST, "https://evil.example/monitors/2"),
    ]


def test_the_same_resource_twice_is_one_draft(pasted: Recognise) -> None:
    found = pasted(f"{APP}/monitors/1 {APP}/monitors/1/edit {NOTIFICATION} {NOTIFICATION}")
    assert [draft.key for draft in found.drafts] == [
        ("MONITOR", "1"),
        ("MONITOR", "444839"),
        ("EVENT", "8788641826233093636"),
    ]


def test_a_parameter_that_looks_like_an_entity_stays_itself(pasted: Recognise) -> None:
    (draft,) = pasted(f"{APP}/monitors/1?a=1&para=2&copy=3").drafts
    assert draft.ref == "/monitors/1?a=1&para=2&copy=3"


def test_a_huge_paste_is_read_in_no_time(pasted: Recognise) -> None:
    for text in (
        "<https://" * 4000,
        f"{APP}/monitors/1 " * 2000,
        "https://x.example/" + "(" * 20_000 + ")" * 20_000,
        "&" + "amp;" * 10_000,
        f"{APP}/" + "a/" * 15_000 + "resource-policx",
    ):
        started = time.process_time()
        pasted(text)
        assert time.process_time() - started < 2
