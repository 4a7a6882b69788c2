"""Alerts in Slack: our own cards with their buttons, and the one reply with buttons under Datadog's own messages."""

import logging
import time
from dataclasses import dataclass, replace
from typing import ClassVar

from sqlalchemy import select

from bot.alerts import views
from bot.alerts.model import standing
from bot.alerts.mutes import HOUR, Mutes, MuteWork, next_morning
from bot.alerts.not_started import NOT_STARTED, NotStarted, nudge_post
from bot.alerts.repository import CycleRepository
from bot.alerts.starts import Starts
from bot.alerts.tables import alert_messages
from bot.cases.repository import CaseRepository
from bot.datadog.links import MonitorLink, parse_link
from bot.datadog.monitors import read_title, transition_kind
from bot.investigations.message_alerts import FoundAlert, SeenAlerts, find_alert
from bot.investigations.model import SeenBefore
from bot.investigations.repository import InvestigationRepository
from bot.investigations.seen_before import SeenBeforeReader
from bot.investigations.subject_view import alert_value, nudge_message, nudge_overtaken
from bot.model import AlertRef, EventRef, MonitorRef, PersonFacts, Place
from bot.orgs.repository import OrgRepository
from bot.rules.model import AlertFacts, AlertFilter, ChannelRules
from bot.rules.org_choice import OrgChooser
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message
from bot.slack.gates import May, Open, Right
from bot.slack.interactions import Interaction, place_of_event
from bot.slack.listeners import After, Handler, Listeners
from bot.slack.payloads import Payload, is_reply, number_of
from bot.slack.people import People
from bot.slack.poster import Urgency
from bot.slack.replies import Modals
from bot.slack.senders import DATADOG_APPS, Senders
from bot.storage.engine import Database
from bot.storage.outbox import Delivery, Outbox, enqueue, is_owed

logger = logging.getLogger(__name__)

_UNKNOWN_APP = "unknown-app"


@dataclass(frozen=True, slots=True)
class AlertCardPost:
    """The kind of message a channel is owed of each cycle."""

    urgency: ClassVar[Urgency] = Urgency.ALERT

    cycles: CycleRepository
    orgs: OrgRepository
    not_started: NotStarted
    investigations: InvestigationRepository
    seen_before: SeenBeforeReader
    cases: CaseRepository

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        known = await self.cycles.get(delivery.post.subject_id)
        if known is None or await self.orgs.withholds(known.org, delivery.post.workspace):
            return None
        post = delivery.post
        subject = standing(known.cycle).subject
        note = await self.not_started.note(Place(post.workspace, post.channel), known.id, subject)
        seen = await self.seen_before.of(post.workspace, known.org, subject)
        following = views.Following(note, workspace=post.workspace, seen=seen)
        if delivery.ts:
            here = Place(post.workspace, post.channel, delivery.ts)
            found = await self.investigations.latest_in_thread(here.workspace, here.channel, here.thread_ts)
            following = replace(following, investigation=found, case=await self.cases.of_thread(here))
        return views.alert_card(known, self.orgs.app_url(known.org), following)

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Nobody asked for it by name, so nobody is told; it is counted, and other channels get theirs."""
        logger.error("%s: the channel %s does not take alerts (%s)", delivery.post.key, delivery.post.channel, code)


@dataclass(frozen=True, slots=True)
class RecoveredPost:
    """One person is told, under the card, that what they waited for is over."""

    urgency: ClassVar[Urgency] = Urgency.ANSWER

    cycles: CycleRepository
    orgs: OrgRepository
    outbox: Outbox

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  said twice it is still true
        known = await self.cycles.get(delivery.post.subject_id)
        if known is None or await self.orgs.withholds(known.org, delivery.post.workspace):
            return None
        return views.recovered(known, delivery.post.requester)

    async def refused(self, delivery: Delivery, code: str) -> None:
        logger.warning("%s: the channel does not take replies (%s)", delivery.post.key, code)
        if delivery.post.channel != delivery.post.requester:
            await self.outbox.instead_to_requester(delivery)


@dataclass(frozen=True, slots=True)
class AlertButtons:
    """Mute it, take it, and what is in its menu; `create_case` and `attach` are other rooms' buttons."""

    cycles: CycleRepository
    mutes: Mutes
    modals: Modals
    people: People
    create_case: Handler
    attach: Handler

    def register(self, on: Listeners) -> None:
        on.action(views.MUTE, self.mute, May(Right.START, "mute alerts from here"))
        on.action(views.MUTE_FOR, self.mute_for, May(Right.START, "mute alerts from here"))
        on.action(views.UNMUTE, self.mute, May(Right.START, "unmute alerts from here"))
        on.action(views.TAGS, self.show_tags, May(Right.LOOK, "see alerts here"))
        on.action(views.TAKE, self.take, May(Right.LOOK, "work on alerts here"))
        on.action(views.MORE, self.more, May(Right.LOOK, "work on alerts here"))

    async def mute_for(self, choice: Interaction) -> After:
        span, _, number = choice.value.partition(":")
        known = await self.cycles.get_in(choice.workspace, number_of(number))
        if known is None or span not in views.MUTE_SPANS:
            return views.gone()
        if span != "morning":
            await self.mutes.ask(MuteWork.MUTE, known, choice, seconds=HOUR * int(span.removesuffix("h")))
            return None
        facts = await self.people.facts(choice.workspace, choice.person)
        offset = facts.utc_offset if isinstance(facts, PersonFacts) else 0
        await self.mutes.ask(MuteWork.MUTE, known, choice, until=next_morning(time.time(), offset))
        return None

    async def take(self, click: Interaction) -> After:
        """Whoever has it already gives it back."""
        known = await self.cycles.get_in(click.workspace, click.number)
        if known is None:
            return views.gone()
        has_it = known.taken.by == click.person
        await self.cycles.take(known.id, "" if has_it else click.person, click.workspace)
        return views.released() if has_it else None

    async def more(self, choice: Interaction) -> After:
        what, _, number = choice.value.partition(":")
        known = await self.cycles.get_in(choice.workspace, number_of(number))
        subject = standing(known.cycle).subject if known else None
        match what:
            case "open":
                return None  # the browser does it
            case "tags" if known:
                return self.modals.open(choice, views.tags_modal(known))
            case "tell" if known:
                waits = await self.cycles.watch(known, choice.place, choice.person)
                return views.will_tell() if waits else views.recovered_already()
            case "create" if subject:
                return await self.create_case(replace(choice, value=alert_value(subject)))
            case "attach" if subject:
                return await self.attach(replace(choice, value=alert_value(subject)))
            case _:
                return views.gone()

    async def mute(self, click: Interaction) -> After:
        work = MuteWork.MUTE if click.action_id == views.MUTE else MuteWork.UNMUTE
        known = await self.cycles.get_in(click.workspace, click.number)
        if known is None:
            return views.gone()
        await self.mutes.ask(work, known, click)
        return None

    async def show_tags(self, click: Interaction) -> After:
        known = await self.cycles.get_in(click.workspace, click.number)
        return self.modals.open(click, views.tags_modal(known)) if known else views.gone()


