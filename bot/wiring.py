"""The composition root: the only place where the parts are wired together."""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot import manifest
from bot.alerts.messages import NudgePost
from bot.alerts.repository import CycleRepository
from bot.alerts.room import AlertRoom, forget_alerts
from bot.alerts.slack import AlertCardPost
from bot.alerts.starts import Automatic
from bot.alerts.tables import ALERT_CARD, NUDGE
from bot.cases.actions import CaseActions, CaseActionWorker
from bot.cases.catalog import Catalogs
from bot.cases.creation import CaseMaker
from bot.cases.posts import CaseCards, CaseFront
from bot.cases.repository import CASE_CARD, CaseRepository
from bot.cases.requests import CaseRequests
from bot.config import Settings
from bot.connections import StartError
from bot.datadog.client import Datadog
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.sites import Site
from bot.home.asked import AskedInvestigations
from bot.home.home_tab import HomeData, HomeTabs
from bot.insights.attach_form_store import AttachFormStore
from bot.insights.attach_jobs import ATTACHED, AttachJobs
from bot.insights.attach_jobs import forget_workspace as forget_insights
from bot.insights.attach_worker import AttachWorker
from bot.insights.open_forms import AttachScreen
from bot.insights.opening_forms import Attaching
from bot.insights.picker import CasePicker
from bot.insights.posts import AttachedLines
from bot.investigations.alert_resolver import AlertResolver
from bot.investigations.health import HealthReader
from bot.investigations.notices import Notices
from bot.investigations.poll_worker import PollWorker
from bot.investigations.posts import Cards, Conclusions
from bot.investigations.refusing import Refusing
from bot.investigations.repository import CARD, CONCLUSIONS, InvestigationRepository
from bot.investigations.requests import Requests
from bot.investigations.seen_alerts import SeenAlerts
from bot.investigations.threads import ThreadReader
from bot.investigations.trigger_worker import TriggerWorker
from bot.orgs.connecting import Connecting
from bot.orgs.model import DEFAULT, OrgEntry
from bot.orgs.questions import OrgQuestions
from bot.orgs.repository import ClientOf, OrgRepository
from bot.retention import forget_workspace
from bot.rules.audit import AuditTrail
from bot.rules.budget import Budget
from bot.rules.channel_names import channel_ids
from bot.rules.file import RuleFile, RuleFileProblems, load_rule_file
from bot.rules.org_choice import OrgChooser
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.rules.which_org import WhichOrg
from bot.services import CaseServices, Services
from bot.slack.clients import SingleWorkspace, WorkspaceClients
from bot.slack.modals import Modals
from bot.slack.people import People
from bot.slack.poster import Kind, Poster
from bot.slack.replies import Replies
from bot.storage.encryption import Encryption
from bot.storage.engine import Database
from bot.storage.leases import new_owner
from bot.storage.outbox import Outbox
from bot.storage.timing import Timing
from bot.storage.workers import Tasks
from bot.tidying import Tidying
from bot.web.datadog_webhook import DatadogWebhook
from bot.web.server import Server
from bot.workers import Workers
from bot.workspaces.build import WorkspaceRoom
from bot.workspaces.build import build as build_workspaces
from bot.workspaces.departures import Departures
from bot.workspaces.token_rotation import OAuthApp

logger = logging.getLogger(__name__)

AN_HOUR = 3_600.0
LEFT_BEHIND = 60.0  # how often departures that failed are taken up again
ORGS_LEARNT_WITHIN = 15.0  # what other replicas connect or disconnect; only links wait for it


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
        wake=parts.workers.wake,
    )
    parts.server.serve(room.pages.routes())
    parts.workers.closers.append(room.rotation.close)
    parts.workers.repeat("departures", room.departures.step, every=LEFT_BEHIND)
    return room


