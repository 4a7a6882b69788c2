"""The whole playground as one person sees it, as JSON in sections: the page draws nothing else."""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.datadog import FakeAlert, FakeCase, FakeInvestigation, FakeMonitor
from bot.sandbox.playground.conclusions import OUTCOMES
from bot.sandbox.playground.control import Control
from bot.sandbox.playground.journal import Journal
from bot.sandbox.playground.seed import KINDS, Stage
from bot.sandbox.slack import Channel, Message, Person
from bot.sandbox.slack.mrkdwn import flatten
from bot.sandbox.slack.screens import View
from bot.sandbox.slack.world import User

JSON = dict[str, Any]
MOST_NOTICES = 50
MOST_CALLS = 200
_LONGEST_NOTICE = 300


def snapshot(stage: Stage, journal: Journal, control: Control, person: Person) -> JSON:
    """Every section, to be written out at once: parts of it are Slack's own. Those that did not change are left out by who
    sends it."""
    slack = SlackView(stage, person)
    return {
        "app": app_section(stage),
        "people": [_person(one) for one in stage.people.values()],
        "me": _person(person),
        "names": slack.names(),
        "channels": slack.channels(),
        "messages": slack.messages(),
        "modals": [_view(view) for view in stage.slack.screens.stacks.get(person.id, [])],
        "home": slack.home(),
        "notices": slack.notices(),
        "datadog": datadog_section(stage),
        "faults": control.faults_section(),
        "journal": journal.newest(MOST_CALLS),
    }


def app_section(stage: Stage) -> JSON:
    features = stage.manifest.get("features", {})
    return {
        "name": stage.slack.app.name,
        "app_id": stage.slack.app.id,
        "bot_user_id": stage.slack.bot_user_id,
        "workspace": stage.slack.workspace.name,
        "commands": [
            {name: command.get(name, "") for name in ("command", "usage_hint", "description")}
            for command in features.get("slash_commands", [])
        ],
        "shortcuts": [
            {name: shortcut.get(name, "") for name in ("callback_id", "name", "type", "description")}
            for shortcut in features.get("shortcuts", [])
        ],
    }


def role_of(user: User) -> str:
    if user.stranger:
        return "outside"
    return "guest" if user.guest else "admin" if user.admin else "member"


def _person(person: Person) -> JSON:
    user = person.user
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "role": role_of(user),
        "team_id": user.team_id,
    }


# -- Slack -------------------------------------------------------------------------------------------------------------


class SlackView:
    """Slack's client in front of one person."""

    def __init__(self, stage: Stage, person: Person) -> None:
        self._stage = stage
        self._slack = stage.slack
        self._team = stage.slack.workspace
        self._me = person

    def names(self) -> JSON:
        return {
            "users": {user.id: user.real_name for user in self._team.users.values()},
            "channels": {channel.id: self._name(channel) for channel in self._visible()},
            "groups": {group.id: group.handle for group in self._team.groups.values()},
        }

    def _visible(self) -> Iterator[Channel]:
        """Guests and people of other companies see only where they are members."""
        looks_around = role_of(self._me.user) in ("member", "admin")
        for channel in self._team.channels.values():
            if self._me.id in channel.members or (channel.kind == "public" and looks_around):
                yield channel

    def _name(self, channel: Channel) -> str:
        if channel.kind not in ("im", "mpim"):
            return channel.name
        others = [user_id for user_id in sorted(channel.members) if user_id != self._me.id]
        return ", ".join(self._team.users[one].real_name for one in others if one in self._team.users)

    def channels(self) -> list[JSON]:
        return [
            {
                "id": channel.id,
                "name": self._name(channel),
                "kind": channel.kind,
                "is_member": self._me.id in channel.members,
                "app_is_member": self._slack.bot_user_id in channel.members,
                "archived": channel.archived,
                "shared": channel.shared,
            }
            for channel in self._visible()
        ]

    def messages(self) -> JSON:
        return {channel.id: [self._message(one) for one in self._read_in(channel)] for channel in self._visible()}

    def _read_in(self, channel: Channel) -> list[Message]:
        """Old first; what only somebody else sees is not among them."""
        alone = [one for one in channel.ephemerals if one.only_for == self._me.id and not one.deleted]
        return sorted([*channel.messages, *alone], key=lambda message: float(message.ts))

    def _message(self, message: Message) -> JSON:
        author = message.author
        return message.as_it_stands() | {
            "author": {
                "name": self._author_name(message),
                "app": bool(author.bot_id),
                "user_id": author.user_id,
                "bot_id": author.bot_id,
            },
            "only_me": message.only_for is not None,
            "broadcast": message.broadcast,
            "permalink": self._slack.permalink(message),
            "state": {"values": self._me.entered_in(message)},
        }

    def _author_name(self, message: Message) -> str:
        user = self._team.users.get(message.author.user_id)
        return user.real_name if user else message.author.name

    def home(self) -> JSON | None:
        view = self._slack.screens.homes.get(self._me.id)
        return _view(view) if view else None

    def notices(self) -> list[JSON]:
        """What a lock screen would show: direct messages, mentions, replies in threads this person follows."""
        found = [
            (message, why)
            for channel in self._visible()
            if self._me.id in channel.members
            for message in channel.messages
            if (why := self._why_told(message))
        ]
        newest = sorted(found, key=lambda entry: float(entry[0].ts), reverse=True)[:MOST_NOTICES]
        return [self._notice(message, why) for message, why in newest]

    def _why_told(self, message: Message) -> str:
        if message.author.user_id == self._me.id or message.deleted or message.author.subtype == "tombstone":
            return ""
        if message.channel.kind in ("im", "mpim"):
            return "direct"
        if self._names_me(message):
            return "mention"
        return "thread" if message.thread_ts and self._follows(message) else ""

    def _names_me(self, message: Message) -> bool:
        return not message.names.isdisjoint((self._me.id, "here", "channel", "everyone"))

    def _follows(self, message: Message) -> bool:
        thread = [one for one in message.channel.messages if one.root_ts == message.root_ts and one.ts < message.ts]
        return any(one.author.user_id == self._me.id or self._names_me(one) for one in thread)

    def _notice(self, message: Message, why: str) -> JSON:
        channel = message.channel
        direct = channel.kind in ("im", "mpim")
        words = flatten(message.text, channel.name_of) or message.shown
        return {
            "id": f"{channel.id}/{message.ts}",
            "at": float(message.ts),
            "title": self._author_name(message) if direct else f"{self._author_name(message)} in #{channel.name}",
            "text": words[:_LONGEST_NOTICE],
            "channel": channel.id,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "why": why,
        }


