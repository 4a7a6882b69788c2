"""Datadog's nine sites: where their API and their app live, and which site a link belongs to. Nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    domain: str
    region: str
    bare_app_host: bool = True
    supports_bits: bool = True

    @property
    def api_url(self) -> str:
        return f"https://api.{self.domain}"

    @property
    def app_url(self) -> str:
        return f"https://{self.domain}" if self.bare_app_host else f"https://app.{self.domain}"


SITES = (
    Site("datadoghq.com", "US1", bare_app_host=False),
    Site("us3.datadoghq.com", "US3"),
    Site("us5.datadoghq.com", "US5"),
    Site("datadoghq.eu", "EU1", bare_app_host=False),
    Site("ap1.datadoghq.com", "AP1"),
    Site("ap2.datadoghq.com", "AP2"),
    Site("uk1.datadoghq.com", "UK1"),
    Site("ddog-gov.com", "US1-FED", bare_app_host=False, supports_bits=False),
    Site("us2.ddog-gov.com", "US2-FED", supports_bits=False),
)

_LONGEST_FIRST = sorted(SITES, key=lambda site: len(site.domain), reverse=True)


@dataclass(frozen=True, slots=True)
class Location:
    """The site a host belongs to, and the organisation's own sub-domain if the host has one."""

    site: Site
    subdomain: str = ""


def site_named(parameter: str) -> Site | None:
    wanted = parameter.strip().lower()
    return next((site for site in SITES if site.domain == wanted), None)


def locate(host: str) -> Location | None:
    """Which site serves this host; None for a host that is not Datadog's."""
    name = host.strip().lower().removesuffix(".")
    for site in _LONGEST_FIRST:
        if name == site.domain:
            return Location(site)
        if name.endswith(f".{site.domain}"):
            subdomain = name.removesuffix(f".{site.domain}")
            return Location(site, "" if subdomain == "app" else subdomain)
    return None
