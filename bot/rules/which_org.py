"""Finds the organisation a wish is for, and asks the person where that is not certain."""

from dataclasses import replace
from typing import Any

from bot.commands.grammar import Investigate
from bot.commands.records import wish_record
from bot.model import Ask, Place
from bot.orgs.model import DEFAULT, NoOrg, Undecided
from bot.orgs.questions import OrgQuestions
from bot.orgs.views.answers import org_words
from bot.rules.org_choice import OrgChooser, PlaceFacts
from bot.slack.interactions import Interaction
from bot.slack.replies import Replies


class WhichOrg:
    def __init__(self, chooser: OrgChooser, questions: OrgQuestions, replies: Replies) -> None:
        self._chooser = chooser
        self._questions = questions
        self._replies = replies

    async def facts(self, place: Place) -> PlaceFacts:
        return await self._chooser.facts(place)

    async def choose(self, interaction: Interaction, host: str, wish: dict[str, Any]) -> str | NoOrg:
        """The organisation's id; else what to tell the person. A request that waits for an answer is in the database then."""
        return await self.decide(await self._chooser.choose(interaction.place, host), interaction, wish)

    async def decide(self, choice: str | NoOrg, interaction: Interaction, wish: dict[str, Any]) -> str | NoOrg:
        """The same where it is known what could be meant."""
        return await self._written_down(choice, interaction.key, interaction.place, interaction.person, wish)

    async def of(self, interaction: Interaction, host: str, wish: dict[str, Any]) -> str:
        """The organisation's id; empty when there is none, which she was told."""
        choice = await self.choose(interaction, host, wish)
        if isinstance(choice, str):
            return choice
        await self._replies.tell(interaction.place, interaction.person, org_words(choice))
        return ""

    async def usual(self, place: Place) -> str:
        """The one that serves a place without a word from anybody; the first where several could be meant."""
        choice = await self._chooser.choose(place)
        if isinstance(choice, str):
            return choice
        return choice.orgs[0].id if isinstance(choice, Undecided) else DEFAULT

    async def asked_later(self, ask: Ask, refusal: NoOrg) -> NoOrg:
        """The same for an ask whose thread had to be read first."""
        wish = wish_record(Investigate(ask.subject), ask.source)
        told = await self._written_down(refusal, ask.key, ask.place, ask.requester, wish)
        return refusal if isinstance(told, str) else told

    async def _written_down(
        self, choice: str | NoOrg, key: str, place: Place, person: str, wish: dict[str, Any]
    ) -> str | NoOrg:
        if not isinstance(choice, Undecided):
            return choice
        return replace(choice, question=await self._questions.put(key, place, person, wish))
