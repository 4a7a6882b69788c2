"""The composition root: the only place where the parts are wired together."""

import logging
import time
from dataclasses import dataclass
from functools import partial

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot import manifest
from bot.alerts import room as alert_room
from bot.alerts.repository import CycleRepository
from bot.alerts.room import MUTES_END_WITHIN, AlertRoom
from bot.alerts.starts import Automatic
from bot.alerts.tables import ALERT_CARD, NUDGE
from bot.cases import room as case_room
from bot.cases.repository import CaseRepository
from bot.cases.room import CaseRoom
from bot.cases.tables import CASE_CARD
from bot.config import Settings
from bot.connections import StartError
from bot.datadog.client import Datadog
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.sites import Site
from bot.home.content import HomeReader
from bot.home.home_tab import HomeTabs
from bot.home.status import StatusCommand
from bot.insights.attach_form_store import AttachFormStore
from bot.insights.attach_jobs import AttachJobs
from bot.insights.attach_worker import AttachWorker
from bot.insights.opening import AttachOpening
from bot.insights.picker import CasePicker
from bot.insights.slack import AttachFormListeners
from bot.insights.tables import ATTACHED
from bot.insights.windows import AttachedLines, AttachWindows
from bot.investigations.alert_resolver import AlertResolver
from bot.investigations.failures import end_those_of_org
from bot.investigations.health import HealthReader
from bot.investigations.notices import Notices
from bot.investigations.poll_worker import PollWorker
from bot.investigations.posts import Cards, Conclusions
from bot.investigations.refusing import Refusing
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Requests
from bot.investigations.seen_alerts import SeenAlerts
from bot.investigations.tables import CARD, CONCLUSIONS
from bot.investigations.threads import ThreadReader
from bot.investigations.trigger_worker import TriggerWorker
from bot.orgs.connecting import Connecting
from bot.orgs.model import DEFAULT, OrgEntry
from bot.orgs.questions import OrgQuestions
from bot.orgs.repository import ClientOf, OrgRepository
from bot.rules.audit import AuditTrail
from bot.rules.budget import Budget
from bot.rules.file import RuleFile, RuleFileProblems, channel_ids, load_rule_file
from bot.rules.org_choice import OrgChooser, WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.policy import is_admin
from bot.rules.repository import RuleRepository
from bot.rules.slack import AuditCommand, SettingsForm
from bot.services import Services
from bot.slack.clients import SingleWorkspace, WorkspaceClients
from bot.slack.commands import Commands
from bot.slack.modals import Modals
from bot.slack.people import People
from bot.slack.poster import Kind, Poster
from bot.slack.replies import Replies
from bot.storage.encryption import Encryption
from bot.storage.engine import Database
from bot.storage.leases import new_owner
from bot.storage.outbox import Outbox
from bot.storage.retention import EVERY, forget_workspace, remove_old
from bot.storage.timing import Timing
from bot.storage.workers import Loop, Tasks
from bot.web.datadog_webhook import DatadogWebhook
from bot.web.server import Server
from bot.wording import APP, INVESTIGATE, INVESTIGATIONS
from bot.workers import Workers
from bot.workspaces.build import WorkspaceRoom
from bot.workspaces.build import build as build_workspaces
from bot.workspaces.departures import Departures
from bot.workspaces.tables import departures as departures_table
from bot.workspaces.token_rotation import OAuthApp

logger = logging.getLogger(__name__)

LEFT_BEHIND = 60.0  # how often departures that failed are taken up again
ORGS_LEARNT_WITHIN = 15.0  # what other replicas connect or disconnect; only links wait for it
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


@dataclass(frozen=True, slots=True)
class _Core:
    """What nearly every part leans on."""

    home: WorkspaceClients
    owner: str  # this process, where work is claimed
    repository: InvestigationRepository
    rules: RuleRepository
    budget: Budget
    requests: Requests
    replies: Replies
    notices: Notices
    people: People
    permissions: Permissions
    chooser: OrgChooser
    questions: OrgQuestions
    which_org: WhichOrg
    refusing: Refusing
    seen_alerts: SeenAlerts
    outbox: Outbox


