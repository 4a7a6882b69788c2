"""A pytest plugin that writes down every message and view which the bot shows to somebody in the stories that run."""

import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack import datadog_app
from bot.sandbox.slack.messages import Messages
from bot.sandbox.slack.screens import Screens, View
from bot.sandbox.slack.team import Team
from bot.sandbox.slack.world import Message

FOLDER = "BITS_SURFACES"
_ID = re.compile(r"\b[UWCDGST][A-Z0-9]{4,}\b")


class Recorder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._teams: dict[str, Team] = {}
        self.story = ""

    def message(self, message: Message) -> None:
        if message.author.app_id == datadog_app.APP_ID or not message.author.bot_id:
            return
        shown = message.to_json() | {
            "author": {"name": message.author.name, "app": True},
            "only_me": message.only_for is not None,
        }
        self._write("message", message.author.team_id, messages=[shown])

    def view(self, view: View) -> None:
        self._write(view.surface, view.team_id, view=view.to_json() | {"errors": dict(view.errors)})

    def errors(self, view: View) -> None:
        """Sentences under the fields, which come into a window that stands already."""
        if getattr(view, "errors", None):
            self.view(view)

    def team(self, team: Team) -> None:
        self._teams[team.id] = team  # the newest of that id: each story has a Slack of its own

    def _write(self, kind: str, team_id: str, **shown: Any) -> None:
        look = _look(shown)
        if look in self._seen:
            return
        self._seen.add(look)
        surface = {"kind": kind, "story": self.story, "look": look, "names": self._names(team_id, shown), **shown}
        with self._path.open("a") as file:
            file.write(f"{json.dumps(surface)}\n")

    def _names(self, team_id: str, shown: Any) -> dict[str, dict[str, str]]:
        team = self._teams.get(team_id)
        ids = set(_ID.findall(json.dumps(shown)))
        if team is None:
            return {}
        return {
            "users": {one: user.real_name for one in ids if (user := team.users.get(one))},
            "channels": {one: channel.name for one in ids if (channel := team.channels.get(one))},
            "groups": {one: group.handle for one in ids if (group := team.groups.get(one))},
        }


_VOLATILE = {"ts", "id", "hash", "root_view_id", "previous_view_id", "thread_ts", "edited", "block_id", "bot_profile"}
_CONTENT = {"state", "options", "option_groups", "initial_options", "initial_option", "initial_value"}
_UNSEEN = {"private_metadata", "value", "url", "action_id", "external_id", "metadata"}


def _look(shown: Any) -> str:
    """The same for two surfaces that differ only in times, numbers, references and what stands in the fields."""

    def bare(value: Any) -> Any:
        if isinstance(value, list):
            return [bare(entry) for entry in value]
        if isinstance(value, dict):
            hidden = _VOLATILE | _CONTENT | _UNSEEN
            return {name: bare(entry) for name, entry in value.items() if name not in hidden}
        return value

    text = json.dumps(bare(shown), sort_keys=True)
    return re.sub(r"\b[A-Z0-9]{7,}\b|\d+|[0-9a-f]{8}-[0-9a-f-]{27}", "#", text)


def _after(owner: type, name: str, tell: Callable[[Any, Any], None]) -> Callable[[], None]:
    """Calls `tell(self, result)` after each call of a method; gives back what ends that."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def watched(self: Any, *args: Any, **named: Any) -> Any:
        result = original(self, *args, **named)
        tell(self, result)
        return result

    setattr(owner, name, watched)
    return lambda: setattr(owner, name, original)


def _watch(recorder: Recorder) -> Iterator[Callable[[], None]]:
    yield _after(Team, "__init__", lambda team, _: recorder.team(team))
    yield _after(Messages, "post", lambda _, posted: recorder.message(posted.message))
    yield _after(Messages, "post_ephemeral", lambda _, message: recorder.message(message))
    yield _after(Messages, "edit", lambda _, posted: recorder.message(posted.message))
    for name in ("open", "push", "update", "publish"):
        yield _after(Screens, name, lambda _, view: recorder.view(view))
    yield _after(View, "__setattr__", lambda view, _: recorder.errors(view))


@contextmanager
def watching(recorder: Recorder) -> Iterator[None]:
    """All that the bot shows meanwhile is written down."""
    ends = list(_watch(recorder))
    try:
        yield
    finally:
        for end in reversed(ends):
            end()


class _Plugin:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._watch = watching(recorder)
        self._watch.__enter__()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._recorder.story = item.name

    def pytest_unconfigure(self) -> None:
        self._watch.__exit__(None, None, None)


def pytest_configure(config: pytest.Config) -> None:
    folder = os.environ.get(FOLDER)
    if folder and (hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None)):
        worker = getattr(config, "workerinput", {}).get("workerid", "main")
        config.pluginmanager.register(_Plugin(Recorder(Path(folder) / f"{worker}.jsonl")))
