"""Which Datadog organisation is meant: the answers where none can be used, and requests that wait until the person says.

A request travels with the question, in the name of the block the answer comes from. One that is too long for that is
kept in the database. Either way it is the asker's only, stands for an hour, and starts one thing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError
from sqlalchemy import delete, select

from bot.model import Adapter, Place
from bot.orgs.model import Elsewhere, Gone, NoneConnected, NoOrg, NotThere, OrgEntry, Undecided
from bot.orgs.tables import QUESTION_LIVES, org_questions
from bot.slack.blocks import Message, actions, option, plain, section, sentences
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.text import code, escape, one_line
from bot.storage.engine import Database
from bot.storage.tables import place_of
from bot.wording import COMMAND, DATADOG

CHOOSE = "org:choose"
QUESTION_BLOCK = "org_question:"

_LONGEST_BLOCK_ID = 255  # Slack's limit
_MOST_OPTIONS = 100  # Slack's limit
_CONNECT = f"A workspace admin can connect one: `{COMMAND} connect`."

T = TypeVar("T")
Record = dict[str, Any]  # `verb` names the kind of request, the rest is the request itself
# the answer as if it was the request, and the organisation's id
Resume = Callable[[Interaction, T, str], Awaitable[After]]


class Resumable(Generic[T]):
    """A kind of request that can wait. The name stands in questions that people still see, so it never changes."""

    def __init__(self, name: str, kind: type[T]) -> None:
        self.name = name
        self._adapter: Adapter[T] = Adapter(kind)

    def record(self, request: T) -> Record:
        return {"verb": self.name, **self._adapter.dump_python(request, mode="json", exclude_defaults=True)}

    def read(self, record: Record) -> T:
        return self._adapter.validate_python(record)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that can go on. Its interaction is the answer, with the place the request was made in."""

    interaction: Interaction
    request: Any
    resume: Resume[Any]

    async def go_on(self, org: str) -> After:
        return await self.resume(self.interaction, self.request, org)


class _Carried(NamedTuple):
    """What stands in the block's name."""

    request: Record
    person: str
    channel: str
    thread_ts: str
    asked_at: int
    token: str  # the same for a gesture that arrives twice
    workspace: str = ""  # what an earlier version asked names none


_CARRIED: Adapter[_Carried] = Adapter(_Carried)


