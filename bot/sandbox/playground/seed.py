"""The one story the playground opens with: a shop whose checkout is slow, its people, channels, monitors, cases and past runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.datadog import FakeConclusion, FakeMonitor, FakeProject, FakeUser, Script, samples
from bot.sandbox.playground import conclusions
from bot.sandbox.playground.conclusions import OUTCOMES, Finding, outcome_named
from bot.sandbox.playground.environment import Environment
from bot.sandbox.slack import Channel, Message, Person
from bot.sandbox.slack.payloads import as_rich_text, typed
from bot.sandbox.slack.world import Author

HOUR = 3600.0
DAY = 24 * HOUR
USUAL_SECONDS = 6.0
_PENDING = 0.25  # the part of a run during which it only waits


@dataclass(frozen=True, slots=True)
class Values:
    """What a monitor measures in each state, in its own unit."""

    alert: str
    warn: str
    ok: str
    threshold: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be fired, in words."""

    id: str
    name: str
    description: str
    type: str
    monitor: str
    query: str
    message: str
    tags: tuple[str, ...]
    priority: int
    group: str
    values: Values
    finding: Finding


KINDS = (
    Kind(
        "metric",
        "Metric monitor",
        "p95 latency of checkout is above 1.2 s",
        "metric alert",
        "Checkout latency is high",
        "avg(last_5m):p95:trace.http.request{service:checkout} by {env} > 1.2",
        "p95 latency of checkout is above 1.2 s.",
        ("service:checkout", "team:payments"),
        2,
        "env:prod",
        Values("2.4", "1.1", "0.4", "1.2"),
        conclusions.LATENCY,
    ),
    Kind(
        "log",
        "Log monitor",
        "payments-api logs more than 100 errors a minute",
        "log alert",
        "Errors in the logs of payments-api",
        'logs("service:payments-api status:error").index("*").rollup("count").last("1m") > 100',
        "payments-api logs more than 100 errors a minute.",
        ("service:payments-api", "team:payments"),
        1,
        "service:payments-api",
        Values("240", "80", "2", "100"),
        conclusions.LOGS,
    ),
    Kind(
        "apm",
        "APM monitor",
        "more than 5 % of POST /charge fail",
        "query alert",
        "Error rate of payments-api is high",
        "sum(last_10m):100 * sum:trace.http.request.errors{service:payments-api} / "
        "sum:trace.http.request.hits{service:payments-api} > 5",
        "More than 5 % of the requests to payments-api fail.",
        ("service:payments-api", "team:payments"),
        2,
        "resource_name:post_/charge",
        Values("8.4", "3.1", "0.2", "5"),
        conclusions.APM,
    ),
    Kind(
        "synthetics",
        "Synthetic test",
        "the browser test of the sign-in fails",
        "synthetics alert",
        "[Synthetics] Sign in to the shop",
        '"no data".over("check_type:browser").by("location").last(2).count_by_status()',
        "The browser test failed at step 3, Click Sign in, from 3 locations.",
        ("service:web-shop", "team:web"),
        3,
        "location:aws:eu-west-1",
        Values("3", "1", "0", "1"),
        conclusions.SYNTHETICS,
    ),
    Kind(
        "slo",
        "SLO",
        "checkout burns its error budget 6 times too fast",
        "slo alert",
        "Checkout succeeds: error budget burns fast",
        'burn_rate("8f0a6d2c5b1e4a7f9c3d").over("30d").long_window("1h").short_window("5m") > 6',
        "At this rate the error budget of 30 days is used up in 5 days.",
        ("service:checkout", "team:payments"),
        2,
        "",
        Values("6.2", "4.0", "0.4", "6"),
        conclusions.SLO,
    ),
    Kind(
        "composite",
        "Composite monitor",
        "the queue grows and no order is confirmed",
        "composite",
        "Orders are stuck",
        "120000011 && !120000012",
        "The queue of orders grows, and no order was confirmed for five minutes.",
        ("service:orders", "team:orders"),
        1,
        "",
        Values("1", "1", "0", "1"),
        conclusions.COMPOSITE,
    ),
    Kind(
        "disk",
        "Host monitor",
        "the disk of checkout-db-3 is almost full",
        "metric alert",
        "Disk of a database host is almost full",
        "avg(last_5m):avg:system.disk.in_use{role:checkout-db} by {host} > 0.95",
        "The disk of {{host.name}} is fuller than 95 %.",
        ("role:checkout-db", "team:core"),
        2,
        "host:checkout-db-3",
        Values("0.97", "0.91", "0.61", "0.95"),
        conclusions.DISK,
    ),
    Kind(
        "signal",
        "Security signal",
        "deploy-bot signs in from an address nobody knows",
        "event-v2 alert",
        "Security signal: sign-in of deploy-bot from a new address",
        'events("source:security_signals @rule:new-address").rollup("count").last("5m") > 0',
        "deploy-bot signed in from 203.0.113.24, an address nobody knows. "
        "Signal: https://app.datadoghq.com/security?event=AQAAAZoX3kq7c1d2eAAAABBQVpvWDNrcTdjMWQy",
        ("service:identity", "team:security"),
        2,
        "usr.id:deploy-bot",
        Values("14", "1", "0", "0"),
        conclusions.SIGNAL,
    ),
    Kind(
        "errors",
        "Error Tracking",
        "a new error in the shop: CartTotalError",
        "error-tracking alert",
        "New issue in web-shop: CartTotalError",
        'error-tracking("service:web-shop").source("rum").new().rollup("count").last("1h") > 100',
        "CartTotalError: total() of a cart without a currency, 312 times in an hour. Issue: "
        "https://app.datadoghq.com/error-tracking/issue/7d1c2f04-52ab-4e0d-9a55-0242ac110002",
        ("service:web-shop", "team:web"),
        3,
        "issue:CartTotalError",
        Values("312", "60", "0", "100"),
        conclusions.ERRORS,
    ),
)


