"""The form for insights whose id stands in no link: type, ref and id as typed, checked per type. Pure."""

from bot.datadog.address import open_url
from bot.datadog.insight_drafts import FieldProblem, InsightDraft
from bot.datadog.insight_pages import default_ref, draft, read_page
from bot.datadog.insight_recognition import canonical_url, outside_our_app
from bot.datadog.insight_types import KINDS, InsightKind, InsightType, kind_of
from bot.datadog.sites import Site
from bot.wording import DATADOG, INSIGHT

Checked = InsightDraft | tuple[FieldProblem, ...]

_SAME_IN_ANY_CASE = frozenset({InsightType.ERROR_TRACKING, InsightType.WATCHDOG_STORY, InsightType.INCIDENT})


def by_hand(type_name: str, ref: str, resource_id: str, *, site: Site, subdomain: str = "") -> Checked:
    """The insight as typed, or every problem of the form at once.

    The ref may be a whole URL, or be left out where it follows from the id; so may the id where it stands in the ref.
    """
    kind = kind_of(type_name.strip())
    if kind is None:
        return (FieldProblem("type", f"Choose what kind of {INSIGHT} it is."),)
    if kind.type is InsightType.SCM_URL:
        return _source_code(ref.strip() or resource_id.strip())
    page = _Page(kind, ref.strip(), site, subdomain)
    return _in_datadog(kind, page, resource_id.strip())


def _source_code(url: str) -> Checked:
    address = open_url(url)
    whole = canonical_url(address) if address else ""
    if not KINDS[InsightType.SCM_URL].id_form.fits(whole):
        return (FieldProblem("ref", "Paste the whole https:// URL of the pull request, commit or file."),)
    return draft(InsightType.SCM_URL, whole, whole)


class _Page:
    """The typed ref, read: which page of our app it names, and the insight of the chosen type that it shows."""

    def __init__(self, kind: InsightKind, typed: str, site: Site, subdomain: str) -> None:
        self.kind = kind
        self.problem = ""
        self.ref = ""
        self.insight: InsightDraft | None = None
        if typed:
            self._read(f"{site.app_url}{typed}" if typed.startswith("/") else typed, site, subdomain)

    def _read(self, url: str, site: Site, subdomain: str) -> None:
        address = open_url(url)
        if address is None:
            self.problem = f"Give the page as path or whole link, like {self.kind.ref_hint}."
        elif outside := outside_our_app(url, address, site=site, subdomain=subdomain):
            self.problem = outside.sentence
        else:
            reading = read_page(address)
            shown = reading if isinstance(reading, tuple) else ()
            self.insight = next((insight for insight in shown if insight.type is self.kind.type), None)
            self.ref = self.insight.ref if self.insight else address.ref

    def ref_for(self, resource_id: str) -> str:
        return self.ref or default_ref(self.kind.type, resource_id)


def _in_datadog(kind: InsightKind, page: _Page, typed_id: str) -> Checked:
    same = typed_id.lower() if kind.type in _SAME_IN_ANY_CASE else typed_id
    resource_id = same or (page.insight.resource_id if page.insight else "")
    problems = [*_id_problems(kind, page, resource_id), *_ref_problems(kind, page, resource_id)]
    return tuple(problems) or draft(kind.type, resource_id, page.ref_for(resource_id))


def _id_problems(kind: InsightKind, page: _Page, resource_id: str) -> list[FieldProblem]:
    if not kind.id_form.fits(resource_id):
        return [FieldProblem("resource_id", f"The id of {kind.one} is {kind.id_form.hint}.")]
    if page.insight and page.insight.resource_id != resource_id:
        return [FieldProblem("resource_id", f"The page is {page.insight.label}. Correct the id or the page.")]
    return []


def _ref_problems(kind: InsightKind, page: _Page, resource_id: str) -> list[FieldProblem]:
    if page.problem:
        return [FieldProblem("ref", page.problem)]
    if not page.ref_for(resource_id):
        return [FieldProblem("ref", f"Give the page where {DATADOG} shows it, like {kind.ref_hint}.")]
    return []
