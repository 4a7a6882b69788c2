"""What one open window for insights holds, and what each gesture makes of it; and where it is kept: server-side, under a
random key that is of use to one person only. A window carries nothing but its key; unused forms are put away after a while.

Member names are those of the stored JSON.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pydantic import Json, ValidationError
from sqlalchemy import select, update

from bot.datadog.cases import Case, Insight
from bot.datadog.insight_recognition import Recognised
from bot.datadog.insights import InsightDraft, InsightKey, InsightType, SetAside, handle_of, plain_label, type_summary
from bot.insights.tables import FORM_LIVES, insight_drafts
from bot.model import Adapter, Place
from bot.storage.engine import Database

LONGEST_COMMENT = 20_000


@dataclass(frozen=True, slots=True)
class ListedInsight(InsightDraft):
    """One line of the list. What stands on the case already is shown as such and never sent again."""

    chosen: bool = True
    on_case: bool = False


@dataclass(frozen=True, slots=True)
class InsightList:
    """Every operation answers a new list; the order is the order of adding."""

    lines: tuple[ListedInsight, ...] = ()
    set_aside: tuple[SetAside, ...] = ()

    def add(self, drafts: Iterable[InsightDraft]) -> "InsightList":
        """Merged by type and resource id: what is listed keeps its place and name, and is chosen now."""
        lines = {line.key: line for line in self.lines}
        for new in drafts:
            known = lines.get(new.key) or ListedInsight(new.type, new.resource_id, new.ref, new.label, new.lookup)
            lines[new.key] = replace(known, chosen=True)
        return replace(self, lines=tuple(lines.values()))

    def put_aside(self, pieces: Iterable[SetAside]) -> "InsightList":
        return replace(self, set_aside=tuple(dict.fromkeys((*self.set_aside, *pieces))))

    def mark_on_case(self, keys: Iterable[InsightKey]) -> "InsightList":
        """Which insights the case holds now, as Datadog answered; the earlier marks are forgotten."""
        held = frozenset(keys)
        return self._each(lambda line: replace(line, on_case=line.key in held))

    def choose(self, handles: Iterable[str], *, among: Iterable[str]) -> "InsightList":
        """Chosen are exactly these, of those that were shown."""
        wanted, shown = frozenset(handles), frozenset(among)
        return self._each(lambda line: replace(line, chosen=line.handle in wanted) if line.handle in shown else line)

    def relabel(self, labels: Mapping[InsightKey, str]) -> "InsightList":
        return self._each(lambda line: replace(line, label=labels.get(line.key, "") or line.label))

    @property
    def to_send(self) -> tuple[ListedInsight, ...]:
        return tuple(line for line in self.lines if line.chosen and not line.on_case)

    @property
    def on_case(self) -> tuple[ListedInsight, ...]:
        return tuple(line for line in self.lines if line.on_case)

    @property
    def counter(self) -> str:
        """`7 of 9 chosen`, of those that the case does not have."""
        return f"{len(self.to_send)} of {len(self.lines) - len(self.on_case)} chosen"

    @property
    def summary(self) -> str:
        """`3 monitors, 1 incident` of what is to be sent."""
        return type_summary(line.type.value for line in self.to_send)

    def _each(self, change: Callable[[ListedInsight], ListedInsight]) -> "InsightList":
        return replace(self, lines=tuple(change(line) for line in self.lines))


class FormStage(StrEnum):
    FORM = "form"
    CHOOSING = "choosing"  # which insights to remove
    CONFIRMING = "confirming"  # that those are to be removed
    SUBMITTED = "submitted"  # being carried out, or done: the job tells


@dataclass(frozen=True, slots=True)
class CaseChoice:
    """A case on offer, or the one it is about; its words, untrusted, are empty until Datadog or our books told them."""

    id: str  # its UUID or key
    key: str = ""
    title: str = ""
    status: str = ""  # as the picker shows it

    @property
    def name(self) -> str:
        return self.key or self.id


@dataclass(frozen=True, slots=True)
class HandForm:
    """What the section for insights by hand starts with."""

    type: InsightType | None = None
    ref: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachForm:
    """Fields of the window are named after the rounds: a new round is a fresh field, an old one keeps what was typed."""

    place: Place
    org: str
    stage: FormStage = FormStage.FORM
    case: CaseChoice | None = None
    held: tuple[Insight, ...] | None = None  # what the case has; None while unknown
    insights: Json[InsightList] = field(default_factory=InsightList)  # stands as text inside the JSON
    hand: HandForm | None = None  # shown or not
    comment: bool = False  # links that are no insights go into a comment
    leaving: frozenset[str] = frozenset()  # handles of insights to be removed
    looked_up: frozenset[str] = frozenset()  # handles of drafts whose names were asked for
    notice: str = ""  # a sentence of ours about the last gesture
    case_round: int = 0
    list_round: int = 0
    paste_round: int = 0
    hand_round: int = 0
    submits: int = 0
    submit_id: int = 0

    # -- what a gesture changes ---------------------------------------------------------------------------------

    def noting(self, *, chosen: Iterable[str], among: Iterable[str], comment: bool) -> "AttachForm":
        """What stands in the window's fields: every gesture brings it along."""
        return replace(self, insights=self.insights.choose(chosen, among=among), comment=comment)

    def adding(self, drafts: Iterable[InsightDraft]) -> "AttachForm":
        insights = self.insights.add(drafts).mark_on_case(_keys(self.held))
        return replace(self, insights=insights, list_round=self.list_round + 1)

    def with_pasted(self, found: Recognised) -> "AttachForm":
        """The pasted links are in the list or set aside with their reasons; the field starts empty."""
        added = self.adding(found.drafts)
        new = len(added.insights.lines) - len(self.insights.lines)
        return replace(
            added,
            insights=added.insights.put_aside(found.set_aside),
            paste_round=self.paste_round + 1,
            notice=_added(new, len(found.drafts) - new),
        )

    def with_hand_form(self, start: HandForm | None) -> "AttachForm":
        return replace(self, hand=start, hand_round=self.hand_round + 1, notice="")

    def with_hand_problems(self, problems: Iterable[str]) -> "AttachForm":
        """The fields stay as they are."""
        return replace(self, hand=replace(self.hand or HandForm(), problems=tuple(problems)), notice="")

    def with_hand_draft(self, draft: InsightDraft) -> "AttachForm":
        """Added; what was set aside and only waited for its id is done with."""
        waiting = self.hand.ref if self.hand else ""
        added = self.adding((draft,)).with_hand_form(HandForm())
        kept = tuple(piece for piece in self.insights.set_aside if not (waiting and piece.ref == waiting))
        return replace(added, insights=replace(added.insights, set_aside=kept), notice=_added(1, 0))

    def without_set_aside(self) -> "AttachForm":
        return replace(self, insights=replace(self.insights, set_aside=()), comment=False, notice="")

    def with_case(self, case: CaseChoice) -> "AttachForm":
        if self.case and case.id in {self.case.id, self.case.key}:
            return self
        unmarked = self.insights.mark_on_case(())
        return replace(self, case=case, held=None, insights=unmarked, list_round=self.list_round + 1, notice="")

    def without_case(self, notice: str) -> "AttachForm":
        """There is no such case; the list is kept for another one."""
        return replace(self.with_case(CaseChoice("")), case=None, case_round=self.case_round + 1, notice=notice)

    def choosing(self) -> "AttachForm":
        return replace(self, stage=FormStage.CHOOSING, notice="", leaving=frozenset(), list_round=self.list_round + 1)

    def confirming(self, leaving: Iterable[str]) -> "AttachForm":
        return replace(self, stage=FormStage.CONFIRMING, leaving=frozenset(leaving))

    # -- what was learnt in the background ----------------------------------------------------------------------

    def with_case_facts(self, case: Case) -> "AttachForm":
        """What Datadog says of the case; nothing if another one was chosen meanwhile."""
        if self.case is None or self.case.id not in {case.id, case.key}:
            return self
        named = CaseChoice(case.id, case.key, case.title)
        # a fresh field shows the name, which the one in the window may lack
        told = replace(self, case=named, held=case.insights, case_round=self.case_round + (named != self.case))
        marked = told.insights.mark_on_case(_keys(case.insights))
        return replace(told, insights=marked, list_round=self.list_round + (marked != self.insights))

    def with_labels(self, labels: Mapping[InsightKey, str], asked: Iterable[InsightDraft]) -> "AttachForm":
        """`asked` were looked up, with or without a name: nobody asks for them again."""
        named = self.insights.relabel(labels)
        looked_up = self.looked_up.union(draft.handle for draft in asked)
        return replace(self, insights=named, looked_up=looked_up, list_round=self.list_round + (named != self.insights))

    # -- what is to be done -------------------------------------------------------------------------------------

    def submitted(self, submit_id: int) -> "AttachForm":
        return replace(self, stage=FormStage.SUBMITTED, submit_id=submit_id, submits=self.submits + 1, notice="")

    def after_submit(self, case: Case) -> "AttachForm":
        """What is on the case now is marked as such, and nothing is left to be removed."""
        return replace(self.with_case_facts(case), leaving=frozenset())

    def after_comment(self, comment: str) -> "AttachForm":
        """The links that stand in the comment are done with."""
        posted = frozenset(comment.splitlines())
        left = tuple(piece for piece in self.insights.set_aside if f"- {piece.url}" not in posted)
        return replace(self, insights=replace(self.insights, set_aside=left), comment=False)

    def back(self) -> "AttachForm":
        return replace(self, stage=FormStage.FORM, notice="", leaving=frozenset(), list_round=self.list_round + 1)

    @property
    def comment_links(self) -> tuple[SetAside, ...]:
        return tuple(piece for piece in self.insights.set_aside if piece.comment_link)

    @property
    def comment_text(self) -> str:
        return comment_of(self.comment_links) if self.comment else ""

    @property
    def unnamed(self) -> tuple[InsightDraft, ...]:
        """Drafts that still go by their ids, and whose names nobody has asked for yet."""
        return tuple(
            line
            for line in self.insights.lines
            if line.lookup
            and line.handle not in self.looked_up
            and line.label == plain_label(line.type.value, line.resource_id)
        )

    @property
    def removable(self) -> tuple[tuple[str, Insight], ...]:
        """The case's insights with their handles."""
        return tuple((handle_of(insight.key), insight) for insight in self.held or ())

    @property
    def to_remove(self) -> tuple[Insight, ...]:
        return tuple(insight for handle, insight in self.removable if handle in self.leaving)


