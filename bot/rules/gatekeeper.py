"""The gate that handlers are registered with, answered by the rules: why somebody may not, in words for them."""

from dataclasses import dataclass

from bot.model import Place
from bot.rules import no_start
from bot.rules.permissions import NotAllowed, Permission, Permissions
from bot.slack.blocks import Message
from bot.slack.gates import May, Right


@dataclass(frozen=True, slots=True)
class RuleGatekeeper:
    permissions: Permissions

    async def __call__(self, may: May, place: Place, person: str) -> Message | None:
        verdict = await self._verdict(may.right, place, person)
        return no_start.refused(verdict, doing=may.doing) if isinstance(verdict, NotAllowed) else None

    async def _verdict(self, right: Right, place: Place, person: str) -> Permission:
        match right:
            case Right.LOOK:
                return await self.permissions.may_look(place, person)
            case Right.START:
                _, verdict = await self.permissions.may_start(place, person)
                return verdict
            case Right.MANAGE:
                return await self.permissions.may_manage(place, person)
