"""Which organisation serves a request: the link's, else the channel's, else the only one; else somebody has to say."""

from bot.investigations.model import AlertRef, EventRef, ExistingRun, MonitorRef, Place, Subject
from bot.investigations.org_book import OrgBook
from bot.investigations.org_entries import NoOrg, OrgEntry, org_meant
from bot.investigations.rule_book import RuleBook


class OrgChooser:
    def __init__(self, book: OrgBook, rules: RuleBook) -> None:
        self._book = book
        self._rules = rules

    async def choose(self, place: Place, host: str = "") -> str | NoOrg:
        """Its id. `host` is that of the link which was used or seen; empty where there was none."""
        rules = await self._rules.of(place.workspace, place.channel)
        entries = await self._book.of_workspace(place.workspace)
        meant = org_meant(entries, host=host, named=rules.org)
        return meant.id if isinstance(meant, OrgEntry) else meant


def host_of(subject: Subject | None) -> str:
    """The host of the link a subject was read from."""
    match subject:
        case ExistingRun(host=host, alert=alert):
            return host or (alert.host if alert else "")
        case AlertRef(host=host) | MonitorRef(host=host) | EventRef(host=host):
            return host
        case _:
            return ""