def connect_installed(parts: Parts, encryption: Encryption, client: AsyncWebClient) -> WorkspaceRoom:
    """For a bot that many workspaces install."""
    settings, secret, scopes = parts.settings, parts.settings.slack_client_secret, manifest.scopes()
    room = build_workspaces(
        parts.database,
        encryption,
        parts.tasks,
        OAuthApp(client, settings.slack_client_id or "", secret.get_secret_value() if secret else ""),
        scopes=(*scopes.required, *scopes.optional),
        public_url=settings.bits_public_url or "",
        has_org=settings.dd_api_key is not None,
        on_uninstall=parts.workers.on_uninstall,
    )
    parts.server.serve(room.pages.routes())
    parts.workers.closers.append(room.rotation.close)
    parts.workers.repeat("departures", room.departures.step, every=LEFT_BEHIND, woken_by=(departures_table,))
    return room


async def assemble(
    parts: Parts, home: WorkspaceClients, session: ClientSession, departures: Departures | None
) -> Services:
    core = await _core(parts, home, session)
    threads = ThreadReader(home, core.seen_alerts)
    modals = Modals(home, core.replies)
    cases = _case_room(parts, core, modals)
    attaching = _attaching(parts, core, cases.cases)
    alerts = _alert_room(parts, core, modals)
    health = HealthReader(parts.database)
    commands = Commands(HELP, ALSO)
    home_tabs = _home_tabs(parts, core, cases.cases, health, commands)
    _start_on_investigations(parts, core, threads, _kinds(parts, core, cases, attaching, alerts))
    _start_on_cases(parts, cases)
    _start_on_insights(parts, attaching, core.owner)
    _start_on_alerts(parts, alerts)
    _start_on_chores(parts, core, home_tabs)
    if parts.database.is_sqlite:
        await parts.workers.recover()
    return Services(
        requests=core.requests,
        repository=core.repository,
        orgs=parts.orgs,
        replies=core.replies,
        notices=core.notices,
        modals=modals,
        workspaces=home,
        tasks=parts.tasks,
        seen_alerts=core.seen_alerts,
        threads=threads,
        cases=cases,
        app_url=parts.orgs.app_url,
        attaching=attaching.opening,
        attach_form=attaching,
        alerts=alerts,
        rules=core.rules,
        permissions=core.permissions,
        refusing=core.refusing,
        org_book=parts.orgs,
        which_org=core.which_org,
        org_questions=core.questions,
        connecting=Connecting(
            parts.orgs, core.people, is_admin=is_admin, gone=partial(end_those_of_org, core.repository)
        ),
        commands=commands,
        home_tabs=home_tabs,
        settings_form=SettingsForm(core.permissions, core.rules, parts.orgs, core.people, modals, core.replies),
        status=StatusCommand(
            core.permissions,
            core.rules,
            core.budget,
            health,
            core.which_org,
            parts.orgs,
            alerts.cycles,
            core.replies,
        ),
        audit=AuditCommand(core.permissions, AuditTrail(parts.database), core.repository.refs, core.replies),
        departures=departures,
    )


async def _core(parts: Parts, home: WorkspaceClients, session: ClientSession) -> _Core:
    database, timing, owner = parts.database, parts.timing, new_owner()
    repository = InvestigationRepository(database, timing)
    rules = await _rule_book(parts, home)
    budget = Budget(database, rules)
    replies, people = Replies(home, session), People(home)
    permissions = Permissions(people, rules)
    chooser = OrgChooser(database, parts.orgs, rules, CycleRepository(database).org_of_card)
    questions = OrgQuestions(database, time.time)
    which_org = WhichOrg(chooser, questions, replies)
    return _Core(
        home=home,
        owner=owner,
        repository=repository,
        rules=rules,
        budget=budget,
        requests=Requests(repository, budget),
        replies=replies,
        notices=Notices(repository, replies),
        people=people,
        permissions=permissions,
        chooser=chooser,
        questions=questions,
        which_org=which_org,
        refusing=Refusing(permissions, rules, replies, which_org),
        seen_alerts=SeenAlerts(database),
        outbox=Outbox(database, lease=timing.lease),
    )