async def assemble(
    parts: Parts, home: WorkspaceClients, session: ClientSession, departures: Departures | None
) -> Services:
    parts.workers.on_uninstall.append(partial(forget_workspace, parts.database))  # the first to be said
    core = await _core(parts, home, session)
    threads = ThreadReader(home, core.seen_alerts)
    cases = _case_services(parts, core)
    attaching = _attaching(parts, core, cases.book)
    automatic = Automatic(core.requests, core.rules)
    alerts = _alert_room(parts, core, automatic)
    health = HealthReader(parts.database)
    home_tabs = _home_tabs(parts, core, cases.book, health)
    await _start_on_investigations(parts, core, threads, _kinds(parts, core, cases, attaching, alerts))
    await _start_on_cases(parts, cases, core.owner)
    await _start_on_insights(parts, attaching, core.owner)
    await _start_on_alerts(parts, alerts)
    _start_on_chores(parts, core, home_tabs)
    return Services(
        requests=core.requests,
        repository=core.repository,
        orgs=parts.orgs,
        replies=core.replies,
        notices=core.notices,
        modals=Modals(home, core.replies),
        workspaces=home,
        tasks=parts.tasks,
        seen_alerts=core.seen_alerts,
        threads=threads,
        cases=cases,
        app_url=parts.orgs.app_url,
        keep_watching=parts.workers.wake,
        attaching=attaching,
        alerts=alerts,
        rules=core.rules,
        permissions=core.permissions,
        people=core.people,
        refusing=core.refusing,
        org_book=parts.orgs,
        which_org=core.which_org,
        org_questions=core.questions,
        connecting=Connecting(parts.orgs, core.repository, core.people, parts.workers.wake),
        home_tabs=home_tabs,
        budget=core.budget,
        trail=AuditTrail(parts.database),
        health=health,
        departures=departures,
    )


async def _core(parts: Parts, home: WorkspaceClients, session: ClientSession) -> _Core:
    database, timing, owner = parts.database, parts.timing, new_owner()
    repository = InvestigationRepository(database, deadline=timing.deadline)
    rules = await _rule_book(parts, home)
    budget = Budget(database, rules)
    replies, people = Replies(home, session), People(home)
    permissions = Permissions(people, rules)
    chooser = OrgChooser(parts.orgs, rules, CycleRepository(database).org_of_card)
    questions = OrgQuestions(database)
    which_org = WhichOrg(chooser, questions, replies)
    return _Core(
        home=home,
        owner=owner,
        repository=repository,
        rules=rules,
        budget=budget,
        requests=Requests(repository, parts.workers.wake, budget),
        replies=replies,
        notices=Notices(repository, replies),
        people=people,
        permissions=permissions,
        chooser=chooser,
        questions=questions,
        which_org=which_org,
        refusing=Refusing(permissions, rules, replies, which_org),
        seen_alerts=SeenAlerts(database),
        outbox=Outbox(database, owner=owner, lease=timing.lease),
    )


def _kinds(parts: Parts, core: _Core, cases: CaseServices, attaching: Attaching, alerts: AlertRoom) -> dict[str, Kind]:
    """Everything the poster can be asked to post."""
    app_url = parts.orgs.app_url
    return {
        CARD: Cards(core.repository, core.notices, app_url),
        CONCLUSIONS: Conclusions(core.repository, core.outbox, app_url, core.rules),
        CASE_CARD: CaseCards(cases.book, core.outbox, core.replies, app_url),
        ATTACHED: AttachedLines(attaching.submits, core.replies, app_url),
        ALERT_CARD: AlertCardPost(alerts.book, app_url),
        NUDGE: NudgePost(alerts.messages, core.seen_alerts),
    }


async def _start_on_investigations(parts: Parts, core: _Core, threads: ThreadReader, kinds: dict[str, Kind]) -> None:
    timing, workers = parts.timing, parts.workers
    finder = AlertResolver(
        core.requests,
        core.repository,
        parts.orgs,
        threads,
        core.notices,
        timing,
        owner=core.owner,
        refused=core.refusing.tell,
        choose_org=core.chooser.choose,
    )
    runner = TriggerWorker(core.repository, parts.orgs, timing, owner=core.owner, wake=workers.wake)
    watcher = PollWorker(core.repository, parts.orgs, timing, wake=workers.wake)
    poster = Poster(core.outbox, core.home, kinds, timing, wake=workers.wake)
    if parts.database.is_sqlite:
        await asyncio.gather(finder.recover(), runner.recover(), poster.recover())
    workers.employ("finder", finder, every=timing.sweep)
    workers.employ("runner", runner, every=timing.sweep)
    workers.employ("watcher", watcher, every=min(timing.sweep, timing.poll))
    workers.employ("poster", poster, every=timing.sweep)


