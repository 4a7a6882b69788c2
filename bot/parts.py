"""The composition root: the only place where the parts are wired together."""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial

from aiohttp import ClientSession

from bot.alerts.book import ALERT_CARD, CycleBook
from bot.alerts.messages import NUDGE
from bot.alerts.room import AlertRoom, forget_alerts
from bot.cases.acts import Acts, ActWorker
from bot.cases.book import CASE_CARD, CaseBook
from bot.cases.catalog import Catalogs
from bot.cases.creation import CaseMaker
from bot.cases.orders import Orders
from bot.cases.picker import CasePicker
from bot.cases.shelf import Shelf
from bot.cases.submits import ATTACHED, Submits
from bot.cases.submits import forget_workspace as forget_insights
from bot.cases.submitter import Submitter
from bot.config import Settings
from bot.datadog.client import Datadog
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.sites import Site
from bot.doors import StartError
from bot.investigations.audit import AuditTrail
from bot.investigations.automatic import Automatic
from bot.investigations.budget import Accounts
from bot.investigations.desk import Desk
from bot.investigations.farewell import forget_workspace
from bot.investigations.finder import Finder
from bot.investigations.ledger import CARD, CONCLUSIONS, Ledger
from bot.investigations.loops import Tasks
from bot.investigations.mine import Mine
from bot.investigations.org_book import ClientOf, OrgBook
from bot.investigations.org_choice import OrgChooser
from bot.investigations.org_entries import DEFAULT, OrgEntry
from bot.investigations.rule_book import RuleBook, forget_rules
from bot.investigations.rule_file import RuleFile, RuleFileProblems, load_rule_file
from bot.investigations.runner import Runner
from bot.investigations.sightings import Sightings
from bot.investigations.standing import Standings
from bot.investigations.tidying import Tidying
from bot.investigations.timing import Timing
from bot.investigations.watcher import Watcher
from bot.slack.alert_front import AlertCards, MuteTeller, Nudges
from bot.slack.attach_screen import AttachScreen
from bot.slack.attached_line import AttachedLines
from bot.slack.attaching import Attaching
from bot.slack.case_front import CaseCards, CaseFront
from bot.slack.channel_names import channel_ids
from bot.slack.connecting import Connecting
from bot.slack.gate import Gate
from bot.slack.homes import Homes, HomeSources
from bot.slack.lifecycle import Lifecycle
from bot.slack.org_questions import OrgQuestions
from bot.slack.people import People
from bot.slack.poster import Kind, Poster
from bot.slack.refusing import Refusing
from bot.slack.rendering import Cards, Conclusions
from bot.slack.services import CaseServices, Services
from bot.slack.threads import ThreadReader
from bot.slack.voice import Voice
from bot.slack.which_org import WhichOrg
from bot.slack.workspaces import Home, SingleWorkspace
from bot.storage.encryption import Vault
from bot.storage.engine import Database
from bot.storage.leases import new_owner
from bot.storage.outbox import Outbox
from bot.web.datadog_webhook import DatadogWebhook
from bot.web.server import Server
from bot.works import Works

logger = logging.getLogger(__name__)

AN_HOUR = 3_600.0
ORGS_LEARNT_WITHIN = 15.0  # what other replicas connect or disconnect; only links wait for it


@dataclass(frozen=True, slots=True)
class Parts:
    """What everything else is built from."""

    settings: Settings
    database: Database
    orgs: OrgBook
    timing: Timing
    works: Works
    tasks: Tasks
    server: Server


@dataclass(frozen=True, slots=True)
class _Core:
    """What nearly every part leans on."""

    home: Home
    owner: str  # this process, where work is claimed
    ledger: Ledger
    rules: RuleBook
    accounts: Accounts
    desk: Desk
    voice: Voice
    people: People
    gate: Gate
    chooser: OrgChooser
    questions: OrgQuestions
    which_org: WhichOrg
    refusing: Refusing
    sightings: Sightings
    outbox: Outbox


