"""Where each of Datadog's sites lives, and to which site a host belongs."""

from bot.datadog.links import SITES, Location, locate, site_named


def test_the_nine_sites() -> None:
    for parameter, api, app in (
        ("datadoghq.com", "https://api.datadoghq.com", "https://app.datadoghq.com"),
        ("us3.datadoghq.com", "https://api.us3.datadoghq.com", "https://us3.datadoghq.com"),
        ("us5.datadoghq.com", "https://api.us5.datadoghq.com", "https://us5.datadoghq.com"),
        ("datadoghq.eu", "https://api.datadoghq.eu", "https://app.datadoghq.eu"),
        ("ap1.datadoghq.com", "https://api.ap1.datadoghq.com", "https://ap1.datadoghq.com"),
        ("ap2.datadoghq.com", "https://api.ap2.datadoghq.com", "https://ap2.datadoghq.com"),
        ("uk1.datadoghq.com", "https://api.uk1.datadoghq.com", "https://uk1.datadoghq.com"),
        ("ddog-gov.com", "https://api.ddog-gov.com", "https://app.ddog-gov.com"),
        ("us2.ddog-gov.com", "https://api.us2.ddog-gov.com", "https://us2.ddog-gov.com"),
    ):
        site = site_named(f" {parameter.upper()} ")

        assert site
        assert (site.api_url, site.app_url) == (api, app)
        assert site.offers_bits is ("gov" not in parameter)
        assert site.offers_cases is (parameter != "us2.ddog-gov.com")
        assert len(SITES) == 9


def test_the_site_of_a_host() -> None:
    for host, domain, subdomain in (
        ("app.datadoghq.com", "datadoghq.com", ""),
        ("acme.datadoghq.com", "datadoghq.com", "acme"),
        ("us3.datadoghq.com", "us3.datadoghq.com", ""),
        ("acme.us3.datadoghq.com", "us3.datadoghq.com", "acme"),
        ("vagov.ddog-gov.com", "ddog-gov.com", "vagov"),
        ("APP.DATADOGHQ.EU.", "datadoghq.eu", ""),
    ):
        site = site_named(domain)

        assert site
        assert locate(host) == Location(site, subdomain)


def test_a_foreign_host() -> None:
    for host in ("", "example.com", "evildatadoghq.com", "datadoghq.com.evil.com"):
        assert locate(host) is None
        assert site_named(host) is None
