"""Datadog URLs of every form that was seen, and text made to look like one."""

from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.links import (
    SITES,
    CaseLink,
    EventLink,
    InvestigationLink,
    Link,
    MonitorLink,
    find_links,
    is_datadog_url,
    parse_link,
)

UUID = "8a3c1f5e-1111-4222-8333-abcdefabcdef"
EVENT = "8788641826233093636"
UID = "AgAAAYGCFXAgAAAAAAAAAAAYAAAAAEFZR0NGWEFnAAA-_w"
NOTIFICATION = (
    "https://us3.datadoghq.com/monitors/444839?from_ts=1788105779000&to_ts=1788106979000"
    f"&event_id={EVENT}&link_source=monitor_notif&link_monitor_id=444839"
    f"&link_event_id={EVENT}&link_event_ts=1788106679"
)


def monitor(url: str) -> dict[str, Any]:
    link = parse_link(url)
    assert isinstance(link, MonitorLink)
    return {"id": link.monitor_id, "event": link.event_id, "ts": link.event_ts, "group": link.group}


def test_the_link_of_a_notification_holds_all_a_trigger_needs() -> None:
    assert monitor(NOTIFICATION) == {"id": 444839, "event": EVENT, "ts": 1788106679000, "group": ""}


def test_the_same_link_as_slack_escapes_it() -> None:
    escaped = NOTIFICATION.replace("&", "&amp;") + "&amp;group=host%3Aweb-1"

    assert monitor(escaped) == {"id": 444839, "event": EVENT, "ts": 1788106679000, "group": "host:web-1"}
    link = parse_link(escaped)
    assert link
    assert link.url == NOTIFICATION + "&group=host%3Aweb-1"


def test_the_event_of_older_links() -> None:
    cases: list[tuple[str, str, int | None]] = [
        (f"event_id={EVENT}&from_ts=1788105779000&to_ts=1788106979000", EVENT, 1788106679000),
        (f"event_id={EVENT}&to_ts=1788106979000", EVENT, 1788106679000),
        (f"link_event_id={EVENT}&link_event_ts=1788106679", EVENT, 1788106679000),
        (f"event_id={EVENT}&link_event_ts=1788106679000", EVENT, 1788106679000),
        (f"event_id={EVENT}&link_event_ts=soon&from_ts=", EVENT, None),
        (f"event_id={2**63}&from_ts={10**18}", str(2**63), None),
        ("event_id=abc", "", None),
        ("event_id=12&event_id=13", "12", None),
        (f"event_id={'9' * 40}", "", None),
        ("", "", None),
    ]
    for query, event, ts in cases:
        assert monitor(f"https://app.datadoghq.com/monitors/1?{query}") == {
            "id": 1,
            "event": event,
            "ts": ts,
            "group": "",
        }


def test_all_forms_of_a_monitors_page() -> None:
    for path in (
        "/monitors/123",
        "/monitors/123/",
        "/monitors/123/edit",
        "/monitors/123/status?group=%2A",
        "//monitors/123",
        "/monitors#123",
        "/monitors#/123",
        "/monitors#status/123",
        "/monitors#123/edit",
        "/monitors#123?to_ts=1600000300000&from_ts=1600000000000",
        "/monitors#status?id=123&group=all",
    ):
        assert monitor(f"https://app.datadoghq.com{path}")["id"] == 123


def test_a_query_behind_the_fragment_counts() -> None:
    link = monitor("https://app.datadoghq.com/monitors#123?group=host:a&from_ts=1600000000000")

    assert (link["ts"], link["group"]) == (1600000900000, "host:a")


