"""Names, sub-domains and rules that admins type are anybody's text: they ping nobody and lead nowhere but to Datadog."""

import re
from typing import Any
from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from bot.datadog.checkup import Checkup
from bot.datadog.links import SITES, Site, locate
from bot.home.view import HomeAdmin, HomeContent, home_view
from bot.orgs import connect_form as form
from bot.orgs.connect_form import Prefill, connect_modal, connected_message, connected_modal, prefill_of, read_form
from bot.orgs.model import Elsewhere, Gone, NotThere, OrgEntry, Undecided
from bot.orgs.questions import chosen, org_words
from bot.rules.budget import Limits, Usage
from bot.rules.model import CaseDefaults, ChannelRules, WorkspaceRules
from bot.rules.repository import Draft
from bot.rules.rule_words import rule_lines
from bot.rules.settings_view import CASE_PROJECT, CASE_TYPE, settings_modal
from bot.rules.submitted_settings import read_settings
from bot.slack.blocks import Message
from bot.slack.forms import FormState
from tests.orgs.test_connect_form import view
from tests.slack.blockkit import links, mrkdwn

EVIL = "<!channel> <https://evil.example|Datadog> <@U0EVE> & *now*"
hostile = st.one_of(
    st.sampled_from([EVIL, "evil.example#", "evil.example/", "a@evil.example", "x\n<!here>"]), st.text()
)
sites = st.sampled_from(SITES)
_OURS = re.compile(r"<(?:!date\^\d+\^[^<>]*|@UADMIN|#C1)>")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")


def is_safe(part: Any) -> None:
    if isinstance(part, Message):
        is_safe([{"type": "mrkdwn", "text": part.text}, *part.blocks])
        return
    for text in mrkdwn(part):
        left = _OURS.sub("", text)
        assert "<" not in left, text
        assert not _ENTITY.search(left), text
    for _, url in links(part):
        host = urlsplit(url).hostname or ""
        assert locate(host) is not None, url


@given(hostile, hostile, hostile, sites)
@example(EVIL, "evil.example#", EVIL, SITES[0])
@example(EVIL, "<!channel>", EVIL, SITES[0])
def test_an_organisation_by_any_name_is_shown_and_does_nothing(
    name: str, subdomain: str, owner: str, site: Site
) -> None:
    entry = OrgEntry(
        "acme-1", "T1", name, site, subdomain, owner=owner, lacking=(name,), connected_by="UADMIN", connected_at=1.0
    )
    used = Usage(0, 0, 0, Limits())
    is_safe(home_view(HomeContent(admin=HomeAdmin(used, (entry,)))))
    is_safe(connected_modal(entry, Checkup(), []))
    is_safe(connect_modal(Prefill(name, site, subdomain, replaces="acme-1")))
    for message in (connected_message(entry), chosen(entry), org_words(Undecided((entry, entry), "b"))):
        is_safe(message)
    for refusal in (NotThere(name), Gone(name), Elsewhere(subdomain)):
        is_safe(org_words(refusal))


@given(hostile, hostile, sites)
@example("", "evil.example#", SITES[0])
@example("", "evil.example", SITES[0])
def test_its_address_leads_to_datadog_whatever_is_typed(words: str, typed: str, site: Site) -> None:
    filled, problems = read_form(view(site.domain, **{form.SUBDOMAIN: typed, form.NAME: words}))
    found = [filled.subdomain] if form.SUBDOMAIN not in problems else []
    known = prefill_of(words)
    found += [known.subdomain] if isinstance(known, Prefill) else []
    for subdomain in (*found, typed, words):
        url = OrgEntry("acme-1", "T1", "Acme", site, subdomain).app_url
        host = urlsplit(url).hostname or ""
        assert host == site.domain or host.endswith(f".{site.domain}"), url


@given(hostile, hostile, hostile)
@example(EVIL, EVIL, EVIL)
def test_what_is_typed_into_the_rules_is_shown_and_does_nothing(org: str, project: str, kind: str) -> None:
    rules = ChannelRules("T1", "C1", org=org, case=CaseDefaults(project, kind))
    draft = Draft(rules, WorkspaceRules("T1"))
    typed = {"org": org, "route_tags": org}
    values: dict[str, Any] = {
        name: {name: {"type": "plain_text_input", "value": value}} for name, value in typed.items()
    }
    for name, value in ((CASE_PROJECT, project), (CASE_TYPE, kind)):
        values[name] = {name: {"type": "external_select", "selected_option": {"value": value}}}
    read = read_settings(FormState({"state": {"values": values}}), draft, admin=True)
    for one in (rules, *([read.channel] if isinstance(read, Draft) else [])):
        is_safe([{"type": "mrkdwn", "text": line} for line in rule_lines(one)])
        is_safe(settings_modal(Draft(one, draft.workspace), admin=True, file_name="", handles={"S1": org}))
