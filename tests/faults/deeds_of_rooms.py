"""Cases opened, insights attached by the hundred, alerts that come by webhook and are muted: what people do besides investigating."""

import asyncio
import itertools
import re
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

from sqlalchemy import Row, Table, or_, select
from sqlalchemy.ext.asyncio import create_async_engine

from bot.alerts.tables import NEW, alert_mutes, alert_notices
from bot.cases.tables import case_acts, case_orders
from bot.insights.tables import insight_submits
from bot.sandbox.datadog import FakeAlert
from bot.sandbox.datadog.case_model import FakeCase
from bot.sandbox.slack import Message, Person
from bot.sandbox.slack.errors import NeverHappened, NotAcknowledged, NotOnScreen
from bot.sandbox.slack.visible import SeenView
from bot.web.datadog_webhook import HEADER, TEMPLATE
from tests.e2e.attach_town import PASTE, held
from tests.e2e.case_town import cards_of
from tests.faults.campaign import PATIENCE, TRY_AGAIN_AFTER, Deed, insist
from tests.faults.figures import Figures
from tests.faults.storm import Alert, Storm, _count

SECRET = "a-long-shared-secret-of-the-webhook"
INSIGHTS = 230  # three requests to Datadog
LINKS_AT_ONCE = 60  # what a field of Slack holds
OUTCOMES = ("Creating", "Created ", "not created", "know whether", "ttaching", "Attached", "attached")
NOTHING_DONE = ("so I do nothing", "so nothing was started")
WINDOW_WITHIN = 15.0  # seconds; then a person closes what there is and begins again


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Rooms:
    """Deeds in turn: a case, an alert by webhook with a mute, insights."""

    def __init__(self, storm: Storm, ports: list[int]) -> None:
        self.storm = storm
        self.ports = ports
        self._numbers = itertools.count(1)
        self._project = storm.datadog.add_project("CASEM", "Case Management")
        self._monitor = storm.datadog.add_monitor("Queue is long")
        self._channels = [storm.slack.workspace.add_channel(f"cases-{number}") for number in range(4)]
        self._routed = storm.slack.workspace.add_channel("routed")
        self._cases: dict[str, tuple[Alert, Person]] = {}  # by title
        self._attached: dict[str, tuple[FakeCase, set[str], Person]] = {}
        self._fired: list[FakeAlert] = []
        self._muted: set[str] = set()  # groups
        rules = storm.folder / "channels.yml"
        rules.write_text(f"channels:\n  - channel: {self._routed.id}\n    route: {{}}\n")
        storm.environment |= {"BITS_CHANNELS_FILE": str(rules), "BITS_WEBHOOK_SECRET": SECRET}
        storm.also_owed += [
            _count(case_orders, case_orders.c.state.in_(["ordered", "creating", "created"])),
            _count(case_orders, case_orders.c.told.is_(False)),
            _count(case_acts, case_acts.c.state.in_(["waiting", "sending"])),
            _count(insight_submits, insight_submits.c.state == "waiting"),
            _count(alert_notices, alert_notices.c.state == NEW),
            _count(alert_mutes, or_(alert_mutes.c.state == "asked", alert_mutes.c.state == "sending")),
        ]

    def __iter__(self) -> Iterator[Deed]:
        return itertools.cycle([self.open_case, self.alert_by_webhook, self.attach])

    # -- a case -----------------------------------------------------------------------------------------------------

    async def open_case(self) -> None:
        while not await self._opens_one():
            pass

    async def _opens_one(self) -> bool:
        """False where a window that came late lies over the form; then it is begun anew, about something else."""
        number = next(self._numbers)
        person = self.storm.slack.workspace.add_user(f"person-{number}")
        title = f"Trouble number {number}."
        fired = self.storm.datadog.fire(self._monitor, group=f"host:case-{number}")
        alert = await self.storm.post(fired, self._channels[number % len(self._channels)])
        await self._opens(person, lambda: person.shortcut("create_case_from_message", on=alert.message), "Description")
        with suppress(NotOnScreen):
            await person.fill({"Title": title})
            if await self._submits(person, {"Title": title}):
                self._cases[title] = alert, person
                return True
        return False

    async def _opens(self, person: Person, act: Callable[[], Awaitable[object]], words: str) -> None:
        while True:
            with suppress(NotAcknowledged):
                await act()
                if await self._window(person, lambda shown: words in shown):
                    return
            await self._starts_over(person)

    async def _starts_over(self, person: Person) -> None:
        await asyncio.sleep(TRY_AGAIN_AFTER)
        with suppress(NotAcknowledged, NotOnScreen):
            await person.close(everything=True)

    async def _window(self, person: Person, shows: Callable[[SeenView], bool]) -> bool:
        def there() -> bool:
            return person.modal is not None and shows(person.modal)

        try:
            return await self.storm.slack.wait_for(there, WINDOW_WITHIN)
        except NeverHappened:
            return False

    async def _submits(self, person: Person, filled: dict[str, str] | None = None) -> bool:
        """Whether it was heard; a try whose answer got lost was, if the window shows what became of it. Nobody submits a
        window that came late over the one that was filled."""
        while True:
            shown = person.modal.fields if person.modal is not None else {}
            if any(name in shown and shown[name] != value for name, value in (filled or {}).items()):
                return False
            try:
                outcome = await person.submit()
            except NotOnScreen:
                return person.modal is not None and any(words in person.modal.text for words in OUTCOMES)
            except NotAcknowledged:
                await asyncio.sleep(TRY_AGAIN_AFTER)
                continue
            if not outcome.errors:
                return True
            await asyncio.sleep(TRY_AGAIN_AFTER)

    # -- insights ---------------------------------------------------------------------------------------------------

    async def attach(self) -> None:
        while not await self._attaches():
            pass

    async def _attaches(self) -> bool:
        number = next(self._numbers)
        person = self.storm.slack.workspace.add_user(f"person-{number}")
        case = self.storm.datadog.add_case(f"Case number {number}", self._project)
        wanted = [str(number * 1_000 + each) for each in range(INSIGHTS)]
        channel = self._channels[number % len(self._channels)]
        await self._opens(person, lambda: person.command("/bits", f"attach {case.key}", in_=channel), f"{case.key} · ")
        if not await self._lists(person, wanted) or not await self._submits(person):
            return False
        self._attached[case.id] = (case, set(wanted), person)
        return True

    async def _lists(self, person: Person, wanted: list[str]) -> bool:
        """All of them are in the window, however often a click got lost; False where there is no window any more."""
        for first in range(0, len(wanted), LINKS_AT_ONCE):
            links = " ".join(
                f"{self.storm.datadog.app_url}/monitors/{each}" for each in wanted[first : first + LINKS_AT_ONCE]
            )
            try:
                await person.fill({PASTE: links})
                await insist(lambda: person.press("Add"))
            except NotOnScreen:
                return False
            if not await self._window(person, lambda shown: not shown.fields.get(PASTE, "?")):
                return False
        return await self._window(person, lambda shown: f"{len(wanted)} of {len(wanted)} chosen" in shown)

    # -- an alert by webhook ------------------------------------------------------------------------------------------

    async def alert_by_webhook(self) -> None:
        group = f"host:hook-{next(self._numbers)}"
        fired = self.storm.datadog.fire(self._monitor, group=group)
        await self._tell(fired)
        self._fired.append(fired)
        card = await self.storm.slack.wait_for(lambda: next(iter(self._cards(group)), None), PATIENCE)
        with suppress(NotAcknowledged, NotOnScreen):  # a second click after a lost answer would be a second wish
            await self.storm.ana.choose("Mute …", "For 1 hour", on=card)
            self._muted.add(group)
        await self._tell(self.storm.datadog.fire(self._monitor, group=group, transition="alert recovery"))

    async def _tell(self, fired: FakeAlert) -> None:
        """Datadog tells a load balancer, and that one a replica; what is not taken is sent again."""
        for port in itertools.cycle(self.ports):
            url = f"http://127.0.0.1:{port}/datadog/webhook/default"
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    if (await self.storm.datadog.webhook(fired, url, {HEADER: SECRET}, TEMPLATE)).accepted:
                        return
            await asyncio.sleep(TRY_AGAIN_AFTER)

    def _cards(self, group: str) -> list[Message]:
        return [card for card in self._routed.top_level if re.search(rf"on {re.escape(group)}\b", card.shown)]

    # -- what came of it ----------------------------------------------------------------------------------------------

    async def judge(self, figures: Figures) -> None:
        orders = {row.thread_ts: row for row in await self._rows(case_orders) if row.state != "draft"}
        jobs = {row.case_id: row for row in await self._rows(insight_submits)}
        mutes = await self._rows(alert_mutes)
        for title, (alert, person) in self._cases.items():
            self._judge_case(title, alert, person, orders.get(alert.message.ts), figures)
        for case, wanted, person in self._attached.values():
            self._judge_insights(case, wanted, person, jobs.get(case.id), figures)
        for fired in self._fired:
            self._judge_card(fired.group, figures)
        self._judge_mutes(mutes, figures)

    async def _rows(self, table: Table) -> list[Row[Any]]:
        engine = create_async_engine(self.storm.database_url)
        async with engine.connect() as connection:
            rows = list(await connection.execute(select(table)))
        await engine.dispose()
        return rows

    def _judge_case(self, title: str, alert: Alert, person: Person, order: Row[Any] | None, figures: Figures) -> None:
        made = [case for case in self.storm.datadog.cases() if case.title == title]
        cards = cards_of(alert.message)
        if len(made) > 1 or len(cards) > 1:
            figures.doubled.append(f"{title}: {len(made)} cases, {len(cards)} cards")
        figures.wrong += [f"{title} has the card {card.shown!r}" for card in cards if title not in card.shown]
        if order is not None and order.state in {"uncertain", "refused"} and not cards:
            figures.unclear += 1
        elif order is None and not made and not cards and _told_no(person):
            figures.unclear += 1  # whether this person may could not be told, and the window said so
        elif not made or not cards:
            figures.lost.append(
                f"{title}: {len(made)} cases, {len(cards)} cards, its order is {order and order.state}; {_seen(person)}"
            )

    def _judge_insights(
        self, case: FakeCase, wanted: set[str], person: Person, job: Row[Any] | None, figures: Figures
    ) -> None:
        missing, strange = wanted - held(case), held(case) - wanted
        if strange:
            figures.wrong.append(f"{case.key} has insights of others: {sorted(strange)[:5]}")
        if missing and job is not None and any(batch.open for batch in job.outcome):
            figures.unclear += 1  # the window says which, and offers to try again
        elif missing and job is None and _told_no(person):
            figures.unclear += 1  # the same: what was put together waits behind the reason
        elif missing:
            figures.lost.append(f"{case.key} lacks {len(missing)} insights; {_seen(person)}")

    def _judge_card(self, group: str, figures: Figures) -> None:
        cards = self._cards(group)
        if len(cards) > 1:
            figures.doubled.append(f"{group}: {len(cards)} cards")
        if not cards or "Recovered" not in cards[0].shown:
            figures.lost.append(f"{group}: {[card.shown for card in cards]}")

    def _judge_mutes(self, mutes: list[Row[Any]], figures: Figures) -> None:
        made = Counter(downtime.scope for downtime in self.storm.datadog.effects("downtime"))
        figures.doubled += [f"{scope}: {times} downtimes" for scope, times in made.items() if times > 1]
        figures.unclear += len([row for row in mutes if row.state in {"unclear", "refused"}])
        done = len({row.cycle_id for row in mutes if row.state == "done"})  # a click that was repeated finds it muted
        told_no = _told_no(self.storm.ana)
        figures.unclear += told_no
        if len(mutes) + told_no < len(self._muted) or done > len(made):
            figures.lost.append(
                f"{len(self._muted)} mutes asked for, {len(mutes)} written down, {done} done, {len(made)} made; {_seen(self.storm.ana)}"
            )


def _told_no(person: Person) -> int:
    """How often this person heard that nothing was done; which Slack has as an acknowledgement, too."""
    return sum(words.count(no) for no in NOTHING_DONE for words in (_window_of(person), person.sees))


def _window_of(person: Person) -> str:
    return person.modal.text if person.modal is not None else ""


def _seen(person: Person) -> str:
    return f"{person.id} sees {_window_of(person)!r} and {person.sees[-600:]!r}"