# -- under Datadog's own messages: what they first showed counts, for Datadog edits them --------------------------------


@dataclass(frozen=True, slots=True)
class Nudge:
    place: Place
    subject: AlertRef | MonitorRef


@dataclass(frozen=True, slots=True)
class AlertMessages:
    database: Database
    chooser: OrgChooser
    starts: Starts

    async def noticed(self, place: Place, subject: AlertRef | MonitorRef, transition: str, rules: ChannelRules) -> bool:
        """Written down before Slack is told that we heard; False when the message was known already.

        `place.thread_ts` is the message itself.
        """
        facts = _facts(subject, transition)
        to_start = subject if isinstance(subject, AlertRef) and _may_start(rules, facts) else None
        org = await self.chooser.choose(place, subject.host) if to_start else ""
        async with self.database.transaction() as connection:
            inserted = await connection.execute(
                self.database.insert_new(alert_messages)
                .values(
                    workspace=place.workspace,
                    channel=place.channel,
                    ts=place.thread_ts,
                    subject=subject,
                    seen_at=self.database.now,
                )
                .returning(alert_messages.c.id)
            )
            row_id = inserted.scalar()
            if row_id is None:
                return False
            if rules.nudge:
                await enqueue(self.database, connection, nudge_post(row_id, place))
            if to_start:
                # one that can't be told now is looked for once more when the start is decided
                await self.starts.want(connection, org if isinstance(org, str) else "", place, to_start, facts)
        return True

    async def unknown_app(self, place: Place, subject: AlertRef | MonitorRef, app: str) -> None:
        """An app of this workspace posts alerts and is not known as Datadog's: said once in a channel, under its message."""
        seen = {"workspace": place.workspace, "channel": place.channel, "ts": place.thread_ts, "subject": subject}
        async with self.database.transaction() as connection:
            key = f"{_UNKNOWN_APP}:{place.workspace}:{place.channel}:{app}"
            if await is_owed(connection, key):
                return
            made = self.database.insert_new(alert_messages).values(**seen, seen_at=self.database.now)
            row_id = (await connection.execute(made.returning(alert_messages.c.id))).scalar()
            if row_id is not None and await enqueue(
                self.database, connection, replace(nudge_post(row_id, place), key=key)
            ):
                logger.warning("%s posts alerts in %s, but no rule names it as an app of Datadog's", app, place.channel)

    async def get(self, row_id: int) -> Nudge | None:
        row = await self.database.first(select(alert_messages).where(alert_messages.c.id == row_id))
        return Nudge(Place(row.workspace, row.channel, row.ts), row.subject) if row else None