async def assemble(parts: Parts, home: Home, session: ClientSession, lifecycle: Lifecycle | None) -> Services:
    parts.works.farewells.append(partial(forget_workspace, parts.database))  # the first to be said
    core = await _core(parts, home, session)
    threads = ThreadReader(home, core.sightings)
    cases = _case_services(parts, core)
    attaching = _attaching(parts, core, cases.book)
    automatic = Automatic(core.desk, core.rules)
    alerts = _alert_room(parts, core, automatic)
    standings = Standings(parts.database)
    homes = _homes(parts, core, cases.book, standings)
    await _start_on_investigations(parts, core, threads, _kinds(parts, core, cases, attaching, alerts))
    await _start_on_cases(parts, cases, core.owner)
    await _start_on_insights(parts, attaching, core.owner)
    await _start_on_alerts(parts, alerts)
    _start_on_chores(parts, core, homes)
    return Services(
        desk=core.desk,
        ledger=core.ledger,
        orgs=parts.orgs,
        voice=core.voice,
        workspaces=home,
        tasks=parts.tasks,
        sightings=core.sightings,
        threads=threads,
        cases=cases,
        app_url=parts.orgs.app_url,
        keep_watching=parts.works.wake,
        attaching=attaching,
        alerts=alerts,
        rules=core.rules,
        gate=core.gate,
        people=core.people,
        refusing=core.refusing,
        org_book=parts.orgs,
        which_org=core.which_org,
        org_questions=core.questions,
        connecting=Connecting(parts.orgs, core.ledger, core.people, parts.works.wake),
        homes=homes,
        accounts=core.accounts,
        trail=AuditTrail(parts.database),
        standings=standings,
        automatic=automatic,
        lifecycle=lifecycle,
    )


async def _core(parts: Parts, home: Home, session: ClientSession) -> _Core:
    database, timing, owner = parts.database, parts.timing, new_owner()
    ledger = Ledger(database, deadline=timing.deadline)
    rules = await _rule_book(parts, home)
    accounts = Accounts(database, rules)
    voice, people = Voice(ledger, home, session), People(home)
    gate = Gate(people, rules)
    chooser = OrgChooser(parts.orgs, rules, CycleBook(database).org_of_card)
    questions = OrgQuestions(database)
    which_org = WhichOrg(chooser, questions, voice)
    return _Core(
        home=home,
        owner=owner,
        ledger=ledger,
        rules=rules,
        accounts=accounts,
        desk=Desk(ledger, parts.works.wake, accounts),
        voice=voice,
        people=people,
        gate=gate,
        chooser=chooser,
        questions=questions,
        which_org=which_org,
        refusing=Refusing(gate, rules, voice, which_org),
        sightings=Sightings(database),
        outbox=Outbox(database, owner=owner, lease=timing.lease),
    )


def _kinds(parts: Parts, core: _Core, cases: CaseServices, attaching: Attaching, alerts: AlertRoom) -> dict[str, Kind]:
    """Everything the poster can be asked to post."""
    app_url = parts.orgs.app_url
    return {
        CARD: Cards(core.ledger, core.voice, app_url),
        CONCLUSIONS: Conclusions(core.ledger, core.outbox, app_url, core.rules),
        CASE_CARD: CaseCards(cases.book, core.outbox, core.voice, app_url),
        ATTACHED: AttachedLines(attaching.submits, core.voice, app_url),
        ALERT_CARD: AlertCards(alerts.book, app_url),
        NUDGE: Nudges(alerts.messages, core.sightings),
    }


async def _start_on_investigations(parts: Parts, core: _Core, threads: ThreadReader, kinds: dict[str, Kind]) -> None:
    timing, works = parts.timing, parts.works
    finder = Finder(
        core.desk,
        core.ledger,
        parts.orgs,
        threads,
        core.voice,
        timing,
        owner=core.owner,
        refused=core.refusing.tell,
        choose_org=core.chooser.choose,
    )
    runner = Runner(core.ledger, parts.orgs, timing, owner=core.owner, wake=works.wake)
    watcher = Watcher(core.ledger, parts.orgs, timing, wake=works.wake)
    poster = Poster(core.outbox, core.home, kinds, timing, wake=works.wake)
    if parts.database.is_sqlite:
        await asyncio.gather(finder.recover(), runner.recover(), poster.recover())
    works.employ("finder", finder, every=timing.sweep)
    works.employ("runner", runner, every=timing.sweep)
    works.employ("watcher", watcher, every=min(timing.sweep, timing.poll))
    works.employ("poster", poster, every=timing.sweep)


def _start_on_chores(parts: Parts, core: _Core, homes: Homes) -> None:
    works = parts.works
    works.repeat("organisations", parts.orgs.step, every=ORGS_LEARNT_WITHIN)
    works.repeat("tidying", Tidying(parts.database).step, every=AN_HOUR)
    works.repeat("homes", homes.step, every=AN_HOUR)  # they are drawn when something changes
    works.closers.append(core.people.close)
    works.farewells += [parts.orgs.forget_workspace, partial(forget_rules, parts.database)]


def _homes(parts: Parts, core: _Core, book: CaseBook, standings: Standings) -> Homes:
    sources = HomeSources(
        mine=Mine(parts.database),
        cases=book,
        orgs=parts.orgs,
        rules=core.rules,
        gate=core.gate,
        accounts=core.accounts,
        standings=standings,
    )
    return Homes(parts.database, core.home, sources)


