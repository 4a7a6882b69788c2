"""The local Datadog that stories, demos and tests run against: its world, what can be changed and broken in it, and what it saw."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self, TypeVar

from bot.sandbox.datadog import webhooks
from bot.sandbox.datadog.alerts import FakeAlert, FakeMonitor, fire, group_states
from bot.sandbox.datadog.answers import Json
from bot.sandbox.datadog.api.server import Server
from bot.sandbox.datadog.case_model import (
    STANDARD,
    Cell,
    FakeCase,
    FakeCaseType,
    FakeCustomAttribute,
    FakeJira,
    FakeProject,
    FakeView,
)
from bot.sandbox.datadog.faults import Fault, Faults
from bot.sandbox.datadog.investigations import FakeInvestigation, Script
from bot.sandbox.datadog.journal import Journal, Seen
from bot.sandbox.datadog.limits import Limits
from bot.sandbox.datadog.org import FakeIncident, FakeOrg
from bot.sandbox.datadog.samples import FakeConclusion
from bot.sandbox.datadog.users import FakeUser
from bot.sandbox.datadog.webhooks import Delivery
from bot.sandbox.datadog.world import World

T = TypeVar("T")
_QUERY = "avg(last_5m):avg:system.disk.in_use{env:prod} by {host} > 0.95"


class FakeDatadog:
    def __init__(
        self,
        *,
        site: str = "datadoghq.com",
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
    ) -> None:
        self.world = World(site, clock, seed)
        self.faults = Faults()
        self.limits = Limits()
        self.org = self.world.add_org("default", "sandbox-api-key", "sandbox-app-key")
        self._server = Server(self.world, self.faults, self.limits)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        await self._server.start(host, port)

    async def stop(self) -> None:
        await self._server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def app_url(self) -> str:
        return self.org.app_url

    @property
    def api_key(self) -> str:
        return self.org.api_key

    @property
    def app_key(self) -> str:
        return self.org.app_key

    @property
    def journal(self) -> Journal:
        return self.world.journal

    # --- the world ----------------------------------------------------------------------------------------------

    def add_org(self, name: str, api_key: str, app_key: str, subdomain: str = "") -> FakeOrg:
        return self.world.add_org(name, api_key, app_key, subdomain)

    def _org(self, org: FakeOrg | str | None) -> FakeOrg:
        if isinstance(org, str):
            return next(known for known in self.world.orgs if known.name == org)
        return org or self.org

    def add_monitor(
        self,
        name: str,
        *,
        id: int | None = None,  # noqa: A002 - it is what Datadog calls it
        type: str = "query alert",  # noqa: A002
        query: str = _QUERY,
        tags: Iterable[str] = (),
        priority: int | None = None,
        message: str = "",
        groups: Sequence[str] | dict[str, str] = (),
        org: FakeOrg | str | None = None,
    ) -> FakeMonitor:
        home = self._org(org)
        number = id or 120_000_000 + self.world.serial()
        if number in home.monitors:
            raise ValueError(f"monitor {number} is there already")
        now = self.world.clock()
        states = group_states(groups)
        monitor = FakeMonitor(
            number, name, type, query, message, tuple(tags), priority, home.name, home.app_url, now, now, states
        )
        home.monitors[number] = monitor
        return monitor

    def fire(
        self,
        monitor: FakeMonitor,
        *,
        group: str = "",
        transition: str = "alert",
        at: float | None = None,
        value: str = "97.3",
        test: bool = False,
    ) -> FakeAlert:
        """An alert event, now or at the given Unix seconds. A test notification leaves no event behind."""
        ts = self.world.clock() if at is None else at
        serial, new_id = self.world.serial(), self.world.new_id
        alert = fire(monitor, group, transition, ts=ts, serial=serial, new_id=new_id, value=value, test=test)
        if not test:
            self._org(monitor.org).alerts.append(alert)
        return alert

    def add_user(self, name: str, email: str, *, status: str = "Active") -> FakeUser:
        user = FakeUser(self.world.new_id(), name, email, status=status)
        self.org.users[user.id] = user
        return user

    def add_incident(self, title: str, *, severity: str = "SEV-3") -> FakeIncident:
        number = len(self.org.incidents) + 411
        incident = FakeIncident(self.world.new_id(), number, title, self.world.clock(), severity)
        self.org.incidents.append(incident)
        return incident

    def add_on_call_team(self, handle: str) -> None:
        self.org.on_call_teams.add(handle)

    def connect_jira(self, *templates: str) -> FakeJira:
        """A Jira with issue templates of these names."""
        made = {self.world.new_id(): name for name in templates}
        self.org.case_management.jira = FakeJira(self.world.new_id(), templates=made)
        return self.org.case_management.jira

    def connect_service_now(self, instance: str) -> None:
        self.org.case_management.service_now[instance] = self.world.new_id()

    def finish_ticket(self, case: FakeCase, system: str, *, fails: bool = False) -> None:
        """What Datadog was asked to make in another system is there, or came to nothing."""
        jira = self.org.case_management.jira
        if fails:
            case.tickets[system] = {"status": "FAILED"}
        elif system == "jira_issue" and jira is not None:
            jira.last_number += 1
            key = f"OPS-{jira.last_number}"
            made = {"issue_id": f"1{jira.last_number}", "issue_key": key, "project_key": "OPS"}
            case.tickets[system] = {"status": "COMPLETED", "result": made | {"issue_url": f"{jira.url}/browse/{key}"}}
        else:
            made = {"sys_target_link": "https://example.service-now.com/incident.do?sys_id=7"}
            case.tickets[system] = {"status": "COMPLETED", "result": made}
        case.modified = self.world.clock()

    def add_project(self, key: str, name: str = "", *, org: FakeOrg | str | None = None) -> FakeProject:
        project = FakeProject(self.world.new_id(), key, name or key)
        self._org(org).case_management.projects[project.id] = project
        return project

    def add_case(
        self,
        title: str,
        project: FakeProject,
        *,
        type: FakeCaseType = STANDARD,  # noqa: A002
        org: FakeOrg | str | None = None,
        **members: Any,
    ) -> FakeCase:
        """A case somebody else opened; it is no effect of a call."""
        home = self._org(org)
        case_management, now = home.case_management, self.world.clock()
        key, number = case_management.next_key(project), case_management.next_number()
        case = FakeCase(self.world.new_id(), number, key, title, project, type, now, home.owner, **members)
        case_management.cases[case.id] = case
        return case

    def change_case(self, case: FakeCase, **members: Any) -> None:
        """What somebody does to it in Datadog's own app."""
        for name, value in members.items():
            setattr(case, name, value)
        case.modified = self.world.clock()
        self.journal.notify()

    def comment_on(self, case: FakeCase, message: str, author: FakeUser) -> Cell:
        """In Datadog's own app."""
        cell = Cell(self.world.new_id(), message, author, self.world.clock())
        case.comments.append(cell)
        self.change_case(case, modified_by=author)
        return cell

    def add_custom_attribute(
        self,
        key: str,
        name: str,
        type: str = "TEXT",  # noqa: A002
        *options: str,
        is_multi: bool = False,
        of: FakeCaseType = STANDARD,
    ) -> FakeCustomAttribute:
        made = FakeCustomAttribute(self.world.new_id(), of.id, key, name, type, is_multi=is_multi, options=options)
        self.org.case_management.custom_attributes[made.id] = made
        return made

    def add_view(self, name: str, query: str, project: FakeProject) -> FakeView:
        """A search that somebody saved in Datadog."""
        view = FakeView(self.world.new_id(), name, query, project, self.world.clock(), self.org.owner)
        self.org.case_management.views[view.id] = view
        return view

    async def webhook(
        self,
        alert: FakeAlert,
        url: str,
        headers: Mapping[str, str] | None = None,
        template: str | Mapping[str, Json] = webhooks.TEMPLATE,
        *,
        variables: Mapping[str, str] | None = None,
        waits: Sequence[float] = webhooks.AT_ONCE,
        as_form: bool = False,
    ) -> Delivery:
        """Tells the alert to a URL as Datadog does; `waits` are the pauses before each try anew."""
        return await webhooks.deliver(
            alert,
            self._org(alert.monitor.org),
            url,
            headers=headers or {},
            template=template,
            custom=variables or {},
            waits=waits,
            as_form=as_form,
        )

    async def notify(self, alert: FakeAlert, *, waits: Sequence[float] = webhooks.AT_ONCE) -> list[Delivery]:
        """Tells the alert to the webhooks that are set up in its organisation for it."""
        return await webhooks.notify(alert, self._org(alert.monitor.org), waits)

    async def notify_of_case(
        self, case: FakeCase, trigger: str = "STATUS_TRANSITIONED", *, waits: Sequence[float] = webhooks.AT_ONCE
    ) -> list[Delivery]:
        """Tells what has happened to a case to the webhooks that a rule of its project names."""
        org = next(org for org in self.world.orgs if case in org.case_management.cases.values())
        return await webhooks.notify_of_case(case, trigger, org, waits)

    # --- investigations -----------------------------------------------------------------------------------------

    def plan(self, *scripts: Script, monitor: FakeMonitor | None = None) -> None:
        """What the next investigations go through, of this monitor or of any."""
        self.world.plan(scripts, monitor.id if monitor else None)

    def plan_always(self, script: Script, monitor: FakeMonitor | None = None) -> None:
        """What investigations go through once nothing else is planned, of this monitor or of any."""
        if monitor is None:
            self.world.default_script = script
        else:
            self.world.usual_scripts[monitor.id] = script

    def list_oldest_first(self) -> None:
        """Turns the order of the list of investigations, which is documented nowhere."""
        self.world.newest_first = False

    def investigate_elsewhere(
        self,
        title: str,
        *,
        monitor: FakeMonitor | None = None,
        script: Script | None = None,
    ) -> FakeInvestigation:
        """A run somebody started in Datadog's own app."""
        monitor_id = monitor.id if monitor else None
        return self.world.start_investigation(self.org, title, monitor_id=monitor_id, script=script)

    def investigation(self, investigation_id: str) -> FakeInvestigation:
        return next(run for org in self.world.orgs for run in org.investigations if run.id == investigation_id)

    def finish(
        self,
        investigation_id: str,
        status: str = "conclusive",
        conclusions: Iterable[FakeConclusion] | None = None,
    ) -> None:
        """Ends a held run; its script's conclusions are used where none are given."""
        run = self.investigation(investigation_id)
        run.finish(status, run.script.conclusions if conclusions is None else conclusions)

    def forget(self, investigation_id: str) -> None:
        """The run is gone from Datadog, as if deleted."""
        run = self.investigation(investigation_id)
        self._org(run.org).investigations.remove(run)

    def link_to(self, run: FakeInvestigation) -> str:
        return f"{self._org(run.org).app_url}/bits-ai/investigations/{run.id}"

    # --- what goes wrong ----------------------------------------------------------------------------------------

    def break_next(
        self,
        method: str,
        path_pattern: str,
        *,
        times: int = 1,
        skip: int = 0,
        status: int | None = None,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        delay: float | None = None,
        drop: Literal["before", "after"] | None = None,
        hang: bool = False,
        lands_after: float | None = None,
        carried_out: bool | None = None,
        where: Callable[[Seen], bool] | None = None,
    ) -> Fault:
        """The next matching requests (after `skip` of them) go wrong as asked; `*` in the path stands for anything.

        A status or a body is answered without the work being done, unless `carried_out`; `drop` cuts the
        connection before or after the work; `delay` answers late; `hang` holds all of it until `release()`, and
        nothing is done if the sender gives up before; `lands_after` hangs up (after `hang` and `delay`, or when
        the sender is gone) and does the work that many seconds later.
        """
        return self.faults.add(
            Fault(
                method,
                path_pattern,
                times,
                skip,
                status,
                body,
                headers or {},
                delay,
                drop,
                hang,
                lands_after,
                carried_out,
                where,
            )
        )

    def heal(self) -> None:
        """Nothing is broken any more; what hung is let go."""
        self.faults.clear()

    def limit(self, name: str, limit: int, period: int) -> None:
        """At most `limit` requests in each calendar-aligned period, for a bucket's name or a path pattern."""
        self.limits.set(name, limit, period)

    def revoke(self, *scopes: str) -> None:
        self.org.scopes.difference_update(scopes)

    def grant(self, *scopes: str) -> None:
        self.org.scopes.update(scopes)

    def hide_insights(self) -> None:
        """Cases keep their insights to themselves, as the documentation has it and recordings do not."""
        self.org.case_management.show_insights = False

    def spell(self, status: str, spelled: str) -> None:
        """Another spelling for a status, such as `in_progress`."""
        self.world.spelling[status] = spelled

    # --- what it saw --------------------------------------------------------------------------------------------

    def triggers(self) -> list[FakeInvestigation]:
        """The runs started through the API: what the bill is made of."""
        return self.effects("trigger")

    def comments(self) -> list[str]:
        return [cell.message for cell in self.effects("comment")]

    def effects(self, kind: str) -> list[Any]:
        return [effect.subject for effect in self.journal.effects if effect.kind == kind]

    def cases(self) -> list[FakeCase]:
        return list(self.org.case_management.cases.values())

    def asked(self, method: str, path: str) -> list[Seen]:
        return self.journal.asked(method, path)

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 30.0) -> T:  # noqa: ASYNC109
        """Waits until the predicate is true; it is asked anew at each request, effect and answer."""
        return await self.journal.wait_for(predicate, timeout)