def _keys(held: tuple[Insight, ...] | None) -> tuple[InsightKey, ...]:
    return tuple(insight.key for insight in held or ())


def comment_of(links: Iterable[SetAside]) -> str:
    """The links as one comment; what does not fit is left out as whole lines and counted."""
    urls = list(dict.fromkeys(link.url for link in links))
    kept: list[str] = []
    room = LONGEST_COMMENT
    for url in urls:
        room -= len(url) + 3
        if room < 0:
            break
        kept.append(f"- {url}")
    return "Links from Slack:\n\n" + "\n".join(kept) if kept else ""


def _added(new: int, merged: int) -> str:
    if not new and not merged:
        return ""
    told = f"Added {new}." if new else "Nothing new."
    if not merged:
        return told
    return f"{told} {merged} were listed already." if merged > 1 else f"{told} 1 was listed already."


# -- where it is kept ---------------------------------------------------------------------------------------------------

_TRIES = 20

_CONTENT: Adapter[AttachForm] = Adapter(AttachForm)

Change = Callable[[AttachForm], AttachForm]


@dataclass(frozen=True, slots=True)
class Owner:
    workspace: str
    person: str


class CrowdedError(Exception):
    """So many gestures at once on one window that this one found no gap; nobody's fingers are that quick."""


class AttachFormStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, owner: Owner, form: AttachForm) -> str:
        """A new form; the answer is its key."""
        key = secrets.token_urlsafe(24)
        values = {"key": key, "workspace": owner.workspace, "person": owner.person, "version": 1}
        values |= {"content": _as_text(form), "used_at": self._database.now}
        await self._database.write(insight_drafts.insert().values(values))
        return key

    async def get(self, key: str, owner: Owner) -> AttachForm | None:
        """None for a key that is unknown, somebody else's, or unused for too long."""
        read = await self._read(key, owner)
        return read[1] if read else None

    async def change(self, key: str, owner: Owner, change: Change) -> AttachForm | None:
        """Applies `change` to what is there now; of two gestures at once neither is lost."""
        for _ in range(_TRIES):
            read = await self._read(key, owner)
            if read is None:
                return None
            version, form = read
            changed = change(form)
            if await self._write(key, version, changed):
                return changed
        raise CrowdedError

    async def _read(self, key: str, owner: Owner) -> tuple[int, AttachForm] | None:
        table = insight_drafts.c
        query = select(table.version, table.content).where(
            table.key == key,
            table.workspace == owner.workspace,
            table.person == owner.person,
            table.used_at > self._database.now - FORM_LIVES,
        )
        row = await self._database.first(query)
        form = _from_text(row.content) if row else None
        return (row.version, form) if row and form else None

    async def _write(self, key: str, version: int, form: AttachForm) -> bool:
        table = insight_drafts.c
        values = {"version": version + 1, "content": _as_text(form), "used_at": self._database.now}
        same = (table.key == key, table.version == version)
        return await self._database.write(update(insight_drafts).where(*same).values(values))


def _as_text(form: AttachForm) -> str:
    return _CONTENT.dump_json(form, round_trip=True).decode()


def _from_text(content: str) -> AttachForm | None:
    """None for what no version of ours wrote: its window has expired then."""
    try:
        return _CONTENT.validate_json(content)
    except ValidationError:
        return None
