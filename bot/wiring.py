"""The composition root: the only place where the rooms are put together."""

import logging
import time
from dataclasses import dataclass
from functools import partial

from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp

from bot import manifest
from bot.alerts import room as alerts
from bot.alerts.repository import CycleRepository
from bot.alerts.room import AlertRoom
from bot.alerts.starts import Automatic
from bot.alerts.tables import ALERT_CARD, NUDGE, RECOVERED, RULE_CASE, alert_cycles
from bot.cases import room as cases
from bot.cases.catalog import Catalogs
from bot.cases.of_threads import CasesOfThreads
from bot.cases.repository import CaseRepository
from bot.cases.room import CaseRoom
from bot.cases.settings_lists import SettingsLists
from bot.cases.tables import CASE_CARD, CASE_COMMENT
from bot.config import Settings
from bot.connections import StartError, bolt_app, connect_workspace, datadog_clients, slack_client
from bot.datadog.orgs import ConnectedOrg
from bot.digest import room as digest
from bot.digest.room import DigestRoom
from bot.digest.tables import DIGEST
from bot.digest.weekly_digests import FIRST_AFTER, LOOKED_EVERY
from bot.foundation import Foundation
from bot.home import room as home
from bot.home.room import HomeRoom
from bot.insights import room as insights
from bot.insights.room import InsightRoom
from bot.insights.tables import ATTACHED
from bot.investigations import room as investigations
from bot.investigations.poll_worker import PollWorker
from bot.investigations.room import InvestigationRoom
from bot.investigations.tables import CARD, CONCLUSIONS, EARLIER, SHARED
from bot.orgs.alert_setup import AlertSetup
from bot.orgs.alert_setup_slack import AlertSetupListeners
from bot.orgs.model import DEFAULT, OrgEntry
from bot.orgs.questions import OrgQuestions
from bot.orgs.repository import ClientOf, OrgRepository
from bot.orgs.slack import Connecting, OrgListeners
from bot.orgs.webhook_secrets import WebhookSecrets
from bot.rules import room as rules
from bot.rules.audit import AuditTrail
from bot.rules.file import RuleFileProblems
from bot.rules.gatekeeper import RuleGatekeeper
from bot.rules.permissions import is_admin
from bot.rules.room import RuleRoom
from bot.rules.slack import AuditCommand
from bot.rules.tables import channel_rules
from bot.slack.clients import WorkspaceClients
from bot.slack.commands import Commands
from bot.slack.listeners import Listeners
from bot.slack.people import People
from bot.slack.poster import Kind, Poster
from bot.slack.replies import Modals, Replies
from bot.slack.senders import Senders
from bot.slack.waits import Waits
from bot.storage.all_workers import Workers
from bot.storage.encryption import Encryption
from bot.storage.engine import Database
from bot.storage.inbox import Inbox
from bot.storage.leases import new_owner
from bot.storage.outbox import Outbox
from bot.storage.retention import EVERY, Kept, forget_workspace, remove_old
from bot.storage.workers import Loop, Tasks, Timing
from bot.web.datadog_webhook import DatadogWebhook, says_case_changed
from bot.web.server import Server
from bot.wording import APP, INVESTIGATE, INVESTIGATIONS
from bot.workspaces import room as workspaces
from bot.workspaces.departures import Departures, WorkspaceEvents
from bot.workspaces.repository import InstallationRepository, is_of_enterprise, is_served
from bot.workspaces.tables import departures as departures_table
from bot.workspaces.token_rotation import OAuthApp

logger = logging.getLogger(__name__)

SILENT_LOOKED_FOR = 3600.0
LEFT_BEHIND = 60.0  # how often departures that failed are taken up again
ORGS_LEARNT_WITHIN = 15.0  # what other replicas connect or disconnect; only links wait for it
ORGS_CLOSED_WITHIN = 300.0  # the connections of keys out of use, where there are no other replicas to learn from
HELP = f"*{APP}* starts {INVESTIGATIONS} and brings the conclusions into the alert's thread."
ALSO = f"Also: the message shortcut “{INVESTIGATE} with Bits” on any alert, or mention me with the same words."


