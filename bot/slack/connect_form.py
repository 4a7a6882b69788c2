"""Opens the form that connects a Datadog organisation, for whoever may."""

from dataclasses import replace

from bot.slack.gestures import Gesture
from bot.slack.modals import open_modal
from bot.slack.services import Services
from bot.slack.verbs import Connect
from bot.slack.views import connect_modal as form
from bot.slack.views.connect_modal import Prefill
from bot.slack.views.message import Message


def wanted(services: Services, gesture: Gesture, wish: Connect) -> Message | None:
    """`connect`, typed."""
    known = form.prefill_of(wish.words)
    if not isinstance(known, Prefill):
        return form.site_refused(known)
    if not gesture.trigger_id:
        return form.press_to_connect()
    start(services, gesture, known)
    return None


def start(services: Services, gesture: Gesture, known: Prefill) -> None:
    services.voice.remember(gesture.place, gesture.person, gesture.response_url)
    services.tasks.spawn(_open(services, gesture, known), "connect form")


async def _open(services: Services, gesture: Gesture, known: Prefill) -> None:
    place = gesture.place
    if refusal := await services.connecting.refusal(place.workspace, gesture.person):
        await services.voice.tell(place, gesture.person, refusal)
        return
    speaker = await services.workspaces.speaker(place.workspace)
    if speaker is not None:
        known = replace(known, channel=place.channel, thread_ts=place.thread_ts)
        await open_modal(services.voice, speaker.client, gesture, form.connect_modal(known))
