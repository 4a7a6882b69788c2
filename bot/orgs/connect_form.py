"""The form that connects a Datadog organisation, what stands there meanwhile and after it, and what was written into it.

A key that was typed is never put into a view: while it is checked the fields stay as the person's own Slack has them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.datadog.checkup import WRITES, Checkup
from bot.datadog.links import SITES, Site, locate, open_url
from bot.orgs.alert_setup_form import OPEN as SET_UP_ALERTS
from bot.orgs.model import OrgEntry
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    divider,
    option,
    preformatted,
    rich_section,
    rich_text,
    run,
    section,
    sentences,
)
from bot.slack.forms import FormState, form_field, modal, select, text_input
from bot.slack.payloads import carried_in
from bot.slack.text import clean, code, escape, one_line
from bot.web.datadog_webhook import custom_headers, path_of
from bot.wording import APP, CASES, COMMAND, DATADOG, PRODUCT

CALLBACK = "connect"
OPEN = "connect:begin"
OPEN_FROM_HOME = "home:connect"
REPLACE_KEYS = "home:replace_keys"
DISCONNECT = "home:disconnect"
NEW_SECRET = "home:new_webhook_secret"  # noqa: S105  an action id
NAME, SITE, SUBDOMAIN, API_KEY, APP_KEY = "name", "site", "subdomain", "api_key", "app_key"  # block and action ids

_LONGEST_NAME = 40
_LONGEST_KEY = 200
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_USES = {
    "bits_investigations_read": f"following {PRODUCT} investigations",
    "monitors_read": "starting one for an alert, and monitors' names",
    "events_read": "finding the alert behind a monitor or an event",
    "cases_read": "showing cases and the form of a new one",
}
_WRITES = {
    "bits_investigations_write": "starting investigations",
    "cases_write": "opening and changing cases",
    "monitors_downtime": "muting monitors",
}


@dataclass(frozen=True, slots=True)
class Prefill:
    """What is known before anything is typed."""

    name: str = ""
    site: Site = SITES[0]
    subdomain: str = ""
    replaces: str = ""  # the id of the organisation that gets new keys
    channel: str = ""  # where it was asked for, to be told there should the window be closed
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    name: str
    site: Site
    subdomain: str
    api_key: str = field(repr=False)
    app_key: str = field(repr=False)


# -- what was typed after `connect` ---------------------------------------------------------------------------------


def prefill_of(words: str) -> Prefill:
    """From a link, a host, a site's region, or a name."""
    location = locate(_host(words))
    region = next((site for site in SITES if site.region.lower() == words.strip().lower()), None)
    site = location.site if location else region
    if site is None:
        return Prefill(name=one_line(clean(words), _LONGEST_NAME))
    subdomain = location.subdomain if location else ""
    return Prefill(name=subdomain, site=site, subdomain=subdomain)


def _host(words: str) -> str:
    """Of an address, with or without what stands around its host; empty where there is none."""
    address = open_url(f"https://{words.removeprefix('https://').removeprefix('http://')}")
    return address.host if address else ""


def offered_words(site: Site) -> str:
    """What Datadog's documents say is missing there (mrkdwn); empty where all is offered."""
    missing = [name for name, offered in ((PRODUCT, site.offers_bits), (CASES, site.offers_cases)) if not offered]
    if not missing:
        return ""
    return (
        f"By {DATADOG}'s documents {' and '.join(missing)} {'are' if len(missing) > 1 or missing[0] == CASES else 'is'} not offered on {site.region}. I ask all the same, and say so "
        "where it refuses; alerts, muting and all else work."
    )


# -- the form -------------------------------------------------------------------------------------------------------


def connect_modal(known: Prefill, *, problems: Mapping[str, str] | None = None, checking: bool = False) -> Block:
    """`problems` are said under their fields, where they came too late for Slack to do so itself."""
    wrong = problems or {}
    told = {"replaces": known.replaces, "channel": known.channel, "thread_ts": known.thread_ts}
    blocks = [_opening(known, checking=checking)]
    for block in _inputs(known):
        blocks.append(block)
        if sentence := wrong.get(str(block["block_id"])):
            blocks.append(context(f"*Not connected yet:* {escape(sentence)}"))
    reads = ", ".join(f"`{name}`" for name in _USES)
    writes = ", ".join(f"`{name}`" for name in WRITES)
    blocks.append(
        context(f"Permissions it uses. Checked at once: {reads}. To write, which shows only when it is used: {writes}.")
    )
    return _modal(blocks, submit="Checking…" if checking else "Connect", metadata=json.dumps(told))


