"""Which Datadog organisation is meant: the question, and the answers where none can be used."""

from collections.abc import Sequence

from bot.datadog.sites import Site
from bot.orgs.model import Elsewhere, Gone, NoneConnected, NoOrg, NotThere, OrgEntry, Undecided
from bot.slack.blocks import actions, option, plain, section
from bot.slack.message import Message, sentences
from bot.slack.text import code, one_line
from bot.wording import COMMAND, DATADOG, PRODUCT

CHOOSE = "org:choose"

_MOST_OPTIONS = 100
_CONNECT = f"A workspace admin can connect one: `{COMMAND} connect`."


def org_words(refusal: NoOrg) -> Message:
    match refusal:
        case Undecided(orgs, block_id):
            return _which_org(orgs, block_id)
        case Elsewhere(host, site):
            return _other_organisation(host, site)
        case NotThere(name):
            return sentences(
                f"This channel's settings name the {DATADOG} organisation {code(one_line(name), 80)}, which is not "
                f"connected, so nothing was done.",
                f"Change that in `{COMMAND} settings`, or ask a workspace admin to connect it: `{COMMAND} connect`.",
            )
        case Gone(org):
            return sentences(
                f"This alert came from the {DATADOG} organisation {code(one_line(org), 80)}, which is not connected any "
                f"more, so nothing was done.",
                f"A workspace admin can connect it again: `{COMMAND} connect`.",
            )
        case NoneConnected():
            return sentences(f"No {DATADOG} organisation is connected to this workspace.", _CONNECT)


def _which_org(orgs: Sequence[OrgEntry], block_id: str) -> Message:
    """What was asked for goes on once an organisation is chosen."""
    text = f"Which {DATADOG} organisation do you mean? Nothing has been done yet."
    names = ", ".join(one_line(org.name, 60) for org in orgs[:10])
    more = f"A channel can have one of its own: `{COMMAND} settings`."
    select = {
        "type": "static_select",
        "action_id": CHOOSE,
        "placeholder": plain(f"Choose a {DATADOG} organisation", 150),
        "options": [option(f"{org.name} ({org.host})", org.id) for org in orgs[:_MOST_OPTIONS]],
    }
    return Message(f"{text} ({names})", [section(f"{text} {more}"), actions(select, block_id=block_id)])


def chosen(org: OrgEntry) -> Message:
    return sentences(f"Going on with {code(one_line(org.name, 60), 80)}.")


def question_gone() -> Message:
    return sentences("That question is answered already, or is over an hour old. Please ask again.")


def _other_organisation(host: str, site: Site | None) -> Message:
    where = code(one_line(host, 100), 120)
    if site is not None and not site.supports_bits:
        return sentences(
            f"That link belongs to {where}, on {DATADOG}'s site {site.region}, where {DATADOG} does not offer {PRODUCT}.",
            "Nothing was done; organisations on that site can't be connected.",
        )
    return sentences(
        f"That link belongs to the {DATADOG} organisation at {where}, which is not connected to this workspace, "
        "so nothing was done.",
        f"A workspace admin can connect it: `{COMMAND} connect`.",
    )
