"""Which organisation is meant: the link's site and sub-domain, then the channel's, then the only one; else somebody has to say."""

from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.links import SITES, locate
from bot.orgs.model import Elsewhere, NoneConnected, NotThere, OrgEntry, Undecided, find, org_meant

US1, EU1 = SITES[0], next(site for site in SITES if site.region == "EU1")
DEFAULT = OrgEntry("default", "", "default", US1)
ACME = OrgEntry("acme-x", "T1", "Acme", EU1, "acme")
GLOBEX = OrgEntry("globex-y", "T1", "Globex", EU1)

words = st.sampled_from(["acme", "globex", "other", ""])
entries = st.lists(
    st.builds(
        OrgEntry,
        id=st.uuids().map(str),
        workspace=st.just("T1"),
        name=st.text("abc ", min_size=1, max_size=6),
        site=st.sampled_from(SITES[:4]),
        subdomain=words,
    ),
    max_size=4,
    unique_by=lambda entry: entry.id,
)
hosts = st.one_of(
    st.just(""),
    st.builds(lambda word, site: f"{word or 'app'}.{site.domain}", words, st.sampled_from(SITES)),
    st.just("example.com"),
)


def test_the_only_one_serves_everything_without_a_link() -> None:
    assert org_meant([ACME]) == ACME


def test_none_is_none() -> None:
    assert org_meant([], host="acme.datadoghq.eu") == NoneConnected()


def test_the_sub_domain_decides_between_organisations_of_one_site() -> None:
    assert org_meant([ACME, GLOBEX], host="acme.datadoghq.eu") == ACME
    assert org_meant([ACME, GLOBEX], host="somebody.datadoghq.eu") == GLOBEX  # whose sub-domain nobody has told us


def test_the_common_host_of_a_site_says_only_the_site() -> None:
    assert org_meant([DEFAULT, ACME], host="app.datadoghq.eu") == ACME
    assert org_meant([ACME, GLOBEX], host="app.datadoghq.eu") == Undecided((ACME, GLOBEX))


def test_the_channel_decides_where_the_link_leaves_it_open_and_never_against_it() -> None:
    assert org_meant([ACME, GLOBEX], host="app.datadoghq.eu", named="globex") == GLOBEX
    assert org_meant([DEFAULT, ACME], host="app.datadoghq.com", named="Acme") == DEFAULT
    of_the_link = Undecided((ACME, GLOBEX))
    assert org_meant([DEFAULT, ACME, GLOBEX], host="app.datadoghq.eu", named="default") == of_the_link
    assert org_meant([DEFAULT, ACME], named=" ACME ") == ACME
    assert org_meant([DEFAULT, ACME], named="acme-x") == ACME


def test_a_link_of_nobodys_is_told_with_its_host() -> None:
    assert org_meant([DEFAULT], host="acme.datadoghq.eu") == Elsewhere("acme.datadoghq.eu")
    assert org_meant([ACME], host="other.datadoghq.eu") == Elsewhere("other.datadoghq.eu")
    assert org_meant([ACME], host="example.com") == Elsewhere("example.com")


def test_a_name_nobody_has_is_no_reason_to_take_another() -> None:
    assert org_meant([DEFAULT], named="acme") == NotThere("acme")
    assert find([DEFAULT, ACME], "nobody") is None


@given(entries, hosts, st.text("abc ", max_size=6))
def test_what_is_chosen_is_connected_and_never_another_site_or_sub_domain(
    connected: list[OrgEntry], host: str, named: str
) -> None:
    meant = org_meant(connected, host=host, named=named)

    chosen = [meant] if isinstance(meant, OrgEntry) else list(meant.orgs) if isinstance(meant, Undecided) else []
    location = locate(host) if host else None
    for entry in chosen:
        assert entry in connected
        if host:
            assert location is not None
            assert entry.site == location.site
            assert not location.subdomain or entry.subdomain in {"", location.subdomain}


@given(entries, hosts)
def test_several_are_asked_about_only_where_there_are_several(connected: list[OrgEntry], host: str) -> None:
    meant = org_meant(connected, host=host)

    assert not isinstance(meant, Undecided) or len(meant.orgs) > 1
    assert isinstance(meant, NoneConnected) is (not connected)