def _kinds(
    parts: Parts, core: _Core, cases: CaseRoom, attaching: AttachFormListeners, alerts: AlertRoom
) -> dict[str, Kind]:
    """Everything the poster can be asked to post."""
    app_url = parts.orgs.app_url
    return {
        CARD: Cards(core.repository, core.notices, app_url),
        CONCLUSIONS: Conclusions(core.repository, core.outbox, app_url, core.rules),
        CASE_CARD: cases.cards,
        ATTACHED: AttachedLines(attaching.jobs, parts.orgs, core.replies),
        ALERT_CARD: alerts.cards,
        NUDGE: alerts.nudges,
    }


def _start_on_investigations(parts: Parts, core: _Core, threads: ThreadReader, kinds: dict[str, Kind]) -> None:
    timing, workers, owner = parts.timing, parts.workers, core.owner
    resolver = AlertResolver(
        core.requests,
        core.repository,
        parts.orgs,
        threads,
        core.notices,
        timing,
        owner=owner,
        refused=core.refusing.tell,
        choose_org=core.chooser.choose,
    )
    workers.employ("alert resolver", resolver)
    workers.employ("trigger worker", TriggerWorker(core.repository, parts.orgs, timing, owner=owner))
    workers.employ("poll worker", PollWorker(core.repository, parts.orgs, timing))
    workers.employ("poster", Poster(core.outbox, core.home, kinds, timing, owner=owner))


def _start_on_chores(parts: Parts, core: _Core, home_tabs: HomeTabs) -> None:
    workers = parts.workers
    workers.repeat("organisations", parts.orgs.step, every=ORGS_LEARNT_WITHIN)
    workers.repeat("retention", partial(remove_old, parts.database), every=EVERY, first=parts.timing.first_removal)
    workers.loops.append(Loop("home tabs", home_tabs.step, home_tabs.alarm))
    workers.closers.append(core.people.close)
    workers.on_uninstall += [partial(forget_workspace, parts.database), parts.orgs.drop_workspace]


def _home_tabs(parts: Parts, core: _Core, book: CaseRepository, health: HealthReader, commands: Commands) -> HomeTabs:
    reader = HomeReader(
        database=parts.database,
        cases=book,
        orgs=parts.orgs,
        rules=core.rules,
        permissions=core.permissions,
        budget=core.budget,
        health=health,
        commands=commands,
    )
    return HomeTabs(parts.database, core.home, core.replies, reader)


def _alert_room(parts: Parts, core: _Core, modals: Modals) -> AlertRoom:
    return alert_room.build(
        parts.database,
        parts.timing,
        parts.orgs,
        core.rules,
        core.chooser,
        core.permissions,
        core.requests,
        Automatic(core.requests, core.rules),
        core.seen_alerts,
        core.replies,
        modals,
        owner=core.owner,
    )


async def _rule_book(parts: Parts, workspace: WorkspaceClients) -> RuleRepository:
    path = parts.settings.bits_channels_file
    if path is None:
        return RuleRepository(parts.database)
    bot_client = await workspace.bot_client("") if isinstance(workspace, SingleWorkspace) else None
    try:
        file = load_rule_file(path)
        await _check_orgs(parts, file, bot_client.workspace if bot_client else "")
        ids = await channel_ids(bot_client, file)
    except RuleFileProblems as error:
        problems = "".join(f"\n    {problem}" for problem in error.problems)
        raise StartError(f"the rules in BITS_CHANNELS_FILE can't be used.{problems}") from error
    return RuleRepository(parts.database, file, home=bot_client.workspace if bot_client else "", ids=ids)