def _modal(blocks: list[Block], *, submit: str = "", metadata: str = "") -> Block:
    return modal(f"Connect {DATADOG}", blocks, callback_id=CALLBACK, metadata=metadata, submit=submit)


def _opening(known: Prefill, *, checking: bool) -> Block:
    if checking:
        return section(f"*Checking the keys with {DATADOG}…* This takes a few seconds; what comes of it appears here.")
    what = f"New keys for {code(known.name, 60)}. " if known.replaces else ""
    return section(
        f"{what}Whatever {APP} does in {DATADOG} appears under the name of the application key's owner, with that "
        "owner's rights: best take a service account's."
    )


def _inputs(known: Prefill) -> list[Block]:
    sites = [option(f"{site.region} ({site.domain})", site.domain) for site in SITES]
    kept = "Stored encrypted; only its last four characters are ever shown."
    where = f"{DATADOG} > Organization Settings >"
    return [
        form_field(
            "Name",
            text_input(NAME, known.name, limit=_LONGEST_NAME),
            hint="What your team calls it: production, acme-eu",
        ),
        form_field(f"{DATADOG} site", select(SITE, sites, known.site.domain), hint=f"As in {DATADOG}'s web address."),
        form_field(
            "Sub-domain",
            text_input(SUBDOMAIN, known.subdomain, limit=200),
            hint="Only if your address has one of your own: acme for acme.datadoghq.com",
            optional=True,
        ),
        form_field("API key", text_input(API_KEY, limit=_LONGEST_KEY), hint=f"{where} API Keys. {kept}"),
        form_field(
            "Application key", text_input(APP_KEY, limit=_LONGEST_KEY), hint=f"{where} Application Keys. {kept}"
        ),
    ]


# -- what was written into it ---------------------------------------------------------------------------------------


def read_metadata(metadata: str) -> Prefill:
    """A window of ours says what it is for; anything else is a new connection."""
    told = carried_in(metadata)
    replaces, channel, thread_ts = (str(told.get(name) or "") for name in ("replaces", "channel", "thread_ts"))
    return Prefill(replaces=replaces, channel=channel, thread_ts=thread_ts)


def read_form(view: Mapping[str, Any]) -> tuple[Filled, dict[str, str]]:
    """What was filled in, and what is wrong with it by block id, before anybody is asked."""
    state, problems = FormState(view), dict[str, str]()
    site = next((site for site in SITES if site.domain == state.choice(SITE)), SITES[0])
    filled = Filled(
        name=one_line(state.text(NAME), _LONGEST_NAME),
        site=site,
        subdomain=_subdomain(state.text(SUBDOMAIN), site, problems),
        api_key=state.text(API_KEY),
        app_key=state.text(APP_KEY),
    )
    if not filled.name:
        problems[NAME] = "Give it a name."
    for name, key in ((API_KEY, filled.api_key), (APP_KEY, filled.app_key)):
        if wrong := _wrong_key(key):
            problems[name] = wrong
    if _hex(filled.api_key) == 40 and _hex(filled.app_key) == 32:
        problems[API_KEY] = "This looks like the application key, and the other one like the API key: are they swapped?"
    return filled, problems


def _subdomain(typed: str, site: Site, problems: dict[str, str]) -> str:
    """The word alone, or the whole address of a page."""
    host = _host(typed)
    if "." not in host:
        if typed and not _SUBDOMAIN.fullmatch(host):
            problems[SUBDOMAIN] = "This is no sub-domain: write only the first word of your address, like acme."
        return "" if host == "app" else host
    location = locate(host)
    if location is None:
        problems[SUBDOMAIN] = f"This is no address of {DATADOG}'s. Leave it empty if you are not sure."
    elif location.site != site:
        problems[SUBDOMAIN] = f"This address lies on {location.site.region} ({location.site.domain}): choose that site."
    return location.subdomain if location else ""


def _wrong_key(key: str) -> str:
    if not key:
        return "Paste the key."
    if not key.isascii() or not key.isprintable() or " " in key:
        return "This holds a space or a strange character. Copy the key once more."
    return "" if len(key) >= 8 else "This is too short for a key. Copy the key itself, not its id or its name."


def _hex(key: str) -> int:
    return len(key) if set(key.lower()) <= set("0123456789abcdef") else 0


