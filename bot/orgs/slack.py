"""Connecting a Datadog organisation: the form's ways in, its submit within Slack's three seconds, and taking it back."""

import asyncio
import time
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.cases.requests import ACK_LANDS
from bot.home import view as home
from bot.model import Place
from bot.orgs.connect_form import start
from bot.orgs.connecting import Connected, Problems
from bot.orgs.views import connect_modal as form
from bot.orgs.views.connect_modal import Filled, Prefill
from bot.services import Services
from bot.slack.errors import CALL_ERRORS
from bot.slack.interactions import Interaction, first_action, of_message, workspace_of
from bot.slack.message import Message, sentences
from bot.slack.modals import update_modal
from bot.slack.text import code, one_line

AT_ONCE = 2.0  # of the three seconds a submit has; later the window says that it is being checked


def register(app: AsyncApp, services: Services) -> None:
    @app.action(form.OPEN)
    async def pressed(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        start(services, of_message(body), Prefill())

    @app.action(home.CONNECT)
    async def connect(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        start(services, of_message(body), Prefill())

    @app.action(home.REPLACE_KEYS)
    async def replace_keys(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction = of_message(body)
        entry = await services.org_book.named(interaction.place.workspace, _value(body))
        if entry is not None:
            known = Prefill(entry.name, entry.site, entry.subdomain, replaces=entry.id)
            start(services, interaction, known)

    @app.action(home.DISCONNECT)
    async def disconnect(ack: AsyncAck, body: dict[str, Any]) -> None:
        interaction = of_message(body)
        message = await _disconnected(services, interaction, _value(body))
        await ack()
        services.tasks.spawn(
            services.replies.tell(interaction.place, interaction.person, message), "answer to a gesture"
        )

    @app.view(form.CALLBACK)
    async def submitted(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        await _submitted(services, ack, body, view, client)


async def _disconnected(services: Services, interaction: Interaction, org: str) -> Message:
    workspace = interaction.place.workspace
    if refusal := await services.connecting.refusal(workspace, interaction.person):
        return refusal
    gone = await services.connecting.disconnect(workspace, org)
    if gone is None:
        return sentences("That organisation is not connected any more.")
    return sentences(f"{code(one_line(gone.name), 80)} is disconnected, and its keys are removed.")


# -- the submit -----------------------------------------------------------------------------------------------------


async def _submitted(
    services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
) -> None:
    begun, workspace = time.monotonic(), workspace_of(body)
    person = str((body.get("user") or {}).get("id") or "")
    if refusal := await services.connecting.refusal(workspace, person):
        await ack(response_action="update", view=form.closed_modal(refusal))
        return
    filled, problems = form.read_form(view)
    if problems:
        await ack(response_action="errors", errors=problems)
        return
    known = _as_filled(form.read_metadata(view), filled)
    checking = asyncio.create_task(
        services.connecting.connect(workspace, person, filled, known.replaces), name="check of keys"
    )
    ready, _ = await asyncio.wait({checking}, timeout=max(0.0, begun + AT_ONCE - time.monotonic()))
    if ready:
        await _answer_at_once(ack, checking.result())
        return
    place = Place(workspace, known.channel, known.thread_ts)
    await ack(response_action="update", view=form.connect_modal(known, checking=True))
    services.tasks.spawn(
        _answer_later(services, client, str(view["id"]), known, place, person, checking), "check of keys"
    )


def _as_filled(known: Prefill, filled: Filled) -> Prefill:
    return replace(known, name=filled.name, site=filled.site, subdomain=filled.subdomain)


async def _answer_at_once(ack: AsyncAck, outcome: Connected | Problems) -> None:
    if isinstance(outcome, Connected):
        await ack(response_action="update", view=form.connected_modal(outcome.entry, outcome.checkup))
    else:
        await ack(response_action="errors", errors=outcome)


async def _answer_later(
    services: Services,
    client: AsyncWebClient,
    view_id: str,
    known: Prefill,
    place: Place,
    person: str,
    checking: "asyncio.Task[Connected | Problems]",
) -> None:
    await asyncio.sleep(ACK_LANDS)
    outcome = await checking
    if isinstance(outcome, Connected):
        view, message = form.connected_modal(outcome.entry, outcome.checkup), form.connected_message(outcome.entry)
    else:
        view, message = form.connect_modal(known, problems=outcome), form.not_connected_message(outcome)
    if not await _shown(client, view, view_id):
        await services.replies.tell(place, person, message)


async def _shown(client: AsyncWebClient, view: dict[str, Any], view_id: str) -> bool:
    try:
        return await update_modal(client, view, view_id=view_id)
    except CALL_ERRORS:
        return False


def _value(body: dict[str, Any]) -> str:
    return str(first_action(body).get("value") or "")
