"""Which Datadog organisations a workspace has, as people name them. Plain data: the keys are never in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.datadog.links import Site, is_host, locate

DEFAULT = "default"  # the organisation whose keys stand in the settings


@dataclass(frozen=True, slots=True)
class OrgEntry:
    """A connected organisation. `id` stands in stored rows and never changes; everything else may."""

    id: str
    workspace: str  # empty: of the settings, for every workspace this bot serves
    name: str
    site: Site
    subdomain: str = ""
    api_key_end: str = ""
    app_key_end: str = ""
    owner: str = ""  # whose application key it is; all we do in Datadog appears under this name
    lacking: tuple[str, ...] = ()
    org_uuid: str = ""
    connected_by: str = ""
    connected_at: float = 0.0
    version: int = 0
    has_webhook_secret: bool = False
    alerts_begun_at: float | None = None  # from then on something of ours may stand in Datadog for its alerts
    alerts_set_up_at: float | None = None
    alerts_tags: tuple[str, ...] = ()
    cases_begun_at: float | None = None  # the same for what tells of changes to its cases
    case_projects: tuple[str, ...] = ()  # the ids of those that tell of them
    is_lent: bool = False  # whoever runs the bot lets other workspaces use it; its set-up is theirs alone

    @property
    def from_settings(self) -> bool:
        return not self.workspace

    @property
    def app_url(self) -> str:
        """Where its links lead; never elsewhere, whatever a row holds."""
        return f"https://{self.subdomain}.{self.site.domain}" if is_host(self.subdomain) else self.site.app_url

    @property
    def host(self) -> str:
        return self.app_url.removeprefix("https://")


@dataclass(frozen=True, slots=True)
class NewOrg:
    """What somebody wants to connect, after Datadog has said that the keys are good."""

    workspace: str
    name: str
    site: Site
    subdomain: str
    api_key: str = field(repr=False)
    app_key: str = field(repr=False)
    org_uuid: str
    owner: str
    lacking: tuple[str, ...]
    connected_by: str
    replaces: str = ""  # the id of the organisation whose keys these are to replace


# -- which of them is meant -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoneConnected:
    pass


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The link belongs to an organisation that is not connected."""

    host: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """The channel's settings name an organisation that is not connected."""

    name: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The thread's alert came from an organisation that is not connected any more; no other one knows its monitor."""

    org: str  # its id


@dataclass(frozen=True, slots=True)
class Undecided:
    """Several could be meant: the person has to say. `question` names the block to ask in, once it is known what goes on then."""

    orgs: tuple[OrgEntry, ...]
    question: str = ""


NoOrg = NoneConnected | Elsewhere | NotThere | Gone | Undecided


def org_meant(entries: Sequence[OrgEntry], *, host: str = "", named: str = "") -> OrgEntry | NoOrg:
    """The link's site and sub-domain decide, then the channel's settings, then that there is only one."""
    if not entries:
        return NoneConnected()
    possible = _behind(entries, host)
    if not possible:
        return Elsewhere(host)
    if len(possible) == 1 and host:
        return possible[0]
    if named:
        wanted = find(entries, named)
        if wanted is None:
            return NotThere(named)
        if wanted in possible:
            return wanted
    return possible[0] if len(possible) == 1 else Undecided(tuple(possible))


def webhook_org(entries: Sequence[OrgEntry], named: str) -> OrgEntry | None:
    """Whose webhook alerts a channel takes: of the one its settings name, else of the settings' own, else of the only one."""
    if named:
        return find(entries, named)
    of_settings = next((each for each in entries if each.from_settings), None)
    return of_settings or (entries[0] if len(entries) == 1 else None)


def find(entries: Sequence[OrgEntry], word: str) -> OrgEntry | None:
    """By its name as people write it, or by its id."""
    return next(
        (each for each in entries if word in {each.id, each.name} or name_key(word) == name_key(each.name)), None
    )


def name_key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _behind(entries: Sequence[OrgEntry], host: str) -> list[OrgEntry]:
    """Those a link with this host can belong to; all where there is no link."""
    location = locate(host) if host else None
    if not host:
        return list(entries)
    if location is None:
        return []
    on_site = [each for each in entries if each.site == location.site]
    if not location.subdomain:
        return on_site  # every organisation of a site can be reached by the common host as well
    same = [each for each in on_site if each.subdomain == location.subdomain]
    # nobody has to tell us the sub-domain; one that is told and differs is another organisation
    return same or [each for each in on_site if not each.subdomain]