def test_events() -> None:
    cases: list[tuple[str, str, str]] = [
        (f"/event/explorer?query=x&event={UID}", "", UID),
        (f"/event/explorer?event={quote('AwAA' + 'a+/b' * 8 + '==', safe='')}", "", "AwAA" + "a+/b" * 8 + "=="),
        (f"/event/explorer?event=AwAA{'a+/b' * 8}", "", "AwAA" + "a+/b" * 8),
        (f"/event/event?id={EVENT}", EVENT, ""),
        (f"/event/jump_to?event_id={EVENT}", EVENT, ""),
        (f"/event/stream?event_id={EVENT}", EVENT, ""),
        (f"/event/explorer?event={EVENT}", EVENT, ""),
    ]
    for path, event_id, uid in cases:
        link = parse_link(f"https://app.datadoghq.eu{path}")

        assert isinstance(link, EventLink)
        assert (link.event_id, link.uid) == (event_id, uid)


def test_an_investigation() -> None:
    for tail in (
        "",
        "/",
        "?section=conclusion&v=trace",
        "#x",
    ):
        link = parse_link(f"https://app.datadoghq.com/bits-ai/investigations/{UUID}{tail}")

        assert isinstance(link, InvestigationLink)
        assert link.investigation_id == UUID


def test_a_case_before_and_after_the_product_was_renamed() -> None:
    for first in ("cases", "work"):
        names: list[tuple[str, str]] = [
            ("CASEM-42", "CASEM-42"),
            ("casem-42", "CASEM-42"),
            ("A1B-7", "A1B-7"),
            (UUID, UUID),
        ]
        for named, expected in names:
            link = parse_link(f"https://app.datadoghq.com/{first}/{named}?tab=activity")

            assert isinstance(link, CaseLink)
            assert link.key_or_id == expected


def test_other_pages_are_other_links() -> None:
    for path in (
        "/",
        "/monitors",
        "/monitors/manage?q=123",
        "/monitors/triggered",
        f"/monitors/{'9' * 30}",
        f"/monitors/{2**63}",
        "/monitors/0",
        "/monitors/%31%30x",
        "/monitors/\u0661\u0662",
        "/event/explorer?query=source:alert",
        "/event/explorer?event=short",
        "/bits-ai/investigations",
        "/bits-ai/investigations/settings",
        "/cases",
        "/cases/settings",
        "/workflow/CASEM-42",
        "/dashboard/abc-def-ghi",
        "/s/org/token",
    ):
        assert type(parse_link(f"https://app.datadoghq.com{path}")) is Link


def test_every_site_with_and_without_an_own_sub_domain() -> None:
    for site in SITES:
        common = parse_link(f"{site.app_url}/monitors/1")
        own = parse_link(f"https://acme.{site.domain}/monitors/1")

        assert common
        assert own
        assert (common.site, common.subdomain) == (site, "")
        assert (own.site, own.subdomain) == (site, "acme")


def test_what_is_no_link_into_datadogs_app() -> None:
    for url in (
        "",
        "monitors/1",
        "http://app.datadoghq.com/monitors/1",
        "ftp://app.datadoghq.com/monitors/1",
        "javascript:alert(1)//app.datadoghq.com",
        "//app.datadoghq.com/monitors/1",
        "https:app.datadoghq.com/monitors/1",
        "https:///monitors/1",
        "https://app.datadoghq.com.evil.com/monitors/1",
        "https://app.datadoghq.com@evil.com/monitors/1",
        "https://evil.com@app.datadoghq.com/monitors/1",
        "https://user:pw@app.datadoghq.com/",
        "https://evil.com/https://app.datadoghq.com/monitors/1",
        "https://evil.com?app.datadoghq.com",
        "https://evil.com#.datadoghq.com",
        "https://evildatadoghq.com/monitors/1",
        "https://app-datadoghq.com/",
        "https://app.datadoghq.com:8443/monitors/1",
        "https://app.datadoghq.com\\@evil.com/monitors/1",
        "https://evil.com\\.datadoghq.com/",
        "https://app.datadoghq.com/monitors/1\n.evil.com",
        "https://app.data\tdoghq.com/monitors/1",
        "https://app.datadoghq.com\x00/monitors/1",
        "https://app.datadoghq.com%2eevil.com/",
        "https://\u0430pp.datadoghq.com/",
        "https://app.datadoghq.c\u043em/",
        "https://app\u3002datadoghq.com/",
        "https://app.datadoghq\uff0ecom/",
        "https://app.datadoghq.com\u2044@evil.com/",
        "https://app.datadoghq.com/\u202emonitors/1",
        "https://[::1].datadoghq.com/",
        "https://[app.datadoghq.com/",
        "https://.datadoghq.com/",
        "https://a..datadoghq.com/",
        "https://a.b.datadoghq.com/",
        "https://-x.datadoghq.com/",
        "https://datadoghq.co/",
        "https://docs.datadoghq.com/monitors/1",
        "https://api.datadoghq.com/monitors/1",
        "https://www.datadoghq.com/blog",
    ):
        assert parse_link(url) is None
        assert not is_datadog_url(url)