@dataclass(frozen=True, slots=True)
class Parts:
    """What everything else is built from."""

    settings: Settings
    database: Database
    orgs: OrgRepository
    timing: Timing
    workers: Workers
    tasks: Tasks
    server: Server
    encryption: Encryption | None


@dataclass(frozen=True, slots=True)
class Rooms:
    orgs: OrgListeners
    alert_setup: AlertSetupListeners
    rules: RuleRoom
    investigations: InvestigationRoom
    cases: CaseRoom
    insights: InsightRoom
    alerts: AlertRoom
    digest: DigestRoom
    home: HomeRoom
    audit: AuditCommand


@dataclass(frozen=True, slots=True)
class Assembled:
    app: AsyncApp
    departures: Departures | None  # who deals with workspaces that leave, if many may come
    polls: PollWorker


async def put_together(parts: Parts, session: ClientSession) -> Assembled:
    """The whole bot, with its workers employed but not started."""
    waits = Waits(parts.database)
    await waits.learn()
    clients, departures = await _clients(parts, session, waits)
    if departures is not None:
        await _tell_who_is_left_out(parts, departures.records)
    base = _foundation(parts, clients, session)
    questions, commands = OrgQuestions(base.database, time.time), Commands(HELP, ALSO)
    rooms = await _rooms(parts, base, questions, commands)
    add_commands(commands, rooms)
    commands.offer = rooms.investigations.commands.offer
    commands.say = rooms.cases.talk.from_mention
    # what goes on once a person has said which organisation is meant
    for room in (rooms.investigations, rooms.cases, rooms.insights):
        room.commands.go_on_after(questions)
    rooms.cases.lists.go_on_after(questions)
    _employ(parts, base, rooms, waits)
    _open_webhook(parts, rooms.alerts, rooms.cases)
    if base.database.is_sqlite:
        await parts.workers.recover()
    app = bolt_app(parts.settings, clients, slack_client(parts.settings, session, None, waits))
    gatekeeper = RuleGatekeeper(rooms.rules.permissions)
    _register(Listeners(app, base.replies, base.tasks, gatekeeper), rooms, commands, departures)
    return Assembled(app, departures, rooms.investigations.poll_worker)


def _foundation(parts: Parts, clients: WorkspaceClients, session: ClientSession) -> Foundation:
    replies = Replies(clients, session)
    return Foundation(
        settings=parts.settings,
        database=parts.database,
        inbox=Inbox(parts.database),
        timing=parts.timing,
        owner=new_owner(),
        tasks=parts.tasks,
        workspaces=clients,
        replies=replies,
        modals=Modals(clients, replies),
        people=People(clients),
        outbox=Outbox(parts.database, lease=parts.timing.lease),
        senders=Senders(clients, partial(is_of_enterprise, parts.database)),
    )


async def _rooms(parts: Parts, base: Foundation, questions: OrgQuestions, commands: Commands) -> Rooms:
    orgs, cards = parts.orgs, CycleRepository(base.database)
    catalogs = Catalogs(orgs, base.tasks)
    try:
        ruled = await rules.build(base, orgs, questions, cards.org_of_card, SettingsLists(catalogs))
    except RuleFileProblems as error:
        problems = "".join(f"\n    {problem}" for problem in error.problems)
        raise StartError(f"the rules in BITS_CHANNELS_FILE can't be used.{problems}") from error
    cases_of_threads = CasesOfThreads(CaseRepository(base.database, lambda _: None), orgs, ruled.permissions)
    investigated = investigations.build(base, orgs, ruled, commands.knows, cases_of_threads, cards.subject_of_card)
    repository = investigated.repository
    case_room = cases.build(base, orgs, ruled, investigated, catalogs)
    insight_room = insights.build(base, orgs, ruled, investigated, case_room)
    automatic = Automatic(investigated.requests, ruled.rules)
    alert_room = alerts.build(base, orgs, ruled, investigated, case_room, insight_room, automatic)
    connecting = Connecting(orgs, _webhook_secrets(parts), base.people, is_admin=is_admin, gone=repository.org_left)
    secret = parts.settings.bits_webhook_secret
    alert_setup = AlertSetup(
        orgs,
        connecting.secrets,
        parts.settings.bits_public_url or "",
        secret.get_secret_value() if secret else "",
    )
    kept = parts.settings.keep_days[Kept.AUDIT]
    return Rooms(
        orgs=OrgListeners(orgs, connecting, alert_setup, questions, base.modals, base.replies, base.tasks),
        alert_setup=AlertSetupListeners(connecting, alert_setup, base.modals, base.replies),
        rules=ruled,
        investigations=investigated,
        cases=case_room,
        insights=insight_room,
        alerts=alert_room,
        digest=digest.build(base, orgs, ruled),
        home=home.build(base, orgs, ruled, case_room, alert_room, commands),
        audit=AuditCommand(ruled.permissions, AuditTrail(base.database), repository.refs, base.replies, kept),
    )