class Stage:
    """The environment of one playground with everybody and everything in it, before the bot starts."""

    def __init__(self, environment: Environment, manifest: Mapping[str, Any] | None = None) -> None:
        self.environment = environment
        self.manifest: Mapping[str, Any] = manifest or {}
        self.slack, self.datadog = environment.slack, environment.datadog
        self.people: dict[str, Person] = {}
        self.outcome = "conclusive"
        self.seconds = USUAL_SECONDS
        self._outcome_of: dict[Script, str] = {}
        self._add_people()
        self._add_channels()
        self.monitors: dict[str, FakeMonitor] = {kind.id: self._monitor(kind) for kind in KINDS}
        self.alerts_channel = environment.channel
        self._add_cases()
        self._add_past()
        self.plan()

    # -- Slack -----------------------------------------------------------------------------------------------------

    def _add_people(self) -> None:
        self.ana = self._person("ana", "Ana Ruiz")
        self.ben = self._person("ben", "Ben Okafor")
        self.cora = self._person("cora", "Cora Lind", admin=True)
        self.gil = self._person("gil", "Gil Stein", guest=True)
        self.olga = self._person("olga", "Olga Petri (Globex)", stranger=True)

    def _person(self, name: str, real_name: str, **more: bool) -> Person:
        person = self.slack.workspace.add_user(name, **more)
        person.user.real_name = real_name
        self.people[person.id] = person
        return person

    def _add_channels(self) -> None:
        workspace, team = self.slack.workspace, [self.ana, self.ben, self.cora]
        self.environment.channel.members |= {person.id for person in [*team, self.gil]}
        self.payments = workspace.add_channel("payments", members=team)
        self.oncall = workspace.add_channel("oncall-private", members=[self.ana, self.cora], private=True)
        self.shared = workspace.add_channel("acme-globex", members=[*team, self.olga], shared=True)
        self.random = workspace.add_channel("random", members=team, member=False)
        workspace.add_group("payments-oncall", [self.ana, self.ben])
        for person in self.people.values():
            workspace.dm(person.id, self.slack.bot_user_id)
        self._say(self.payments, self.ana, "payments-api 2.14 goes out now.", ago=300)
        self._say(self.payments, self.ben, "Looks good so far. I keep an eye on checkout.", ago=180)
        self._say(self.oncall, self.cora, "Hand-over: quiet night. @ana has the pager until Friday.", ago=7 * HOUR)
        self._say(self.shared, self.olga, "We see timeouts from your checkout now and then, for some minutes.", ago=60)
        self._say(self.random, self.ben, "Lunch?", ago=5 * HOUR)
        self._say(workspace.dm(self.ana.id, self.ben.id), self.ben, "I can take the pager tonight.", ago=4 * HOUR)

    def _say(self, channel: Channel, person: Person, words: str, *, ago: float) -> None:
        text = typed(person, words)
        author = Author(person.id, person.name, team_id=person.user.team_id)
        ts = f"{self.slack.clock() - ago:.6f}"
        channel.messages.append(Message(channel, author, ts, text, as_rich_text(text)))

    # -- Datadog ---------------------------------------------------------------------------------------------------

    def _monitor(self, kind: Kind) -> FakeMonitor:
        return self.datadog.add_monitor(
            kind.monitor,
            type=kind.type,
            query=kind.query,
            message=kind.message.replace("{{host.name}}", kind.group.removeprefix("host:")),
            tags=kind.tags,
            priority=kind.priority,
            groups=[kind.group],
        )

    def _add_cases(self) -> None:
        datadog = self.datadog
        users: dict[str, FakeUser] = {
            name: datadog.add_user(real_name, f"{name}@example.com")
            for name, real_name in (("ana", "Ana Ruiz"), ("ben", "Ben Okafor"), ("cora", "Cora Lind"))
        }
        payments: FakeProject = datadog.add_project("PAY", "Payments")
        platform = datadog.add_project("SRE", "Site reliability")
        self.incident = datadog.add_incident("Card payments refused for half an hour", severity="SEV-2")
        week_ago = datadog.world.clock() - 7 * DAY
        first = datadog.add_case(
            "Checkout was slow after payments-api 2.11",
            payments,
            description="The connection pool was too small. Raised from 10 to 20.",
            priority="P2",
            status_name="Closed",
            assignee=users["ben"],
            closed=week_ago + 5 * HOUR,
        )
        first.created = week_ago
        first.insights["MONITOR", str(self.monitors["metric"].id)] = f"/monitors/{self.monitors['metric'].id}"
        second = datadog.add_case(
            "Renew certificates before they expire",
            platform,
            description="Three certificates of payments end this quarter.",
            priority="P3",
            status_name="In Progress",
            assignee=users["cora"],
        )
        second.created = week_ago + DAY
        datadog.add_case("Alerts for the queue of orders are noisy", platform, priority="P4").created = (
            week_ago + 2 * DAY
        )

    def _add_past(self) -> None:
        """What happened last week, so that people have seen some of it before."""
        now = self.datadog.world.clock()
        for name, days, finding in (
            ("metric", 7.0, conclusions.LATENCY),
            ("disk", 3.0, conclusions.DISK),
            ("log", 1.5, conclusions.LOGS),
        ):
            kind, monitor = _kind(name), self.monitors[name]
            fired = now - days * DAY
            alert = self.datadog.fire(monitor, group=kind.group, at=fired, value=kind.values.alert)
            script = Script.at_once("conclusive", _of_the_past(finding))
            run = self.datadog.investigate_elsewhere(alert.title, monitor=monitor, script=script)
            run.started_at, run.event_id, run.event_ts = fired + 60, alert.event_id, alert.event_ts
            self.datadog.fire(
                monitor, group=kind.group, transition="alert recovery", at=fired + HOUR, value=kind.values.ok
            )
        vague = Script.at_once("inconclusive", samples.NOTHING_CERTAIN)
        self.datadog.investigate_elsewhere("Why are there fewer orders on Sundays?", script=vague).started_at = (
            now - 2 * DAY
        )

    # -- what the next runs come to --------------------------------------------------------------------------------

    def plan(self) -> None:
        """Each monitor's runs end as was chosen, with a conclusion about that monitor."""
        waiting = round(self.seconds * _PENDING, 3)
        states = (("pending", waiting), ("in progress", self.seconds - waiting))
        chosen = outcome_named(self.outcome) or OUTCOMES[0]
        for kind in KINDS:
            self._plan_for(self.monitors[kind.id], chosen.script(kind.finding, states))
        self._plan_for(None, chosen.script(conclusions.GENERAL, states))

    def _plan_for(self, monitor: FakeMonitor | None, script: Script) -> None:
        self._outcome_of[script] = self.outcome
        self.datadog.plan_always(script, monitor=monitor)

    def outcome_of(self, script: Script) -> str:
        return self._outcome_of.get(script, "")

    def kind_of(self, monitor: FakeMonitor) -> Kind | None:
        return next((kind for kind in KINDS if self.monitors[kind.id] is monitor), None)

    def finding_of(self, monitor_id: int | None) -> Finding:
        found = next((kind for kind in KINDS if self.monitors[kind.id].id == monitor_id), None)
        return found.finding if found else conclusions.GENERAL


def _kind(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.id == name)


def _of_the_past(finding: Finding) -> FakeConclusion:
    return finding.others[-1] if len(finding.others) > 1 else finding.cause
