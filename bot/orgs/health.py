"""Which Datadog organisations answer, as far as our own calls tell. Who does not is asked anew when somebody wants to know:
a bot that nobody sends anything, because it is not ready, would otherwise never find out that it could be."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.datadog.errors import DatadogError
from bot.datadog.orgs import ConnectedOrg
from bot.orgs.repository import OrgRepository
from bot.storage.workers import Tasks
from bot.wording import counted

ASKED_EVERY = 10.0  # seconds
MOST_NAMED = 5


@dataclass(eq=False)
class OrgHealth:
    orgs: OrgRepository
    tasks: Tasks
    clock: Callable[[], float] = time.monotonic
    _asked_at: dict[str, float] = field(default_factory=dict, init=False)

    def told(self) -> tuple[bool, str]:
        """Whether anybody can be served, and a sentence that names those who can't."""
        used = self.orgs.in_use()
        failing = [org for org in used if org.client.answers.is_failing]
        self._ask_again([org for org in used if org.client.answers.bad_in_a_row])
        if failing:
            named = "; ".join(f"{org.name}: {org.client.answers.words()}" for org in failing[:MOST_NAMED])
            more = f" and {len(failing) - MOST_NAMED} more" if len(failing) > MOST_NAMED else ""
            share = f"{len(failing)} of {counted(len(used), 'organisation')}"
            return len(failing) < len(used), f"no good answer from {share}: {named}{more}"
        ages = [org.client.answers for org in used if org.client.answers.good_at is not None]
        if not ages:
            return True, "no organisation was asked yet"
        latest = max(ages, key=lambda answers: answers.good_at or 0.0)
        return True, f"{counted(len(used), 'organisation')} in use; the latest: {latest.words()}"

    def _ask_again(self, doubtful: list[ConnectedOrg]) -> None:
        now = self.clock()
        self._asked_at = {name: at for name, at in self._asked_at.items() if now - at < ASKED_EVERY}
        for org in doubtful[:MOST_NAMED]:
            if org.name not in self._asked_at:
                self._asked_at[org.name] = now
                self.tasks.spawn(_ask(org), f"asks {org.name}")


async def _ask(org: ConnectedOrg) -> None:
    try:
        await org.bits.page(offset=0, limit=1)
    except DatadogError:
        return  # its client has counted it