def add_commands(commands: Commands, rooms: Rooms) -> None:
    """Every room's, in the order in which help shows them."""
    commands.add(
        *rooms.investigations.commands.commands(),
        *rooms.cases.commands.commands(),
        *rooms.cases.lists.commands(),
        *rooms.insights.commands.commands(),
        *rooms.home.status.commands(),
        *rooms.digest.command.commands(),
        *rooms.rules.settings_form.commands(),
        *rooms.audit.commands(),
        *rooms.orgs.commands(),
    )


def _register(on: Listeners, rooms: Rooms, commands: Commands, departures: Departures | None) -> None:
    rooms.investigations.register(on)  # what messages show is noted before it is acted on
    rooms.alerts.register(on)
    rooms.cases.register(on)
    rooms.insights.register(on)
    rooms.rules.register(on)
    rooms.home.register(on)
    rooms.orgs.register(on)
    rooms.alert_setup.register(on)
    commands.register(on)
    WorkspaceEvents(departures).register(on)


def _employ(parts: Parts, base: Foundation, rooms: Rooms, waits: Waits) -> None:
    workers, investigated, alert_room = parts.workers, rooms.investigations, rooms.alerts
    workers.let_pass = base.inbox.let_pass
    posts: dict[str, Kind] = {
        CARD: investigated.card_post,
        CONCLUSIONS: investigated.conclusions_post,
        EARLIER: investigated.earlier_post,
        SHARED: investigated.share_post,
        CASE_CARD: rooms.cases.cards,
        CASE_COMMENT: rooms.cases.comments,
        ATTACHED: rooms.insights.lines,
        ALERT_CARD: alert_room.cards,
        NUDGE: alert_room.nudges,
        RECOVERED: alert_room.recoveries,
        RULE_CASE: alert_room.rule_case_posts,
        DIGEST: rooms.digest.posts,
    }
    workers.employ("ask worker", investigated.ask_worker)
    workers.employ("alert resolver", investigated.alert_resolver)
    workers.employ("trigger worker", investigated.trigger_worker)
    workers.employ("poll worker", investigated.poll_worker)
    poster = Poster(base.database, base.timing, base.outbox, base.workspaces, posts, waits, owner=base.owner)
    workers.employ("poster", poster)
    if not parts.database.is_sqlite:
        workers.repeat("told waits", waits.learn, due=waits.unread)
    workers.employ("case maker", rooms.cases.maker)
    workers.employ("case actions", rooms.cases.action_worker)
    workers.employ("case follower", rooms.cases.follower)
    workers.employ("case escalations", rooms.cases.escalator)
    workers.employ("attach worker", rooms.insights.worker)
    workers.employ("alert router", alert_room.router)
    workers.employ("automatic starts", alert_room.starts)
    workers.employ("mutes", alert_room.mutes)
    workers.employ("cases by rule", alert_room.rule_cases)
    cycles = alert_room.cycles
    workers.repeat("mutes that end", cycles.end_mutes, woken_by=(alert_cycles,), due=cycles.next_mute_end)
    learnt_within = ORGS_CLOSED_WITHIN if parts.database.is_sqlite else ORGS_LEARNT_WITHIN
    workers.repeat("organisations", parts.orgs.step, every=learnt_within)
    workers.repeat(
        "digests", rooms.digest.weekly.step, every=LOOKED_EVERY, first=FIRST_AFTER, woken_by=(channel_rules,)
    )
    remove = partial(remove_old, parts.database, parts.settings.keep_days)
    workers.repeat("retention", remove, every=EVERY, first=parts.timing.first_removal)
    workers.loops.append(Loop("home tabs", rooms.home.tabs.step, rooms.home.tabs.alarm))
    workers.closers += [base.inbox.finish, base.people.close, base.replies.close]
    workers.on_uninstall += [
        rooms.alert_setup.setup.leave,  # it takes the keys, which go with the rest
        partial(forget_workspace, parts.database, unless=is_served),
        parts.orgs.drop_workspace,
    ]