def _view(view: View) -> JSON:
    return view.to_json() | {"errors": dict(view.errors)}


# -- Datadog -----------------------------------------------------------------------------------------------------------


def datadog_section(stage: Stage) -> JSON:
    org, cases = stage.datadog.org, stage.datadog.org.case_management
    return {
        "app_url": org.app_url,
        "monitors": [_monitor(stage, monitor) for monitor in org.monitors.values()],
        "kinds": [{"id": kind.id, "name": kind.name, "description": kind.description} for kind in KINDS],
        "alerts": [_alert(alert) for alert in reversed(org.alerts)],
        "investigations": [_investigation(stage, run) for run in _newest_first(org.investigations)],
        "outcomes": [{"id": outcome.id, "name": outcome.name} for outcome in OUTCOMES],
        "outcome": stage.outcome,
        "speed": stage.seconds,
        "projects": [{"id": one.id, "key": one.key, "name": one.name} for one in cases.projects.values()],
        "cases": [_case(org.app_url, case) for case in reversed(cases.cases.values())],
        "users": [{"id": user.id, "name": user.name} for user in org.users.values()],
        "incidents": [
            {"id": one.id, "title": one.title, "link": f"{org.app_url}/incidents/{one.public_id}"}
            for one in org.incidents
        ],
    }


def _newest_first(runs: list[FakeInvestigation]) -> list[FakeInvestigation]:
    return sorted(runs, key=lambda run: run.started_at, reverse=True)


def _monitor(stage: Stage, monitor: FakeMonitor) -> JSON:
    kind = stage.kind_of(monitor)
    return {
        "id": monitor.id,
        "kind": kind.id if kind else "",
        "name": monitor.name,
        "type": monitor.type,
        "query": monitor.query,
        "threshold": kind.values.threshold if kind else "",
        "priority": monitor.priority,
        "tags": list(monitor.tags),
        "state": monitor.overall_state,
        "groups": {name: state.status for name, state in monitor.groups.items()},
        "link": monitor.link,
    }


def _alert(alert: FakeAlert) -> JSON:
    return {
        "id": alert.event_id,
        "monitor_id": alert.monitor.id,
        "title": alert.title,
        "state": alert.state,
        "transition": alert.transition,
        "group": alert.group,
        "value": alert.value,
        "fired_at": alert.event_ts / 1000,
        "link": alert.link(),
    }


def _investigation(stage: Stage, run: FakeInvestigation) -> JSON:
    now = stage.datadog.world.clock()
    return {
        "id": run.id,
        "title": run.title,
        "status": run.status(now),
        "monitor_id": run.monitor_id,
        "started_at": run.started_at,
        "concluded": run.over(now),
        "conclusions": [
            {"title": one.title, "summary": one.summary, "description": one.description} for one in run.conclusions(now)
        ],
        "outcome_planned": stage.outcome_of(run.script),
        "link": stage.datadog.link_to(run),
    }


def _case(app_url: str, case: FakeCase) -> JSON:
    return {
        "id": case.id,
        "key": case.key,
        "title": case.title,
        "description": case.description,
        "status": case.status_name,
        "status_group": case.status,
        "statuses": [name for group in ("open", "in_progress", "closed") for name in case.type.names(group)],
        "priority": case.priority,
        "type": case.type.name,
        "assignee": case.assignee.name if case.assignee else "",
        "project": case.project.key,
        "insights": [
            {"type": kind, "resource_id": resource, "title": ref} for (kind, resource), ref in case.insights.items()
        ],
        "comments": [{"author": one.author.name, "text": one.message, "at": one.created} for one in case.comments],
        "tickets": [{"kind": kind, **ticket} for kind, ticket in case.tickets.items()],
        "archived": case.archived is not None,
        "link": f"{app_url}/cases/{case.key}",
    }
