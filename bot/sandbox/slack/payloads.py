"""What Slack's own client sends to the app for a person: typed words as text, commands and interactions as payloads."""

import re

from bot.sandbox.slack.delivery import Kind
from bot.sandbox.slack.errors import NotAcknowledged, NotOnScreen
from bot.sandbox.slack.mrkdwn import escape, unescape
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.visible import Reader
from bot.sandbox.slack.world import Channel

_URL = re.compile(r"https?://[^\s<>|]+")
_PIECE = re.compile(r"<([^<>]+)>|([^<]+)")


def typed(person: Reader, words: str) -> str:
    """The `text` of a message: &, < and > escaped, "@name" and "#name" as tokens where known, addresses in brackets."""
    people = {user.name: user.id for user in person.workspace.users.values()}
    channels = {channel.name: channel.id for channel in person.workspace.channels.values()}
    text = _URL.sub(lambda found: f"<{found.group(0)}>", escape(words))
    for name in sorted(people, key=len, reverse=True):
        text = re.sub(rf"(?<![\w<])@{re.escape(name)}(?!\w)", f"<@{people[name]}>", text)
    for name in sorted(channels, key=len, reverse=True):
        text = re.sub(rf"(?<![\w<])#{re.escape(name)}(?![\w-])", f"<#{channels[name]}|{name}>", text)
    return text


def as_rich_text(text: str) -> list[JSON]:
    """The block Slack's own composer sends along with the text."""
    elements: list[JSON] = []
    for token, words in _PIECE.findall(text):
        if words:
            elements.append({"type": "text", "text": unescape(words)})
        elif token.startswith("@"):
            elements.append({"type": "user", "user_id": token[1:]})
        elif token.startswith("#"):
            elements.append({"type": "channel", "channel_id": token[1:].split("|")[0]})
        else:
            elements.append({"type": "link", "url": token.replace("&amp;", "&")})
    return [
        {"type": "rich_text", "block_id": "typed", "elements": [{"type": "rich_text_section", "elements": elements}]}
    ]


def bot_user_id(person: Reader) -> str:
    """The app's user where this person works; without one there is nothing of the app on the screen."""
    install = person.workspace.install
    if install is None:
        raise NotOnScreen(f"{person.slack.app.name} is not installed in {person.workspace.name}")
    return install.bot_user_id


def hidden_name(channel: Channel) -> str:
    """The name payloads give to a channel that not everybody may know of."""
    return {"private": "privategroup", "im": "directmessage", "mpim": "mpdm", "public": channel.name}[channel.kind]


def base_payload(person: Reader, kind: str, *, view_id: str = "", channel_id: str = "") -> JSON:
    """The members every interaction payload has."""
    bot_user_id(person)
    slack, workspace = person.slack, person.workspace
    enterprise = workspace.enterprise
    payload: JSON = {
        "type": kind,
        "token": slack.app.verification_token,
        "api_app_id": slack.app.id,
        "team": {"id": workspace.id, "domain": workspace.domain},
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.user.team_id},
        "enterprise": {"id": enterprise.id, "name": enterprise.name} if enterprise else None,
        "is_enterprise_install": _is_org_wide(person),
    }
    if kind not in ("block_suggestion", "view_closed"):
        payload["trigger_id"] = slack.triggers.issue(person.id, workspace.id, view_id=view_id, channel_id=channel_id)
    return payload


def slash_command(person: Reader, name: str, text: str, channel: Channel, response_url: str) -> JSON:
    slack, workspace = person.slack, person.workspace
    enterprise = workspace.enterprise
    payload = {
        "token": slack.app.verification_token,
        "team_id": workspace.id,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": hidden_name(channel),
        "user_id": person.id,
        "user_name": person.name,
        "command": name,
        "text": typed(person, text) if slack.app.escapes_commands else escape(text),
        "api_app_id": slack.app.id,
        "is_enterprise_install": str(_is_org_wide(person)).lower(),
        "response_url": response_url,
        "trigger_id": slack.triggers.issue(person.id, workspace.id, channel_id=channel.id),
    }
    return payload | ({"enterprise_id": enterprise.id, "enterprise_name": enterprise.name} if enterprise else {})


def _is_org_wide(person: Reader) -> bool:
    install = person.workspace.install
    return install is not None and install.org_wide


async def send(person: Reader, kind: Kind, payload: JSON, otherwise: str) -> JSON:
    """The app's answer; `otherwise` is what the person reads when no acknowledgement comes."""
    try:
        return await person.slack.delivery.interact(kind, payload)
    except NotAcknowledged as lost:
        raise NotAcknowledged(f"{person.name} sees: {otherwise} ({lost})") from None
