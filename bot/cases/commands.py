"""The command `case`: what people may write after it, and what it does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.cases.match import match_case
from bot.orgs.questions import OrgQuestions, Resumable
from bot.slack.commands import Command, Invalid, link_in, split_word, unquoted
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.text import code, one_line
from bot.wording import CASE, CASES


@dataclass(frozen=True, slots=True)
class ShowCase:
    id: str  # a key or Datadog's id


@dataclass(frozen=True, slots=True)
class NewCase:
    title: str = ""  # untrusted


@dataclass(frozen=True, slots=True)
class WaitingForm:
    """The form of a new case that is not open yet."""

    order: str  # its key


SHOW_CASE = Resumable("case", ShowCase)
CASE_FORM = Resumable("case_form", WaitingForm)


@dataclass(frozen=True, slots=True)
class CaseCommands:
    """Where no organisation is given it is found out, or asked for."""

    show: Callable[[Interaction, ShowCase, str], Awaitable[After]]
    new: Callable[[Interaction, NewCase], Awaitable[After]]
    open_form: Callable[[Interaction, WaitingForm, str], Awaitable[After]]

    def commands(self) -> tuple[Command[ShowCase | NewCase]]:
        usage = (
            (f"<{CASE} key or link>", f"the card of a {CASE}, to work on it from here"),
            ("new [title]", f"open a {CASE}"),
        )
        return (Command("case", usage, read_case, self.run, (CASES,)),)

    def go_on_after(self, questions: OrgQuestions) -> None:
        questions.when_answered(SHOW_CASE, self.show)
        questions.when_answered(CASE_FORM, self.open_form)

    async def run(self, typed: Interaction, request: ShowCase | NewCase) -> After:
        return await (self.show(typed, request, "") if isinstance(request, ShowCase) else self.new(typed, request))


def read_case(rest: str) -> ShowCase | NewCase | Invalid:
    first, more = split_word(unquoted(rest))
    if first.lower() in {"new", "create"}:
        return NewCase(one_line(unquoted(more), 200))
    words = [word for word in unquoted(rest).split() if word.lower() not in {"show", "the", CASE}]
    match = match_case(link_in(" ".join(words))) or match_case(link_in(words[0]) if words else "")
    if match is not None:
        return ShowCase(match.identifier)
    given = f"{code(' '.join(words), 80)} names no {CASE}." if words else f"Tell me which {CASE}."
    return Invalid(f"{given} Give its key, like `CASEM-42`, or its link; `case new` opens the form of a new one.")