class OrgQuestions:
    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """`clock` in Unix seconds; a question may be answered by another process than the one that asked."""
        self._database = database
        self._clock = clock
        self._kinds: dict[str, tuple[Resumable[Any], Resume[Any]]] = {}

    def when_answered(self, kind: Resumable[T], resume: Resume[T]) -> None:
        self._kinds[kind.name] = (kind, resume)

    async def ask(self, key: str, place: Place, person: str, request: Record) -> str:
        """The name of the block to ask in. `key` is that of the gesture that made the request."""
        token = sha256(key.encode()).hexdigest()[:10]
        carried = _Carried(request, person, place.channel, place.thread_ts, int(self._clock()), token, place.workspace)
        block_id = QUESTION_BLOCK + _CARRIED.dump_json(carried).decode()
        if len(block_id) > _LONGEST_BLOCK_ID:
            block_id = f"{QUESTION_BLOCK}{await self._put(key, place, person, request)}"
        return block_id

    async def answered(self, click: Interaction) -> Answered | None:
        """None for what is answered already, too old, another person's, or not ours."""
        told = click.block_id.removeprefix(QUESTION_BLOCK)
        if told == click.block_id or len(click.block_id) > _LONGEST_BLOCK_ID:
            return None
        number = told.isascii() and told.isdigit() and len(told) < 16
        found = await self._take(int(told), click) if number else self._carried(told, click)
        if found is None:
            return None
        interaction, record = found
        try:
            kind, resume = self._kinds[record["verb"]]
            return Answered(interaction, kind.read(record), resume)
        except (KeyError, TypeError, ValidationError):
            return None

    # -- in the block's name ------------------------------------------------------------------------------------

    def _carried(self, told: str, click: Interaction) -> tuple[Interaction, Record] | None:
        """What comes back from a client is believed only as far as it concerns this person and this place."""
        try:
            carried = _CARRIED.validate_json(told)
        except ValidationError:
            return None
        if carried.workspace not in {"", click.workspace}:
            return None
        if carried.person != click.person or carried.asked_at <= self._clock() - QUESTION_LIVES:
            return None
        # a message that Slack keeps, as in a direct message, still says what we wrote; one that is shown once does not
        if carried.channel not in {"", click.place.channel} and not click.message:
            return None
        if "\\u0000" in told:  # no text of ours, and PostgreSQL takes none
            return None
        once = sha256(f"{click.workspace}:{click.person}:{carried.token}".encode()).hexdigest()
        place = Place(click.workspace, carried.channel, carried.thread_ts)
        return replace(click, key=f"chosen:{once}", place=place), carried.request

    # -- in the database ----------------------------------------------------------------------------------------

    async def _put(self, key: str, place: Place, person: str, request: Record) -> int:
        """Its number. The same gesture again gets the same one."""
        table = org_questions.c
        values = {"key": key, **asdict(place), "person": person, "wish": request, "asked_at": self._database.now}
        async with self._database.transaction() as connection:
            await connection.execute(self._database.insert_new(org_questions).values(**values))
            return int((await connection.execute(select(table.id).where(table.key == key))).scalar_one())

    async def _take(self, number: int, click: Interaction) -> tuple[Interaction, Record] | None:
        """The asker's only, and once: two clicks start one thing."""
        table = org_questions.c
        own = (table.id == number, table.workspace == click.workspace, table.person == click.person)
        fresh = table.asked_at > self._database.now - QUESTION_LIVES
        taken = delete(org_questions).where(*own, fresh).returning(*table)
        row = await self._database.first(taken)
        if row is None:
            return None
        return replace(click, place=place_of(row)), dict(row.wish)


# -- what is said ----------------------------------------------------------------------------------------------------


def org_words(refusal: NoOrg) -> Message:
    match refusal:
        case Undecided(orgs, block_id):
            return _which_org(orgs, block_id)
        case Elsewhere(host):
            return _other_organisation(host)
        case NotThere(name):
            return sentences(
                f"This channel's settings name the {DATADOG} organisation {code(one_line(name), 80)}, which is not "
                f"connected, so nothing was done.",
                f"Change that in `{COMMAND} settings`, or ask a workspace admin to connect it: `{COMMAND} connect`.",
            )
        case Gone(org):
            return sentences(
                f"This alert came from the {DATADOG} organisation {code(one_line(org), 80)}, which is not connected any "
                f"more, so nothing was done.",
                f"A workspace admin can connect it again: `{COMMAND} connect`.",
            )
        case NoneConnected():
            return sentences(f"No {DATADOG} organisation is connected to this workspace.", _CONNECT)


def _which_org(orgs: Sequence[OrgEntry], block_id: str) -> Message:
    """What was asked for goes on once an organisation is chosen."""
    text = f"Which {DATADOG} organisation do you mean? Nothing has been done yet."
    names = ", ".join(escape(one_line(org.name, 60)) for org in orgs[:10])
    more = f"A channel can have one of its own: `{COMMAND} settings`."
    select = {
        "type": "static_select",
        "action_id": CHOOSE,
        "placeholder": plain(f"Choose a {DATADOG} organisation", 150),
        "options": [option(f"{org.name} ({org.host})", org.id) for org in orgs[:_MOST_OPTIONS]],
    }
    return Message(f"{text} ({names})", [section(f"{text} {more}"), actions(select, block_id=block_id)])


def chosen(org: OrgEntry) -> Message:
    return sentences(f"Going on with {code(one_line(org.name, 60), 80)}.")


def question_gone() -> Message:
    return sentences("That question is answered already, or is over an hour old. Please ask again.")


def _other_organisation(host: str) -> Message:
    where = code(one_line(host, 100), 120)
    return sentences(
        f"That link belongs to the {DATADOG} organisation at {where}, which is not connected to this workspace, "
        "so nothing was done.",
        f"A workspace admin can connect it: `{COMMAND} connect`.",
    )
