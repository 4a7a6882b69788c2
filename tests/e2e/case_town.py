"""What the stories of cases share: an investigated alert, the form filled in, and where the card is found."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.app import Bot
from bot.sandbox.datadog import FakeCase, FakeConclusion, Script
from bot.sandbox.slack import Message
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.visible import SeenView
from bot.storage.workers import Timing
from bot.wording import AI_WRITTEN
from tests.e2e.town import QUICK, AlertMessage, Town

SHORT = FakeConclusion("Log rotation stopped", "The disk filled up because logrotate fails.", "Create the group.")


@asynccontextmanager
async def case_town(folder: Path, timing: Timing = QUICK) -> AsyncIterator[Town]:
    """A town whose Datadog has a project, and knows Ana but not Ben."""
    async with Town(folder, timing=timing) as town:
        town.datadog.add_project("CASEM", "Case Management")
        town.datadog.add_user("Ana Lytic", "ana@example.com")
        yield town


async def shown(town: Town, title: str = "Disk of db-3 is full", **members: Any) -> tuple[FakeCase, Message]:
    """A case somebody opened in Datadog, with its card in the channel."""
    (project,) = town.datadog.org.case_management.projects.values()
    case = town.datadog.add_case(title, project, **members)
    await town.ana.command("/bits", f"case {case.key}", in_=town.channel)

    def card() -> Message | None:
        return next((each for each in town.channel.messages if case.key in each.shown), None)

    return case, await town.slack.wait_for(card)


async def investigated(town: Town, *conclusions: FakeConclusion) -> AlertMessage:
    """An alert whose conclusions stand in its thread."""
    town.datadog.plan(Script.at_once("conclusive", *(conclusions or (SHORT,))))
    alert = await town.alert(group="host:web-1")
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)
    return alert


def conclusions_of(alert: AlertMessage) -> Message | None:
    return next((reply for reply in alert.message.replies if AI_WRITTEN in reply.shown), None)


def cards_of(message: Message) -> list[Message]:
    return [reply for reply in message.replies if "[Assign to me]" in reply.shown or "no such case" in reply.shown]


async def card_of(town: Town, message: Message, *words: str) -> Message:
    """The one case card in a thread, once it says all these words."""

    def there() -> Message | None:
        cards = cards_of(message)
        return cards[0] if len(cards) == 1 and all(word in cards[0].shown for word in words) else None

    return await town.slack.wait_for(there)


async def starts_case(person: Person, alert: AlertMessage) -> None:
    """With the button under the conclusions where there is one, else with the shortcut on the alert."""
    concluded = conclusions_of(alert)
    if concluded and "[Create case]" in concluded.shown:
        await person.click("Create case", on=concluded)
    else:
        await person.shortcut("create_case_from_message", on=alert.message)


async def opens_form(person: Person, alert: AlertMessage) -> SeenView:
    await starts_case(person, alert)
    return await person.waits_for_modal("Description")


async def sees_it_made(person: Person, *words: str) -> SeenView:
    """The window, once the case and all that goes with it is there."""

    def over() -> SeenView | None:
        shown = person.modal
        done = shown and "Created " in shown.text and "Adding what" not in shown.text
        return shown if shown and done and all(word in shown.text for word in words) else None

    return await person.waits_for(over)


async def made(town: Town, alert: AlertMessage, person: Person | None = None) -> Message:
    """A case made from an alert or its conclusions, with its card."""
    who = person or town.ana
    await opens_form(who, alert)
    await who.submit()
    await sees_it_made(who)
    return await card_of(town, alert.message, "opened this case")


async def killed(bot: Bot) -> None:
    """Like a power cut: nothing is finished or handed back."""
    for loop in bot._workers.loops:
        if loop._task is not None:
            loop._task.cancel()
    for part in bot._workers.closers:
        tasks = getattr(getattr(part, "__self__", None), "_tasks", None)
        for task in list(getattr(tasks, "_tasks", ())):
            task.cancel()
    bot._workers.loops.clear()
    bot._workers.closers.clear()
    await bot.stop()