def test_links_are_found_in_any_text_in_order_and_once() -> None:
    text = (
        f"see <{NOTIFICATION.replace('&', '&amp;')}|Triggered: CPU> (https://app.datadoghq.com/monitors/2), "
        "[report](https://app.datadoghq.com/cases/OPS-1). HTTPS://app.datadoghq.com/dashboard/abc?x=avg(last_5m)\n"
        '<https://evil.com|https://app.datadoghq.com/monitors/3> "https://app.datadoghq.com/monitors/2" '
        "*https://app.datadoghq.com/monitors/4*, https://app.datadoghq.com/monitors/5\u3002 "
        "&lt;https://app.datadoghq.com/monitors/6&gt; https://github.com/a/b"
    )

    assert [link.url.removeprefix("https://app.datadoghq.com") for link in find_links(text)] == [
        NOTIFICATION,
        "/monitors/2",
        "/cases/OPS-1",
        "HTTPS://app.datadoghq.com/dashboard/abc?x=avg(last_5m)",
        "/monitors/3",
        "/monitors/4",
        "/monitors/5",
        "/monitors/6",
    ]


hosts = st.sampled_from([f"app.{site.domain}" for site in SITES] + ["evil.com", "app.datadoghq.com.evil.com", ""])
url_like = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "https:/", "", "https://x@", "https://x:1@"]),
    hosts,
    st.sampled_from(["/monitors/1", "/monitors#", "/event/explorer?event=", "/cases/", "/work/", ":443/", "\\", "/"]),
    st.text(),
)


@given(st.text() | url_like)
def test_no_text_breaks_the_parser_and_no_foreign_host_passes(url: str) -> None:
    link = parse_link(url)

    if link is not None:
        host = link.url[len("https://") :].split("/")[0].split("?")[0].split("#")[0].lower()
        host = host.removesuffix(":443").removesuffix(".")
        assert link.url.lower().startswith("https://")
        assert host == link.site.domain or host.endswith(f".{link.site.domain}")
        assert parse_link(link.url) == link


@given(st.lists(st.text() | url_like))
def test_what_is_found_in_text_can_be_read_alone(pieces: list[str]) -> None:
    links = find_links(" ".join(pieces))

    assert [parse_link(link.url) for link in links] == links
    assert len({link.url for link in links}) == len(links)


@given(st.integers(1, 2**62), st.integers(1, 2**62), st.text(min_size=1))
def test_a_monitor_link_gives_back_what_was_put_in(monitor_id: int, event_id: int, group: str) -> None:
    group = group.replace("\x00", "")
    encoded = quote(group.encode("utf-8", "replace"), safe="")
    link = monitor(f"https://app.datadoghq.com/monitors/{monitor_id}?group={encoded}&event_id={event_id}")

    assert (link["id"], link["event"]) == (monitor_id, str(event_id))
    assert link["group"] == group.encode("utf-8", "replace").decode()


def test_other_spellings_of_the_same_host() -> None:
    for host in ("app.datadoghq.com:443", "app.datadoghq.com.", "APP.datadoghq.com"):
        link = parse_link(f"https://{host}/monitors/status/12?group=a+b")

        assert isinstance(link, MonitorLink)
        assert (link.host, link.monitor_id, link.group) == ("app.datadoghq.com", 12, "a b")