def _open_webhook(parts: Parts, alert_room: AlertRoom, case_room: CaseRoom) -> None:
    if parts.settings.bits_webhook_secret is None and parts.orgs.default is not None:
        logger.info("the webhook of the settings' organisation is off: without BITS_WEBHOOK_SECRET, it answers 404")

    async def take(org: str, body: bytes, content_type: str) -> bool:
        if says_case_changed(body):
            return await case_room.hints.take(org)
        return await alert_room.intake.take(org, body, content_type)

    webhook = DatadogWebhook(_webhook_secrets(parts).open, find_org=parts.orgs.entry, take=take)
    parts.server.serve(webhook.routes())


def _webhook_secrets(parts: Parts) -> WebhookSecrets:
    secret = parts.settings.bits_webhook_secret
    return WebhookSecrets(parts.database, secret.get_secret_value() if secret else "")


# -- who we are in Slack --------------------------------------------------------------------------------------------


async def _clients(parts: Parts, session: ClientSession, waits: Waits) -> tuple[WorkspaceClients, Departures | None]:
    if not parts.settings.uses_oauth:
        single = await connect_workspace(parts.settings, session, waits)
        parts.orgs.default_for = frozenset({single.home})
        return single, None
    parts.orgs.default_for = parts.settings.dd_workspaces
    client = slack_client(parts.settings, session, None, waits)
    settings, secret, scopes = parts.settings, parts.settings.slack_client_secret, manifest.scopes()
    room = workspaces.build(
        parts.database,
        parts.encryption or Encryption([]),
        parts.tasks,
        OAuthApp(client, settings.slack_client_id or "", secret.get_secret_value() if secret else ""),
        scopes=(*scopes.required, *scopes.optional),
        public_url=settings.bits_public_url or "",
        has_org=parts.orgs.default_for if parts.orgs.default else frozenset(),
        allowed=settings.bits_allowed_workspaces,
        on_uninstall=parts.workers.on_uninstall,
    )
    parts.server.serve(room.pages.routes())
    parts.workers.closers.append(room.rotation.close)
    parts.workers.repeat("departures", room.departures.step, every=LEFT_BEHIND, woken_by=(departures_table,))
    parts.workers.repeat(
        "silent departures", room.departures.note_silent, every=SILENT_LOOKED_FOR, first=SILENT_LOOKED_FOR
    )
    return room.clients, room.departures


async def _tell_who_is_left_out(parts: Parts, records: InstallationRepository) -> None:
    """Before DD_WORKSPACES was there, the keys of the settings served everybody."""
    left_out = await records.outside(parts.orgs.default_for) if parts.orgs.default is not None else []
    if left_out:
        logger.warning(
            "the keys of the settings (DD_API_KEY) do not serve %s, where the bot is installed: name them in DD_WORKSPACES, "
            "or let an admin there connect an organisation",
            ", ".join(left_out),
        )


# -- Datadog organisations ------------------------------------------------------------------------------------------


def orgs_of(settings: Settings, database: Database, encryption: Encryption | None) -> OrgRepository:
    client_of = datadog_clients(settings)
    return OrgRepository(database, encryption, client_of, default=_org_of_settings(settings, client_of))


def _org_of_settings(settings: Settings, client_of: ClientOf) -> tuple[OrgEntry, ConnectedOrg] | None:
    if settings.dd_api_key is None or settings.dd_app_key is None:
        return None
    keys = settings.dd_api_key.get_secret_value(), settings.dd_app_key.get_secret_value()
    entry = OrgEntry(
        DEFAULT,
        "",
        DEFAULT,
        settings.site,
        api_key_end=keys[0][-4:],
        app_key_end=keys[1][-4:],
        is_lent=settings.uses_oauth,
    )
    return entry, ConnectedOrg(DEFAULT, client_of(settings.site, *keys), entry.app_url)