async def _check_orgs(parts: Parts, file: RuleFile, home: str) -> None:
    named = {(entry.workspace or home, entry.org) for entry in file.channels if entry.org}
    unknown = sorted({org for workspace, org in named if await parts.orgs.named(workspace, org) is None})
    problems = [f"{file.name}: no Datadog organisation {org} is connected." for org in unknown]
    if problems and not parts.orgs.can_connect:
        raise RuleFileProblems(problems)
    for problem in problems:
        logger.warning("%s It can be connected in Slack.", problem)


def _case_room(parts: Parts, core: _Core, modals: Modals) -> CaseRoom:
    return case_room.build(
        parts.database,
        parts.timing,
        parts.orgs,
        core.repository,
        core.rules,
        core.permissions,
        core.which_org,
        core.home,
        core.replies,
        modals,
        core.outbox,
        parts.tasks,
        owner=core.owner,
    )


def _start_on_cases(parts: Parts, room: CaseRoom) -> None:
    parts.workers.employ("case maker", room.maker)
    parts.workers.employ("case actions", room.action_worker)


def _attaching(parts: Parts, core: _Core, book: CaseRepository) -> AttachFormListeners:
    forms, jobs = AttachFormStore(parts.database), AttachJobs(parts.database, book)
    modals = Modals(core.home, core.replies)
    windows = AttachWindows(forms, jobs, parts.orgs, modals, core.replies)
    return AttachFormListeners(
        opening=AttachOpening(
            forms=forms,
            windows=windows,
            cases=book,
            orgs=parts.orgs,
            which_org=core.which_org,
            permissions=core.permissions,
            modals=modals,
            replies=core.replies,
        ),
        forms=forms,
        jobs=jobs,
        windows=windows,
        picker=CasePicker(book, parts.orgs, parts.tasks),
    )


def _start_on_insights(parts: Parts, attaching: AttachFormListeners, owner: str) -> None:
    jobs, forms, windows = attaching.jobs, attaching.forms, attaching.windows
    parts.workers.employ("attach worker", AttachWorker(jobs, forms, parts.orgs, windows, parts.timing, owner=owner))


def _start_on_alerts(parts: Parts, alerts: AlertRoom) -> None:
    workers = parts.workers
    workers.employ("alert router", alerts.router)
    workers.employ("automatic starts", alerts.starts)
    workers.employ("mutes", alerts.mutes)
    workers.repeat("mutes that end", alerts.cycles.end_mutes, every=MUTES_END_WITHIN)
    secret = parts.settings.bits_webhook_secret
    if secret is None:
        logger.info("Datadog's webhook is off: BITS_WEBHOOK_SECRET is not set, so its address answers 404")
    key = secret.get_secret_value() if secret else ""
    webhook = DatadogWebhook(key, find_org=parts.orgs.entry, take=alerts.intake.take)
    parts.server.serve(webhook.routes())


def org_book_of(settings: Settings, database: Database, encryption: Encryption | None) -> OrgRepository:
    def client_of(site: Site, api_key: str, app_key: str) -> Datadog:
        return Datadog(settings.dd_api_url or site.api_url, api_key, app_key, app_url=site.app_url)

    return OrgRepository(database, encryption, client_of, default=_org_of_settings(settings, client_of))


def _org_of_settings(settings: Settings, client_of: ClientOf) -> tuple[OrgEntry, ConnectedOrg] | None:
    if settings.dd_api_key is None or settings.dd_app_key is None:
        return None
    keys = settings.dd_api_key.get_secret_value(), settings.dd_app_key.get_secret_value()
    entry = OrgEntry(DEFAULT, "", DEFAULT, settings.site, api_key_end=keys[0][-4:], app_key_end=keys[1][-4:])
    return entry, ConnectedOrg.on(DEFAULT, client_of(settings.site, *keys), entry.app_url)