def _facts(subject: AlertRef | MonitorRef, transition: str) -> AlertFacts:
    tags = frozenset(part.strip() for part in subject.group.split(",") if ":" in part)
    return AlertFacts(subject.monitor_id, subject.group, tags=tags, transition=transition)


def _may_start(rules: ChannelRules, facts: AlertFacts) -> bool:
    """As far as a message tells; its monitor's tags and priority are looked up later."""
    wanted = rules.auto
    return wanted is not None and AlertFilter(monitors=wanted.monitors, transitions=wanted.transitions).matches(facts)


@dataclass(frozen=True, slots=True)
class NudgePost:
    """The kind of message that stands under Datadog's own."""

    urgency: ClassVar[Urgency] = Urgency.ALERT

    messages: AlertMessages
    seen_alerts: SeenAlerts
    seen_before: SeenBeforeReader
    chooser: OrgChooser
    not_started: NotStarted
    investigations: InvestigationRepository

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  buttons twice are no harm
        nudge = await self.messages.get(delivery.post.subject_id)
        if nudge is None:
            return None
        if delivery.post.key.startswith(_UNKNOWN_APP):
            return views.unknown_app(delivery.post.key.rpartition(":")[2])
        is_note = delivery.post.key.startswith(NOT_STARTED)
        place = nudge.place
        seen = await self.seen_alerts.of(place.workspace, place.channel, place.thread_ts)
        if seen.run:
            return None  # findings in the thread need no button
        if not is_note and await self.investigations.is_asked_in(place, nudge.subject.monitor_id):
            # somebody was faster than the buttons: its status card stands in the thread
            return nudge_overtaken() if delivery.ts else None
        note = await self.not_started.note(place, place.thread_ts, nudge.subject)
        if is_note and not note:
            return views.started_since()
        return nudge_message(nudge.subject, note=note, seen=await self._known(place, nudge.subject))

    async def _known(self, place: Place, subject: AlertRef | MonitorRef) -> SeenBefore | None:
        org = await self.chooser.choose(place, subject.host)
        return await self.seen_before.of(place.workspace, org, subject) if isinstance(org, str) else None

    async def refused(self, delivery: Delivery, code: str) -> None:
        logger.warning("%s: the channel does not take replies (%s)", delivery.post.key, code)


# -- which messages those are -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DatadogMessages:
    """Hears every message of an app, and keeps those of Datadog's own that open an alert."""

    rules: RuleRepository
    messages: AlertMessages
    senders: Senders

    def register(self, on: Listeners) -> None:
        on.event("message", self.heard, Open("only what apps say counts, and the channel's rules decide"))

    async def heard(self, body: Payload) -> None:
        """What the channel wants of it is written down when this returns."""
        event = body["event"]
        if not event.get("bot_id") or event.get("message") or is_reply(event):
            return
        found = find_alert(event)
        if found is None or found.recovered or found.test:
            return
        subject = _subject(found)
        if subject is None:
            return
        place = place_of_event(body)
        rules = await self.rules.of(place.workspace, place.channel)
        wanted = rules.nudge or rules.auto is not None
        if not wanted or not await self.senders.is_ours(body, event, place.workspace):
            return
        app = await self.senders.app(event, place.workspace)
        if app in DATADOG_APPS or app in rules.datadog_apps:
            await self.messages.noticed(place, subject, transition_of(found), rules)
        elif app:
            await self.messages.unknown_app(place, subject, app)


def transition_of(found: FoundAlert) -> str:
    """As channel rules name it."""
    word = found.transition or read_title(found.title).transition
    return transition_kind(word) or word or "alert"


def _subject(found: FoundAlert) -> AlertRef | MonitorRef | None:
    if not isinstance(found.subject, EventRef):
        return found.subject
    link = parse_link(found.url)
    return (
        MonitorRef(link.monitor_id, read_title(found.title).name, link.group) if isinstance(link, MonitorLink) else None
    )
