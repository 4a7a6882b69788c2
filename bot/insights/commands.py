"""The command `attach`: what people may write after it, and what it does."""

import re
from dataclasses import dataclass

from bot.datadog.links import case_named
from bot.insights.form_views import begin_message
from bot.insights.opening import ATTACH_FROM, AttachOpening, Beginning
from bot.orgs.questions import OrgQuestions
from bot.slack.commands import Command, invalid, unquoted
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.text import code
from bot.wording import CASE, DATADOG, INSIGHTS


@dataclass(frozen=True, slots=True)
class AttachCommands:
    opening: AttachOpening

    def commands(self) -> tuple[Command[str]]:
        usage = ((f"[{CASE} key or link]", f"attach {DATADOG} links to a {CASE} as {INSIGHTS}"),)
        return (Command("attach", usage, read_attach, self.attach),)

    def go_on_after(self, questions: OrgQuestions) -> None:
        questions.when_answered(ATTACH_FROM, self.resume)

    async def attach(self, typed: Interaction, words: str) -> After:
        if words and not case_named(words):
            return invalid(f"{code(words, 80)} is no case. Give its key, like CASEM-42, or its link.")
        if not typed.trigger_id:
            return begin_message(words)
        return self.opening.begin(typed, Beginning(words))

    async def resume(self, answer: Interaction, beginning: Beginning, org: str) -> After:
        return self.opening.begin(answer, beginning, org=org)


def read_attach(rest: str) -> str:
    """The words that name the case; they may be empty."""
    words = re.sub(r"^(?:insights?\s+)?(?:to\s+)?", "", unquoted(rest), flags=re.IGNORECASE)
    return unquoted(words).removeprefix("#")
