"""Finds the organisation a wish is for, and asks the person where that is not certain."""

from dataclasses import replace
from typing import Any

from bot.investigations.model import Ask, Place
from bot.investigations.org_choice import OrgChooser
from bot.investigations.org_entries import DEFAULT, NoOrg, Undecided
from bot.slack.gestures import Gesture
from bot.slack.org_questions import OrgQuestions
from bot.slack.verbs import Investigate
from bot.slack.views.org_answers import org_words
from bot.slack.voice import Voice
from bot.slack.wish_records import wish_record


class WhichOrg:
    def __init__(self, chooser: OrgChooser, questions: OrgQuestions, voice: Voice) -> None:
        self._chooser = chooser
        self._questions = questions
        self._voice = voice

    async def choose(self, gesture: Gesture, host: str, wish: dict[str, Any]) -> str | NoOrg:
        """The organisation's id; else what to tell her. A wish that waits for her answer is in the database then."""
        choice = await self._chooser.choose(gesture.place, host)
        return await self._written_down(choice, gesture.key, gesture.place, gesture.person, wish)

    async def of(self, gesture: Gesture, host: str, wish: dict[str, Any]) -> str:
        """The organisation's id; empty when there is none, which she was told."""
        choice = await self.choose(gesture, host, wish)
        if isinstance(choice, str):
            return choice
        await self._voice.tell(gesture.place, gesture.person, org_words(choice))
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
