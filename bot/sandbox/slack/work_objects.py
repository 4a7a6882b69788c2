"""Opening a Work Object under a message and editing it, as Slack's client does it for a person."""

from collections.abc import Mapping

from bot.sandbox.slack.entities import Pane
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.payloads import base_payload, send
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.visible import Reader
from bot.sandbox.slack.world import Message


async def open_entity(person: Reader, on: Message) -> None:
    """Clicks it; the app may show its details then."""
    entities = (on.metadata or {}).get("entities") or []
    if not entities or not on.visible_to(person.id):
        raise NotOnScreen(f"{person.name} sees no Work Object there")
    slack, entity = person.slack, entities[0]
    thread = {"thread_ts": on.thread_ts} if on.thread_ts else {}
    opened = {
        "external_ref": entity["external_ref"],
        "entity_url": entity["url"],
        "channel": on.channel.id,
        "message_ts": on.ts,
        **thread,
    }
    slack.panes[person.id] = Pane(opened=opened)
    event = {
        "type": "entity_details_requested",
        "user": person.id,
        "link": {"url": entity["url"], "domain": entity["url"].split("/")[2]},
        "event_ts": f"{slack.clock():.6f}",
        "trigger_id": _trigger(person, opened),
        "user_locale": "en-US",
        **opened,
    }
    heard = slack.events.tell(person.workspace.id, event)
    if heard is not None:
        await heard


async def save_entity(person: Reader, changes: Mapping[str, str]) -> JSON:
    """The pencil, then Save: only what was changed is sent. What the app answers to that."""
    pane = person.slack.panes.get(person.id)
    if pane is None or not pane.metadata:
        raise NotOnScreen(f"{person.name} has no Work Object open")
    values = {name: {f"{name}.input": _entered(pane, name, value)} for name, value in changes.items()}
    return await submit_entity(person, values)


async def submit_entity(person: Reader, values: JSON) -> JSON:
    """What no form offers can be sent like this, too."""
    pane, slack = person.slack.panes[person.id], person.slack
    install = person.workspace.install
    payload = base_payload(person, "view_submission") | {"trigger_id": _trigger(person, pane.opened)}
    payload["response_urls"] = []
    payload["view"] = {
        "id": f"V0{person.id}",
        "team_id": person.workspace.id,
        "type": "entity_detail",
        "blocks": [],
        "private_metadata": "",
        "callback_id": "",
        "state": {"values": values},
        "hash": f"{slack.clock():.0f}.abc",
        **pane.opened,
        "app_id": slack.app.id,
        "external_id": "",
        "app_installed_team_id": person.workspace.id,
        "bot_id": install.bot_id if install else "",
    }
    return await send(person, "interactive", payload, "That could not be saved.")


def _trigger(person: Reader, opened: JSON) -> str:
    return person.slack.triggers.issue(person.id, person.workspace.id, entity=opened["external_ref"]["id"])


def _entered(pane: Pane, name: str, value: str) -> JSON:
    told = pane.fields.get(name, {})
    edit = told.get("edit", {})
    if not edit.get("enabled"):
        raise NotOnScreen(f"{name} can't be edited")
    if told.get("type") == "slack#/types/user":
        return {"type": "users_select", "selected_user": value}
    options = edit.get("select", {}).get("static_options")
    if options is None:
        return {"type": "plain_text_input", "value": value}
    chosen = next((each for each in options if value in (each["value"], each["text"]["text"])), None)
    if chosen is None:
        raise NotOnScreen(f"{value!r} is not offered; there is {', '.join(each['value'] for each in options)}")
    return {"type": "static_select", "selected_option": chosen}