def _start_on_chores(parts: Parts, core: _Core, home_tabs: HomeTabs) -> None:
    workers = parts.workers
    workers.repeat("organisations", parts.orgs.step, every=ORGS_LEARNT_WITHIN)
    workers.repeat("tidying", Tidying(parts.database).step, every=AN_HOUR)
    workers.repeat("homes", home_tabs.step, every=AN_HOUR)  # they are drawn when something changes
    workers.closers.append(core.people.close)
    workers.on_uninstall.append(parts.orgs.forget_workspace)


def _home_tabs(parts: Parts, core: _Core, book: CaseRepository, health: HealthReader) -> HomeTabs:
    sources = HomeData(
        mine=AskedInvestigations(parts.database),
        cases=book,
        orgs=parts.orgs,
        rules=core.rules,
        permissions=core.permissions,
        budget=core.budget,
        health=health,
    )
    return HomeTabs(parts.database, core.home, sources)


def _alert_room(parts: Parts, core: _Core, automatic: Automatic) -> AlertRoom:
    return AlertRoom.on(
        parts.database,
        parts.timing,
        rules=core.rules,
        chooser=core.chooser,
        automatic=automatic,
        requests=core.requests,
        orgs=parts.orgs,
        seen_alerts=core.seen_alerts,
        replies=core.replies,
        owner=core.owner,
        wake=parts.workers.wake,
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


def _case_services(parts: Parts, core: _Core) -> CaseServices:
    catalogs = Catalogs(parts.orgs, parts.tasks)
    book = CaseRepository(parts.database, catalogs.known)
    parts.workers.on_uninstall.append(book.forget_workspace)
    front = CaseFront(book, core.home, core.replies, parts.orgs.app_url)
    orders, acts = CaseRequests(parts.database, book), CaseActions(parts.database, book)
    return CaseServices(book=book, orders=orders, acts=acts, catalogs=catalogs, orgs=parts.orgs, front=front)


async def _start_on_cases(parts: Parts, cases: CaseServices, owner: str) -> None:
    timing, front = parts.timing, cases.front
    maker = CaseMaker(
        cases.orders, cases.book, parts.orgs, cases.catalogs, front, timing, owner=owner, wake=parts.workers.wake
    )
    worker = CaseActionWorker(cases.acts, parts.orgs, front, timing, owner=owner, wake=parts.workers.wake)
    if parts.database.is_sqlite:
        await asyncio.gather(maker.recover(), worker.recover())
    parts.workers.employ("case maker", maker, every=timing.sweep)
    parts.workers.employ("case acts", worker, every=timing.sweep)


def _attaching(parts: Parts, core: _Core, book: CaseRepository) -> Attaching:
    shelf, submits = AttachFormStore(parts.database), AttachJobs(parts.database, book)
    parts.workers.on_uninstall.append(partial(forget_insights, parts.database))
    return Attaching(
        shelf=shelf,
        submits=submits,
        picker=CasePicker(book, parts.orgs, parts.tasks),
        book=book,
        screen=AttachScreen(shelf, submits, core.home, core.replies, parts.orgs.app_url),
        orgs=parts.orgs,
        workspaces=core.home,
        replies=core.replies,
        tasks=parts.tasks,
        app_url=parts.orgs.app_url,
        wake=parts.workers.wake,
        which_org=core.which_org,
        permissions=core.permissions,
    )


async def _start_on_insights(parts: Parts, attaching: Attaching, owner: str) -> None:
    timing, screen = parts.timing, attaching.screen
    submitter = AttachWorker(
        attaching.submits, attaching.shelf, parts.orgs, screen, timing, owner=owner, wake=parts.workers.wake
    )
    if parts.database.is_sqlite:
        await submitter.recover()
    parts.workers.employ("insights", submitter, every=timing.sweep)


async def _start_on_alerts(parts: Parts, alerts: AlertRoom) -> None:
    if parts.database.is_sqlite:
        await alerts.recover()
    parts.workers.loops.extend(alerts.loops(every=parts.timing.sweep))
    parts.workers.closers.extend(alerts.closers())
    parts.workers.on_uninstall.append(forget_alerts(parts.database))
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