# -- what came of it ------------------------------------------------------------------------------------------------


def connected_modal(entry: OrgEntry, checkup: Checkup, webhook: list[Block]) -> Block:
    head = [run(entry.name, "bold"), run(f" is connected ({entry.site.region}, {entry.host}).")]
    owner = (
        f"All it does there appears under {entry.owner}."
        if entry.owner
        else f"{DATADOG} does not tell whose application key it is; all it does there appears under its owner's name."
    )
    facts = [run(f"{owner}\nAPI key …{entry.api_key_end}, application key …{entry.app_key_end}.")]
    stands = dict.fromkeys(checkup.unclear, "❔ Not clear now: ") | dict.fromkeys(checkup.lacking, "❌ Missing: ")
    permissions = "\n".join(f"{stands.get(name, '✅ ')}{code(name)} for {use}" for name, use in _USES.items())
    offered = offered_words(entry.site)
    note = [context(offered)] if offered else []
    blocks = [rich_text(rich_section(head)), rich_text(rich_section(facts)), section(permissions), *note]
    writes = "; ".join(f"`{name}` ({use})" for name, use in _WRITES.items())
    offer = [] if entry.alerts_set_up_at else [_offer(entry)]
    return _modal([*blocks, context(f"Whether it may write shows only when it is used: {writes}."), *offer, *webhook])


def _offer(entry: OrgEntry) -> Block:
    words = f"*Its alerts* come into Slack by a webhook. *Set up alerts* puts it into {DATADOG} for you."
    return section(words, accessory=set_up_button(entry))


def set_up_button(entry: OrgEntry) -> Block:
    word = "Change alerts" if entry.alerts_set_up_at else "Set up alerts"
    return button(word, SET_UP_ALERTS, value=entry.id, label=f"{word} of {entry.name} in {DATADOG}")


def webhook_of(entry: OrgEntry, public_url: str, secret: str) -> list[Block]:
    """Where alerts come in, and the secret that lets them; nothing where that was shown before."""
    if not secret:
        return []
    where = public_url or "https://the-address-of-this-bot"
    return [
        divider(),
        section(
            f"*Its webhook by hand*: the secret is *shown this once*, so put it into {DATADOG} > Integrations > Webhooks now. "
            "URL and custom headers:"
        ),
        rich_text(preformatted(f"{where}{path_of(entry.id)}"), preformatted(custom_headers(secret))),
        context(f"The payload is printed by `bits-bot webhook-template --org {entry.id}`."),
    ]


def secret_modal(entry: OrgEntry, public_url: str, secret: str | None = None) -> Block:
    """`secret` is None while it is made, and empty where there is nothing (any more) to make it for."""
    if secret is None:
        shown = [section("Making a new secret…")]
    elif not secret:
        shown = [section("That organisation is not connected any more.")]
    else:
        old = "One that was there before opens for a day more." if entry.has_webhook_secret else ""
        shown = [
            section(f"A new secret for {code(one_line(entry.name), 80)}. {old}".strip()),
            *webhook_of(entry, public_url, secret),
        ]
    return _modal(shown)


def secret_unseen(entry: OrgEntry) -> Message:
    return sentences(
        f"A new webhook secret for {code(one_line(entry.name), 80)} was made, but its window was closed before it could be "
        "shown. Make another one; what was there before opens for a day more."
    )


def connected_message(entry: OrgEntry) -> Message:
    """For somebody who has closed the window meanwhile."""
    lacking = ", ".join(code(name) for name in entry.lacking)
    without = f"It lacks {lacking}: what needs that will not work." if lacking else ""
    webhook = "A secret for its webhook is made in my Home, under the organisation."
    return sentences(f"{code(one_line(entry.name), 80)} is connected ({entry.site.region}).", without, webhook)


def not_connected_message(problems: Mapping[str, str]) -> Message:
    return sentences(
        f"{DATADOG} is not connected:",
        *(escape(sentence) for sentence in problems.values()),
        f"Try `{COMMAND} connect` again.",
    )


def closed_modal(message: Message) -> Block:
    return _modal([section(message.text)])


def press_to_connect() -> Message:
    """For a mention, which gives no right to open a window."""
    text = f"Press the button to connect {DATADOG}: keys belong in a window, not in a message."
    return Message(text, [section(text), actions(button(f"Connect {DATADOG}", OPEN, style="primary"))])
