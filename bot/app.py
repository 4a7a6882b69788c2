"""The composition root: the only place where the parts are wired together, started and stopped."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import manifest
from bot.alerts.book import ALERT_CARD
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
from bot.investigations.audit import AuditTrail
from bot.investigations.automatic import Automatic
from bot.investigations.budget import Accounts
from bot.investigations.desk import Desk
from bot.investigations.farewell import forget_workspace
from bot.investigations.finder import Finder
from bot.investigations.ledger import CARD, CONCLUSIONS, Ledger
from bot.investigations.loops import Loop, Tasks
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
from bot.slack.errors import error_code
from bot.slack.gate import Gate
from bot.slack.homes import Homes, HomeSources
from bot.slack.install_records import InstallRecords
from bot.slack.installations import InstalledWorkspaces
from bot.slack.installing import Installing
from bot.slack.lifecycle import Farewell, Lifecycle
from bot.slack.listeners import register
from bot.slack.org_questions import OrgQuestions
from bot.slack.people import People
from bot.slack.poster import Kind, Poster
from bot.slack.refusing import Refusing
from bot.slack.rendering import Cards, Conclusions
from bot.slack.services import CaseServices, Services
from bot.slack.threads import ThreadReader
from bot.slack.token_rotation import TokenRotation
from bot.slack.views.welcome import welcome
from bot.slack.voice import Voice
from bot.slack.which_org import WhichOrg
from bot.slack.workspaces import Home, SingleWorkspace
from bot.storage.encryption import Vault, VaultError
from bot.storage.engine import Database
from bot.storage.leases import new_owner
from bot.storage.outbox import Outbox
from bot.storage.rekeying import check_secrets
from bot.web.datadog_webhook import DatadogWebhook
from bot.web.oauth import INSTALL, REDIRECT, InstallPages
from bot.web.server import Server
from bot.wording import APP, counted

logger = logging.getLogger(__name__)

SLACK_TIMEOUT = 10
STOP_WITHIN = 15.0
AN_HOUR = 3_600.0
ORGS_LEARNT_WITHIN = 15.0  # what other replicas connect or disconnect; only links wait for it
HOMES_ANYWAY = 3600.0  # they are drawn when something changes
LEFT_BEHIND = 60.0  # how often departures that failed are taken up again


class StartError(Exception):
    """The bot can't start; the message is for the person at the terminal."""


def timing_of(settings: Settings) -> Timing:
    first, usual = settings.bits_poll_first_seconds, settings.bits_poll_seconds
    return Timing(
        settle=settings.bits_settle_seconds,
        sweep=min(2.0, first / 2, usual / 2),
        poll_first=first,
        poll=usual,
        poll_slow=max(settings.bits_poll_slow_seconds, usual),
        deadline=settings.bits_deadline_minutes * 60,
    )


