"""What holds for any text whatever: no exception, no foreign host, nothing lost, and refs that stay as they are."""

from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from bot.datadog.insight_recognition import read_url, recognise
from bot.datadog.insights import KINDS, InsightType, SetAside
from bot.datadog.links import SITES, Location, Site, locate

sites = st.sampled_from(SITES)
subdomains = st.sampled_from(["", "acme", "Umbrella"])
_id = st.sampled_from(
    [
        "1",
        "444839",
        "8788641826233093636",
        "9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f",
        "0A1b2c3d4e5f60718293a4b5c6d7e8f9",
        "AgAAAYGC-_FX+/%3D%3D",
        "abc-def-ghi",
        "",
    ]
)
_page = st.sampled_from(
    [
        "/monitors/",
        "/monitors#",
        "/monitors#status/",
        "/event/explorer?event=",
        "/event/event?id=",
        "/incidents/",
        "/security/signal?event=",
        "/security/csm/vm?vulnerability=",
        "/error-tracking?issueId=",
        "/rum/error-tracking/issue/",
        "/dashboard/a-b-c?fullscreen_widget=",
        "/notebook/1/x?cell_id=",
        "/watchdog/story/",
        "/watchdog?story=",
        "/s/",
        "/logs?query=",
        "/cases/",
        "/acme/shop/pull/",
        "//evil.com/",
        "/",
    ]
)
_noise = st.lists(
    st.sampled_from(
        [
            "from_ts=1",
            "to_ts=2",
            "link_source=x",
            "live=true",
            "event_id=123",
            "group=a%3Ab",
            "start=1788105779000",
            "q=total",
            "utm_source=x",
            "&",
            "=",
            "a=b=c",
            "\u00e9=\u00fc",
            "%zz",
            "end=soon",
            "tpl_var_env=prod",
            "#x",
        ]
    ),
    max_size=5,
)
_host = st.sampled_from(
    [
        "app.datadoghq.com",
        "us3.datadoghq.com",
        "acme.datadoghq.com",
        "app.datadoghq.eu",
        "app.datadoghq.com:443",
        "evil.com",
        "app.datadoghq.com.evil.com",
        "app.datadoghq.com@evil.com",
        "evil.com\x00@app.datadoghq.com",
        "github.com",
        "www.gitlab.com",
        "API.datadoghq.com",
        ".datadoghq.com",
        "x.y.datadoghq.com",
        "app.datadoghq.com.",
        "[::1]",
        "[",
        "app.datadoghq.c\\u043em",
    ]
)


@st.composite
def urls(draw: st.DrawFn) -> str:
    scheme = draw(st.sampled_from(["https://", "https://", "https://", "http://", "HTTPS://", ""]))
    page = draw(_page) + draw(_id)
    return scheme + draw(_host) + page + ("&" if "?" in page else "?") + "&".join(draw(_noise))


wrapped = st.one_of(urls(), urls().map(lambda url: f"<{url}|label>"), urls().map(lambda url: f"[x]({url})"))
texts = st.one_of(
    st.text(),
    st.lists(st.one_of(wrapped, st.text(max_size=10)), max_size=8).flatmap(
        lambda parts: st.sampled_from([" ", "\n", ",", "", "|"]).map(lambda between: between.join(parts))
    ),
)


def _is_ours(host: str, site: Site, subdomain: str) -> bool:
    location = locate(host)
    if location is None or location.site != site:
        return False
    return not subdomain or location.subdomain in {"", subdomain.lower()}


@given(texts, sites, subdomains)
@example("https://[", SITES[0], "")
@example("https://app.datadoghq.com/monitors/1\ud800", SITES[0], "")
@example("<https://|>", SITES[0], "")
def test_any_text_is_read_and_leads_to_our_own_app_or_to_known_code_hosts_only(
    text: str, site: Site, subdomain: str
) -> None:
    found = recognise(text, Location(site, subdomain))
    keys = [draft.key for draft in found.drafts]
    assert len(keys) == len(set(keys))
    assert len(set(found.set_aside)) == len(found.set_aside)
    for draft in found.drafts:
        assert KINDS[draft.type].id_form.fits(draft.resource_id)
        assert draft.ref.isascii()
        assert draft.label
        if draft.type is InsightType.SCM_URL:
            assert urlsplit(draft.ref).hostname in {"github.com", "gitlab.com", "bitbucket.org"}
            assert draft.resource_id == draft.ref
        else:
            assert draft.ref.startswith("/")
            assert not draft.ref.startswith("//")
            assert urlsplit(site.app_url + draft.ref).netloc == urlsplit(site.app_url).netloc


@given(urls(), sites, subdomains)
def test_no_foreign_host_is_ever_accepted(url: str, site: Site, subdomain: str) -> None:
    found = read_url(url, Location(site, subdomain))
    if isinstance(found, SetAside) or found[0].type is InsightType.SCM_URL:
        return
    authority = url.partition("://")[2].partition("/")[0].partition("#")[0].lower()
    assert _is_ours(authority.removesuffix(":443"), site, subdomain)


@given(texts, sites)
def test_the_ref_of_a_ref_is_the_ref(text: str, site: Site) -> None:
    for draft in recognise(text, Location(site)).drafts:
        url = draft.ref if draft.type is InsightType.SCM_URL else site.app_url + draft.ref
        again = recognise(f"<{url}>", Location(site)).drafts
        assert [(one.key, one.ref) for one in again] == [(draft.key, draft.ref)]


@given(st.lists(st.integers(1, 99999), unique=True, max_size=30), st.sampled_from([" ", ",", "\n", ";", ""]))
def test_the_order_pasted_is_kept(numbers: list[int], between: str) -> None:
    text = between.join(f"https://app.datadoghq.com/monitors/{number}" for number in numbers)
    assert [int(draft.resource_id) for draft in recognise(text, Location(SITES[0])).drafts] == numbers


@given(st.lists(st.one_of(urls(), st.from_regex(r"[A-Z]{6,9}", fullmatch=True)), max_size=5), sites)
def test_nothing_pasted_is_lost(pieces: list[str], site: Site) -> None:
    """Every word and every URL that became no draft stands in what was set aside."""
    aside = " ".join(piece.url for piece in recognise(" ".join(pieces), Location(site)).set_aside)
    for piece in pieces:
        alone = recognise(piece, Location(site))
        if not alone.drafts:
            assert all(word in aside for told in alone.set_aside for word in told.url.split())
            assert alone.set_aside