def _alert_room(parts: Parts, core: _Core, automatic: Automatic) -> AlertRoom:
    return AlertRoom.on(
        parts.database,
        parts.timing,
        rules=core.rules,
        chooser=core.chooser,
        automatic=automatic,
        desk=core.desk,
        orgs=parts.orgs,
        sightings=core.sightings,
        teller=MuteTeller(core.voice),
        owner=core.owner,
        wake=parts.works.wake,
    )


async def _rule_book(parts: Parts, workspace: Home) -> RuleBook:
    path = parts.settings.bits_channels_file
    if path is None:
        return RuleBook(parts.database)
    speaker = await workspace.speaker("") if isinstance(workspace, SingleWorkspace) else None
    try:
        file = load_rule_file(path)
        await _check_orgs(parts, file, speaker.workspace if speaker else "")
        ids = await channel_ids(speaker, file)
    except RuleFileProblems as error:
        problems = "".join(f"\n    {problem}" for problem in error.problems)
        raise StartError(f"the rules in BITS_CHANNELS_FILE can't be used.{problems}") from error
    return RuleBook(parts.database, file, home=speaker.workspace if speaker else "", ids=ids)


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
    book = CaseBook(parts.database, catalogs.known)
    parts.works.farewells.append(book.forget_workspace)
    front = CaseFront(book, core.home, core.voice, parts.orgs.app_url)
    orders, acts = Orders(parts.database, book), Acts(parts.database, book)
    return CaseServices(book=book, orders=orders, acts=acts, catalogs=catalogs, orgs=parts.orgs, front=front)


async def _start_on_cases(parts: Parts, cases: CaseServices, owner: str) -> None:
    timing, front = parts.timing, cases.front
    maker = CaseMaker(
        cases.orders, cases.book, parts.orgs, cases.catalogs, front, timing, owner=owner, wake=parts.works.wake
    )
    worker = ActWorker(cases.acts, parts.orgs, front, timing, owner=owner, wake=parts.works.wake)
    if parts.database.is_sqlite:
        await asyncio.gather(maker.recover(), worker.recover())
    parts.works.employ("case maker", maker, every=timing.sweep)
    parts.works.employ("case acts", worker, every=timing.sweep)


def _attaching(parts: Parts, core: _Core, book: CaseBook) -> Attaching:
    shelf, submits = Shelf(parts.database), Submits(parts.database, book)
    parts.works.farewells.append(partial(forget_insights, parts.database))
    return Attaching(
        shelf=shelf,
        submits=submits,
        picker=CasePicker(book, parts.orgs, parts.tasks),
        book=book,
        screen=AttachScreen(shelf, submits, core.home, core.voice, parts.orgs.app_url),
        orgs=parts.orgs,
        workspaces=core.home,
        voice=core.voice,
        tasks=parts.tasks,
        app_url=parts.orgs.app_url,
        wake=parts.works.wake,
        which_org=core.which_org,
        gate=core.gate,
    )


async def _start_on_insights(parts: Parts, attaching: Attaching, owner: str) -> None:
    timing, screen = parts.timing, attaching.screen
    submitter = Submitter(
        attaching.submits, attaching.shelf, parts.orgs, screen, timing, owner=owner, wake=parts.works.wake
    )
    if parts.database.is_sqlite:
        await submitter.recover()
    parts.works.employ("insights", submitter, every=timing.sweep)


async def _start_on_alerts(parts: Parts, alerts: AlertRoom) -> None:
    if parts.database.is_sqlite:
        await alerts.recover()
    parts.works.loops.extend(alerts.loops(every=parts.timing.sweep))
    parts.works.closers.extend(alerts.closers())
    parts.works.farewells.append(forget_alerts(parts.database))
    secret = parts.settings.bits_webhook_secret
    if secret is None:
        logger.info("Datadog's webhook is off: BITS_WEBHOOK_SECRET is not set, so its address answers 404")
    webhook = DatadogWebhook(alerts.intake, parts.orgs, secret.get_secret_value() if secret else "")
    parts.server.serve(webhook.routes())


def org_book_of(settings: Settings, database: Database, vault: Vault | None) -> OrgBook:
    def client_of(site: Site, api_key: str, app_key: str) -> Datadog:
        return Datadog(settings.dd_api_url or site.api_url, api_key, app_key, app_url=site.app_url)

    return OrgBook(database, vault, client_of, default=_org_of_settings(settings, client_of))


def _org_of_settings(settings: Settings, client_of: ClientOf) -> tuple[OrgEntry, ConnectedOrg] | None:
    if settings.dd_api_key is None or settings.dd_app_key is None:
        return None
    keys = settings.dd_api_key.get_secret_value(), settings.dd_app_key.get_secret_value()
    entry = OrgEntry(DEFAULT, "", DEFAULT, settings.site, api_key_end=keys[0][-4:], app_key_end=keys[1][-4:])
    return entry, ConnectedOrg.on(DEFAULT, client_of(settings.site, *keys), entry.app_url)