class Bot:
    def __init__(self, settings: Settings, *, timing: Timing | None = None) -> None:
        self._settings = settings
        self._timing = timing or timing_of(settings)
        self._database = Database(settings.database_url)
        self._vault = _vault_of(settings)
        self._orgs = _org_book(settings, self._database, self._vault)
        self._tasks = Tasks()
        self._loops: list[Loop] = []
        self._closers: list[Callable[[float], Any]] = []
        self._on_uninstall: list[Farewell] = [partial(forget_workspace, self._database)]
        self._lifecycle: Lifecycle | None = None
        self._session: ClientSession | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._server = Server(settings.bits_http_host, settings.bits_http_port, ready=self._problem)
        self._stopping = False

    @property
    def port(self) -> int:
        return self._server.port

    async def start(self) -> None:
        """Everything durable first, the way in last: nothing is accepted that can't be kept."""
        await self._database.open()
        await self._open_secrets()
        self._session = ClientSession(connector=TCPConnector(limit=100), timeout=ClientTimeout(total=SLACK_TIMEOUT))
        home = await self._connect(self._session)
        app = await self._wire(home, self._session)
        for loop in self._loops:
            loop.start()
        await self._open_doors(app)

    async def stop(self) -> None:
        """Take nothing in, finish what is mid-step, hand back the rest."""
        self._stopping = True
        if self._socket is not None:
            await self._socket.close_async()  # type: ignore[no-untyped-call]
        await self._server.stop()
        for loop in self._loops:
            await loop.stop()
        await asyncio.gather(*(close(STOP_WITHIN) for close in [*self._closers, self._tasks.finish]))
        await self._orgs.close()
        if self._session is not None:
            await self._session.close()
        await self._database.close()

    def wake(self) -> None:
        for loop in self._loops:
            loop.wake.set()

    # -- parts --------------------------------------------------------------------------------------------------

    async def _open_secrets(self) -> None:
        """Rather no start than a bot that finds out one by one which of its keys it can't open."""
        if self._vault is None:
            if number := await self._orgs.sealed():
                raise StartError(
                    f"BITS_ENCRYPTION_KEYS is missing: the keys of {counted(number, 'Datadog organisation')} are stored "
                    "sealed with it. Put it back."
                )
        else:
            try:
                await check_secrets(self._database, self._vault)
            except VaultError as error:
                raise StartError(str(error)) from error
        await self._orgs.step()

    async def _connect(self, session: ClientSession) -> Home:
        if self._settings.uses_oauth:
            return await self._connect_installed(session)
        return await self._connect_workspace(session)

    async def _connect_workspace(self, session: ClientSession) -> SingleWorkspace:
        token = self._settings.slack_bot_token
        try:
            return await SingleWorkspace.connect(self._client(session, token.get_secret_value() if token else ""))
        except SlackApiError as error:
            code = error_code(error) or "no reason given"
            raise StartError(
                f"Slack does not accept SLACK_BOT_TOKEN ({code}). Install the app to the workspace again and copy "
                "the Bot User OAuth Token from its page at api.slack.com/apps."
            ) from error
        except (OSError, TimeoutError) as error:
            raise StartError(
                f"Slack can't be reached at {self._settings.slack_api_url} ({type(error).__name__}). "
                "Check the network, or SLACK_API_URL."
            ) from error

    async def _connect_installed(self, session: ClientSession) -> InstalledWorkspaces:
        vault = self._vault or Vault([])
        client_id, secret = self._settings.slack_client_id or "", self._settings.slack_client_secret
        client_secret = secret.get_secret_value() if secret else ""
        records, client = InstallRecords(self._database, vault), self._client(session, token=None)
        rotation = TokenRotation(records, client, client_id=client_id, client_secret=client_secret, owner=new_owner())
        self._closers.append(rotation.close)
        workspaces = InstalledWorkspaces(records, rotation, client)
        public_url, scopes = self._settings.bits_public_url or "", manifest.scopes()
        installing = Installing(
            self._database,
            records,
            workspaces,
            self._tasks,
            client_id=client_id,
            client_secret=client_secret,
            scopes=(*scopes.required, *scopes.optional),
            redirect_uri=f"{public_url}{REDIRECT}",
            welcome=welcome(has_org=self._settings.dd_api_key is not None),
        )
        self._server.serve(InstallPages(installing, public_url).routes())
        self._follow_departures(records, workspaces, installing)
        return workspaces

    def _follow_departures(
        self, records: InstallRecords, workspaces: InstalledWorkspaces, installing: Installing
    ) -> None:
        self._lifecycle = Lifecycle(
            self._database,
            records,
            workspaces,
            on_uninstall=self._on_uninstall,
            welcome=installing.welcome,
            tasks=self._tasks,
            wake=self.wake,
        )
        self._loops.append(Loop("departures", self._lifecycle.step, every=LEFT_BEHIND))

    def _client(self, session: ClientSession, token: str | None) -> AsyncWebClient:
        """Never repeats a call by itself: what may be repeated, and when, is the callers' to know."""
        return AsyncWebClient(
            token=token,
            base_url=self._settings.slack_api_url,
            session=session,
            timeout=SLACK_TIMEOUT,
            retry_handlers=[],
        )

    async def _wire(self, workspace: Home, session: ClientSession) -> AsyncApp:
        timing, owner = self._timing, new_owner()
        ledger = Ledger(self._database, deadline=timing.deadline)
        rules = await self._rule_book(workspace)
        accounts = Accounts(self._database, rules)
        desk = Desk(ledger, self.wake, accounts)
        voice = Voice(ledger, workspace, session)
        people = People(workspace)
        gate = Gate(people, rules)
        chooser, questions = OrgChooser(self._orgs, rules), OrgQuestions(self._database)
        which_org = WhichOrg(chooser, questions, voice)
        refusing = Refusing(gate, rules, voice, which_org)
        sightings = Sightings(self._database)
        threads = ThreadReader(workspace, sightings)
        outbox = Outbox(self._database, owner=owner, lease=timing.lease)
        finder = Finder(
            desk,
            ledger,
            self._orgs,
            threads,
            voice,
            timing,
            owner=owner,
            refused=refusing.tell,
            choose_org=chooser.choose,
        )
        runner = Runner(ledger, self._orgs, timing, owner=owner, wake=self.wake)
        watcher = Watcher(ledger, self._orgs, timing, wake=self.wake)
        kinds: dict[str, Kind] = {
            CARD: Cards(ledger, voice, self._orgs.app_url),
            CONCLUSIONS: Conclusions(ledger, outbox, self._orgs.app_url, rules),
        }
        cases = self._case_services(workspace, voice)
        kinds[CASE_CARD] = CaseCards(cases.book, outbox, voice, self._orgs.app_url)
        attaching = self._attaching(workspace, voice, cases.book, which_org, gate)
        kinds[ATTACHED] = AttachedLines(attaching.submits, voice, self._orgs.app_url)
        automatic = Automatic(desk, rules, chooser.choose)
        alerts = AlertRoom.on(
            self._database,
            timing,
            rules=rules,
            automatic=automatic,
            desk=desk,
            orgs=self._orgs,
            sightings=sightings,
            teller=MuteTeller(voice),
            owner=owner,
            wake=self.wake,
        )
        kinds[ALERT_CARD] = AlertCards(alerts.book, self._orgs.app_url)
        kinds[NUDGE] = Nudges(alerts.messages, sightings)
        poster = Poster(outbox, workspace, kinds, timing, wake=self.wake)
        if self._database.is_sqlite:
            await asyncio.gather(finder.recover(), runner.recover(), poster.recover())
        for part, name in ((finder, "finder"), (runner, "runner"), (watcher, "watcher"), (poster, "poster")):
            every = min(timing.sweep, timing.poll) if part is watcher else timing.sweep
            self._loops.append(Loop(name, part.step, every=every))
            self._closers.append(part.close)
        self._loops.append(Loop("organisations", self._orgs.step, every=ORGS_LEARNT_WITHIN))
        self._on_uninstall.append(self._orgs.forget_workspace)
        trail, standings = AuditTrail(self._database), Standings(self._database)
        self._loops.append(Loop("tidying", Tidying(self._database).step, every=AN_HOUR))
        self._closers.append(people.close)
        self._on_uninstall.append(partial(forget_rules, self._database))
        await self._start_on_cases(cases, owner)
        await self._start_on_insights(attaching, owner)
        await self._start_on_alerts(alerts)
        homes = Homes(
            self._database,
            workspace,
            HomeSources(
                mine=Mine(self._database),
                cases=cases.book,
                orgs=self._orgs,
                rules=rules,
                gate=gate,
                accounts=accounts,
                standings=standings,
            ),
        )
        self._loops.append(Loop("homes", homes.step, every=HOMES_ANYWAY))
        services = Services(
            desk=desk,
            ledger=ledger,
            orgs=self._orgs,
            voice=voice,
            workspaces=workspace,
            tasks=self._tasks,
            sightings=sightings,
            threads=threads,
            cases=cases,
            app_url=self._orgs.app_url,
            keep_watching=self.wake,
            attaching=attaching,
            alerts=alerts,
            rules=rules,
            gate=gate,
            people=people,
            refusing=refusing,
            org_book=self._orgs,
            which_org=which_org,
            org_questions=questions,
            connecting=Connecting(self._orgs, ledger, people, self.wake),
            homes=homes,
            accounts=accounts,
            trail=trail,
            standings=standings,
            automatic=automatic,
            lifecycle=self._lifecycle,
        )
        return self._slack_app(workspace, services, self._client(session, token=None))

    async def _rule_book(self, workspace: Home) -> RuleBook:
        path = self._settings.bits_channels_file
        if path is None:
            return RuleBook(self._database)
        speaker = await workspace.speaker("") if isinstance(workspace, SingleWorkspace) else None
        try:
            file = load_rule_file(path)
            await self._check_orgs(file, speaker.workspace if speaker else "")
            ids = await channel_ids(speaker, file)
        except RuleFileProblems as error:
            problems = "".join(f"\n    {problem}" for problem in error.problems)
            raise StartError(f"the rules in BITS_CHANNELS_FILE can't be used.{problems}") from error
        return RuleBook(self._database, file, home=speaker.workspace if speaker else "", ids=ids)

    async def _check_orgs(self, file: RuleFile, home: str) -> None:
        named = {(entry.workspace or home, entry.org) for entry in file.channels if entry.org}
        unknown = sorted({org for workspace, org in named if await self._orgs.named(workspace, org) is None})
        problems = [f"{file.name}: no Datadog organisation {org} is connected." for org in unknown]
        if problems and not self._orgs.can_connect:
            raise RuleFileProblems(problems)
        for problem in problems:
            logger.warning("%s It can be connected in Slack.", problem)

    def _case_services(self, workspace: Home, voice: Voice) -> CaseServices:
        catalogs = Catalogs(self._orgs, self._tasks)
        book = CaseBook(self._database, catalogs.known)
        self._on_uninstall.append(book.forget_workspace)
        front = CaseFront(book, workspace, voice, self._orgs.app_url)
        orders, acts = Orders(self._database, book), Acts(self._database, book)
        return CaseServices(book=book, orders=orders, acts=acts, catalogs=catalogs, orgs=self._orgs, front=front)

    async def _start_on_cases(self, cases: CaseServices, owner: str) -> None:
        timing, front = self._timing, cases.front
        maker = CaseMaker(
            cases.orders, cases.book, self._orgs, cases.catalogs, front, timing, owner=owner, wake=self.wake
        )
        worker = ActWorker(cases.acts, self._orgs, front, timing, owner=owner, wake=self.wake)
        if self._database.is_sqlite:
            await asyncio.gather(maker.recover(), worker.recover())
        for part, name in ((maker, "case maker"), (worker, "case acts")):
            self._loops.append(Loop(name, part.step, every=timing.sweep))
            self._closers.append(part.close)

    def _attaching(self, workspace: Home, voice: Voice, book: CaseBook, which_org: WhichOrg, gate: Gate) -> Attaching:
        shelf, submits = Shelf(self._database), Submits(self._database, book)
        self._on_uninstall.append(partial(forget_insights, self._database))
        return Attaching(
            shelf=shelf,
            submits=submits,
            picker=CasePicker(book, self._orgs, self._tasks),
            book=book,
            screen=AttachScreen(shelf, submits, workspace, voice, self._orgs.app_url),
            orgs=self._orgs,
            workspaces=workspace,
            voice=voice,
            tasks=self._tasks,
            app_url=self._orgs.app_url,
            wake=self.wake,
            which_org=which_org,
            gate=gate,
        )

    async def _start_on_insights(self, attaching: Attaching, owner: str) -> None:
        timing, screen = self._timing, attaching.screen
        submitter = Submitter(
            attaching.submits, attaching.shelf, self._orgs, screen, timing, owner=owner, wake=self.wake
        )
        if self._database.is_sqlite:
            await submitter.recover()
        self._loops.append(Loop("insights", submitter.step, every=timing.sweep))
        self._closers.append(submitter.close)

    async def _start_on_alerts(self, alerts: AlertRoom) -> None:
        if self._database.is_sqlite:
            await alerts.recover()
        self._loops.extend(alerts.loops(every=self._timing.sweep))
        self._closers.extend(alerts.closers())
        self._on_uninstall.append(forget_alerts(self._database))
        secret = self._settings.bits_webhook_secret
        if secret is None:
            logger.info("Datadog's webhook is off: BITS_WEBHOOK_SECRET is not set, so its address answers 404")
        secrets = {DEFAULT: secret.get_secret_value()} if secret else {}
        self._server.serve(DatadogWebhook(alerts.intake, secrets).routes())

    def _slack_app(self, workspace: Home, services: Services, client: AsyncWebClient) -> AsyncApp:
        secret = self._settings.slack_signing_secret

        # Bolt passes what it finds among the names of a plain function
        async def authorize(context: Any, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
            return await workspace.authorize(context=context, enterprise_id=enterprise_id, team_id=team_id)

        # in Socket Mode nothing is signed; the placeholder never meets a request
        app = AsyncApp(
            client=client,
            signing_secret=secret.get_secret_value() if secret else new_owner(),
            authorize=authorize,  # type: ignore[arg-type]  # its types don't know None
            user_facing_authorize_error_message=self._not_installed,
        )
        # its INFO lines hold signatures and whole bodies
        logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.WARNING)
        register(app, services)
        return app

    @property
    def _not_installed(self) -> str:
        where = f": {self._settings.bits_public_url}{INSTALL}" if self._settings.bits_public_url else "."
        return f"{APP} is not installed here any more, so nothing was done. Ask an admin to install it again{where}"

    async def _open_doors(self, app: AsyncApp) -> None:
        if self._settings.slack_mode == "http":
            self._server.serve_slack(app)
        try:
            await self._server.start()
        except OSError as error:
            raise StartError(
                f"Port {self._settings.bits_http_port} on {self._settings.bits_http_host} can't be used "
                f"({error.strerror}). Stop what uses it, or set BITS_HTTP_PORT."
            ) from error
        if token := self._settings.slack_app_token:
            self._socket = AsyncSocketModeHandler(app, token.get_secret_value())
            await self._connect_socket(self._socket)

    async def _connect_socket(self, socket: AsyncSocketModeHandler) -> None:
        try:
            # asked for here, because the client's own connect() would try a wrong token for ever
            socket.client.wss_uri = await socket.client.issue_new_wss_url()
            await socket.connect_async()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            with suppress(Exception):
                await socket.close_async()  # type: ignore[no-untyped-call]
            code = error_code(error) or "no reason given"
            raise StartError(
                f"Slack does not accept SLACK_APP_TOKEN ({code}). It is the App-Level Token with connections:write, "
                "under Basic Information on the app's page at api.slack.com/apps; Socket Mode must be on."
            ) from error

    async def _problem(self) -> str:
        if self._stopping:
            return "stopping"
        try:
            await self._database.ping()
        except Exception as error:  # noqa: BLE001  any reason means: not ready
            return f"the database does not answer ({type(error).__name__})"
        if self._socket is not None and not await self._socket.client.is_connected():
            return "no connection to Slack"
        return ""


def _vault_of(settings: Settings) -> Vault | None:
    keys = [key.get_secret_value() for key in settings.encryption_keys]
    return Vault(keys) if keys else None


def _org_book(settings: Settings, database: Database, vault: Vault | None) -> OrgBook:
    def client_of(site: Site, api_key: str, app_key: str) -> Datadog:
        return Datadog(settings.dd_api_url or site.api_url, api_key, app_key, app_url=site.app_url)

    return OrgBook(database, vault, client_of, default=_org_of_settings(settings, client_of))


def _org_of_settings(settings: Settings, client_of: ClientOf) -> tuple[OrgEntry, ConnectedOrg] | None:
    if settings.dd_api_key is None or settings.dd_app_key is None:
        return None
    keys = settings.dd_api_key.get_secret_value(), settings.dd_app_key.get_secret_value()
    entry = OrgEntry(DEFAULT, "", DEFAULT, settings.site, api_key_end=keys[0][-4:], app_key_end=keys[1][-4:])
    return entry, ConnectedOrg.on(DEFAULT, client_of(settings.site, *keys), entry.app_url)
