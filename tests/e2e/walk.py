"""A walk past every handler the bot has registered, with whatever a payload can name: rows of every kind, windows, questions."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Row, insert, select

from bot import wiring
from bot.alerts.model import Notice, Transition
from bot.alerts.repository import CycleRepository
from bot.cases.escalation_model import EscalationForm, EscalationKind
from bot.cases.model import CaseSource
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequests
from bot.cases.tables import case_acts, case_escalations
from bot.datadog.cases import Case
from bot.datadog.investigations import Conclusion
from bot.insights.attach_form import AttachForm, AttachFormStore, CaseChoice, Owner
from bot.insights.tables import insight_submits
from bot.investigations import share_view
from bot.investigations.model import State, Verdict
from bot.investigations.requests import INVESTIGATE, Investigate
from bot.investigations.tables import asks, held_asks, investigations, subscribers
from bot.model import AlertRef, Place, Question, Source
from bot.orgs.questions import QUESTION_BLOCK, OrgQuestions
from bot.sandbox.slack.errors import NotAcknowledged
from bot.sandbox.slack.people import Person
from bot.slack.gates import Judged, May, Open
from bot.slack.listeners import Listeners
from bot.storage.engine import Database
from bot.storage.tables import metadata

SECRET = "north-secret"
ALERT = AlertRef(42, "8788641826233093636", 1_700_000_000_000, f"{SECRET} monitor", "host:a")

# What a pattern answers to; a new pattern needs its line here.
_SAMPLES = {
    r".*:open$": ["card:open", "conclusions:open", "alert:open"],
    r"^details:page": ["details:page:next"],
    r"^list:page": ["list:page:older"],
}
_EITHER = re.compile(r"\^\(([\w:|]+)\)\$")


@dataclass(frozen=True)
class Registered:
    kind: str  # action | shortcut | submission | options | command | mention | event
    id: str
    gate: May | Judged | Open


@dataclass
class Registry:
    """Every handler, as the rooms have registered them."""

    handlers: list[Registered] = field(default_factory=list)
    calls: int = 0  # of the methods that register; a pattern is one, whatever it answers to

    def of(self, *kinds: str) -> list[Registered]:
        return [each for each in self.handlers if each.kind in kinds]


REACHED = ContextVar("reached by a listener", default=False)  # also in what goes on after it, and in no worker


def watch_registrations(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()

    class Watched(Listeners):
        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            if name not in ("action", "shortcut", "submission", "options", "command", "mention", "details", "event"):
                return found

            def register(*told: Any) -> None:
                pattern, gate = told[0] if isinstance(told[0], str | re.Pattern) else "", told[-1]
                registry.calls += 1
                registry.handlers += [Registered(name, each, gate) for each in samples(pattern)]
                watched = replace(gate, where=_marked(gate.where)) if isinstance(gate, May) else gate
                found(*(_marked(each) if callable(each) else each for each in told[:-1]), watched)

            return register

    monkeypatch.setattr(wiring, "Listeners", Watched)
    return registry


def _marked(handle: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def marked(*told: Any) -> Any:
        REACHED.set(True)
        return await handle(*told)

    return marked


def samples(pattern: str | re.Pattern[str]) -> list[str]:
    if isinstance(pattern, str):
        return [pattern]
    either = _EITHER.fullmatch(pattern.pattern)
    found = either[1].split("|") if either else _SAMPLES[pattern.pattern]
    assert all(pattern.search(each) for each in found)
    return found


# -- what a payload can name ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """One kind of thing, as a button, a block and a window would name it."""

    kind: str
    value: str = ""
    block_id: str = ""
    metadata: str = ""


async def make_rows(database: Database, place: Place, person: str, org: str) -> list[Named]:
    """A row of every kind in this workspace, none of them due; and how each is named."""
    concluded, expired = [
        await _investigation(database, place, person, org, run, state)
        for run, state in enumerate((State.CONCLUDED, State.EXPIRED), 1)
    ]
    case = await _case(database, place, person, org)
    escalation = await _escalation(database, place, person, case)
    act, job, held = (
        await _act(database, place, person, case),
        await _job(database, place, person, org),
        await _held(database, place, person, org),
    )
    request = await CaseRequests(database, CaseRepository(database, lambda _: None)).draft(
        org, place, person, CaseSource(concluded, ALERT, f"{SECRET} title")
    )
    form = AttachForm(place=place, org=org, case=CaseChoice("uuid-1", "CASEM-1", f"{SECRET} case"))
    draft = await AttachFormStore(database).put(Owner(place.workspace, person), form)
    long_question = INVESTIGATE.record(Investigate(Question(f"{SECRET} {'why ' * 100}"), Source.COMMAND))
    kept = await OrgQuestions(database, lambda: 0.0)._put("gesture:kept", place, person, long_question)
    at = {"channel": place.channel, "thread_ts": place.thread_ts}
    return [
        *(
            Named("investigation", str(each), "", json.dumps({"investigation": each, "page": 0}))
            for each in (concluded, expired)
        ),
        Named("case", str(case), f"case:{case}:0", json.dumps({"case": case, **at})),
        Named("act", str(act)),
        Named("escalation", str(escalation)),
        Named("cycle", str(await _cycle(database, place, org))),
        Named("job", str(job), "", draft),
        Named("request", request.key, "", request.key),
        Named("held", str(held)),
        Named("org", org, "", json.dumps({"replaces": org, **at})),
        Named("question", "", f"{QUESTION_BLOCK}{kept}"),
        Named("channel", place.channel, "", json.dumps([place.channel, 0, 0])),
    ]


async def _one(database: Database, statement: Any) -> Any:
    async with database.transaction() as connection:
        return (await connection.execute(statement)).scalar_one()


_NOW = time.time()  # nothing is so old that it is removed
_IDLE: dict[str, Any] = {"created_at": _NOW, "due_at": _NOW, "owner": None, "attempt": 0}


async def _investigation(database: Database, place: Place, person: str, org: str, run: int, state: State) -> int:
    values = {
        "ref": f"NRTH{run:03}",
        "org": org,
        "subject_key": "alert:42:8788641826233093636",
        "run": run,
        "subject": ALERT,
        "state": state,
        "requested_by": person,
        "monitor_id": 42,
        "datadog_id": f"run-{run}",
        "adopted": False,
        "presumed": False,
        "title": f"{SECRET} title",
        "verdict": Verdict.CONCLUSIVE,
        "conclusions": (Conclusion(f"{SECRET} cause", f"{SECRET} words", ""),),
        **_IDLE,
    }
    number = await _one(database, insert(investigations).values(values).returning(investigations.c.id))
    asked: dict[str, Any] = {
        "workspace": place.workspace,
        "channel": place.channel,
        "thread_ts": place.thread_ts,
        "requester": person,
    }
    asked |= {"investigation_id": number, "source": Source.BUTTON, "created_at": _NOW}
    await database.write(insert(subscribers).values(asked))
    return int(number)


async def _case(database: Database, place: Place, person: str, org: str) -> int:
    case = Case(id="uuid-1", key="CASEM-1", title=f"{SECRET} case", status="OPEN", status_name="Open", priority="P2")
    known = await CaseRepository(database, lambda _: None).remember(org, case, place=place, person=person)
    return known.id


async def _act(database: Database, place: Place, person: str, case: int) -> int:
    values: dict[str, Any] = {
        "key": "act",
        "case_row": case,
        "person": person,
        "kind": "comment",
        "value": f"{SECRET} comment",
    }
    values |= {"workspace": place.workspace, "channel": place.channel, "thread_ts": place.thread_ts}
    values |= {"said": "", "state": "refused", **_IDLE}
    return int(await _one(database, insert(case_acts).values(values).returning(case_acts.c.id)))


async def _escalation(database: Database, place: Place, person: str, case: int) -> int:
    values: dict[str, Any] = {"key": "escalation", "ref": "NRTHESC1", "case_row": case, "person": person}
    values |= {"workspace": place.workspace, "channel": place.channel, "thread_ts": place.thread_ts}
    values |= {"kind": EscalationKind.INCIDENT, "form": EscalationForm(title=f"{SECRET} title"), "state": "refused"}
    return int(await _one(database, insert(case_escalations).values(values | _IDLE).returning(case_escalations.c.id)))


async def _job(database: Database, place: Place, person: str, org: str) -> int:
    values: dict[str, Any] = {
        "key": "job",
        "ref": "JOB1",
        "draft_key": "d",
        "view_id": "V1",
        "work": "attach",
        "org": org,
    }
    values |= {"workspace": place.workspace, "channel": place.channel, "thread_ts": place.thread_ts, "person": person}
    values |= {"case_id": "uuid-1", "case_key": "CASEM-1", "outcome": (), "comment": f"{SECRET} comment"}
    values |= {"comment_state": "refused", "state": "done", **_IDLE}
    return int(await _one(database, insert(insight_submits).values(values).returning(insight_submits.c.id)))


async def _held(database: Database, place: Place, person: str, org: str) -> int:
    values: dict[str, Any] = {
        "key": "gesture:held",
        "subject": ALERT,
        "requester": person,
        "source": Source.BUTTON,
        "org": org,
    }
    values |= {"workspace": place.workspace, "channel": place.channel, "thread_ts": place.thread_ts}
    values |= {"state": "refused", **_IDLE}
    ask = await _one(database, insert(asks).values(values).returning(asks.c.id))
    held = {"ask_id": ask, "workspace": place.workspace, "person": person, "subject": ALERT, "held_at": database.now}
    await database.write(insert(held_asks).values(held))
    return int(ask)


async def _cycle(database: Database, place: Place, org: str) -> int:
    notice = Notice(
        1_700_000_000_000, Transition.ALERT, monitor_id=42, name=f"{SECRET} monitor", tags=(f"{SECRET}:tag",)
    )
    cycles = CycleRepository(database)
    async with database.transaction() as connection:
        known = await cycles.join(connection, org, notice)
        await cycles.owe_card(connection, known, place.workspace, place.channel)
    return known.id


async def rows_of(database: Database) -> dict[tuple[str, Any], Row[Any]]:
    """Everything that is stored, by table and key."""
    found: dict[tuple[str, Any], Row[Any]] = {}
    for table in metadata.sorted_tables:
        for row in await database.all(select(table)):
            found[table.name, tuple(row._mapping[column] for column in table.primary_key)] = row
    return found


# -- past all of them -----------------------------------------------------------------------------------------------


LOST: dict[str, Any] = {"lost": True}  # the app did not acknowledge


@dataclass(frozen=True)
class Step:
    handler: Registered
    named: Named
    payload: dict[str, Any]


def steps(registry: Registry, person: Person, channel: str, named: list[Named], **changes: Any) -> Iterator[Step]:
    """Every handler with every kind of thing, in a message and in a window. `changes` are to the payload."""
    for handler in registry.of("action", "shortcut", "submission", "options"):
        for each in named:
            for in_window in (False, True) if each.metadata else (False,):
                payload = _payload(handler, person, channel, each, in_window=in_window)
                if payload is not None:
                    yield Step(handler, each, payload | changes)


def _payload(
    handler: Registered, person: Person, channel: str, named: Named, *, in_window: bool
) -> dict[str, Any] | None:
    message = {"type": "message", "ts": "1700000000.000100", "text": named.value, "team": person.workspace.id}
    in_message = {
        "container": {"type": "message", "channel_id": channel, "message_ts": message["ts"]},
        "channel": {"id": channel},
        "message": message,
    }
    action = {"action_id": handler.id, "block_id": named.block_id, "value": named.value, "action_ts": named.kind}
    view = _view(handler, person, channel, named)
    match handler.kind:
        case "action":
            where = {"container": {"type": "view"}, "view": view} if in_window else in_message
            return person.base_payload("block_actions") | where | {"actions": [{**action, "type": "button"}]}
        case "shortcut" if not in_window:
            told = {"callback_id": handler.id, "action_ts": "1", "message_ts": message["ts"], **in_message}
            return person.base_payload("message_action") | told
        case "submission" if in_window:
            return person.base_payload("view_submission") | {"view": view}
        case "options" if in_window:
            return person.base_payload("block_suggestion") | {"view": view} | action | {"value": ""}
        case _:
            return None


def _view(handler: Registered, person: Person, channel: str, named: Named) -> dict[str, Any]:
    chosen = {"type": "conversations_select", "selected_conversation": channel}
    return {
        "id": "V0WALK",
        "type": "modal",
        "root_view_id": f"V0WALK{named.kind}",
        "team_id": person.workspace.id,
        "callback_id": handler.id if handler.kind == "submission" else "",
        "private_metadata": named.metadata,
        "state": {
            "values": {
                "comment": {"comment": {"type": "plain_text_input", "value": "words"}},
                share_view.CHANNEL: {share_view.CHANNEL: chosen},
            }
        },
        "blocks": [],
        "hash": "1",
    }


async def take(person: Person, walk: Iterator[Step]) -> list[tuple[Step, dict[str, Any]]]:
    """What each was answered with its acknowledgement; a window that is none of ours may be answered by nothing."""

    async def one(step: Step) -> tuple[Step, dict[str, Any]]:
        try:
            return step, await person.send(step.payload)
        except NotAcknowledged:
            return step, LOST

    taken: list[tuple[Step, dict[str, Any]]] = []
    batch: list[Step] = []
    for step in [*walk, None]:
        if step is None or len(batch) == 4:
            taken += await asyncio.gather(*(one(each) for each in batch))
            batch = []
        if step is not None:
            batch.append(step)
    return taken
