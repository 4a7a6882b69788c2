"""Who installed the bot and with which tokens, as stored: encrypted in the database, in clear text only in what is returned here.

No call to Slack is made here, and nothing is kept in memory.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, delete, exists, func, or_, select, update

from bot.storage.encryption import Encryption
from bot.storage.engine import Database
from bot.storage.tables import record
from bot.workspaces.tables import installations, workspaces

_GENERATIONS = 2**30  # and as many more fit into its column
REFRESH_MARGIN = 2 * 3600.0  # seconds before its end from which on a token is replaced
LOST_REFRESH = "invalid_refresh_token"
REMOVED = frozenset({"token_revoked", "account_inactive"})  # what Slack says of a token once its app is removed

_NO_PROBLEM = {"problem": None, "problem_at": None, "gone_since": None}
_NOBODY_REFRESHES = {"refresh_owner": None, "refresh_until": None}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Slack hands out: at an install, or for a refresh token."""

    bot_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_in: float | None = None


@dataclass(frozen=True, slots=True)
class NewInstallation:
    """An install as Slack reports it."""

    team_id: str  # empty when org-wide
    enterprise_id: str
    org_wide: bool
    app_id: str
    tokens: Tokens
    scopes: tuple[str, ...]
    bot_user_id: str
    bot_id: str
    installer: str

    @property
    def home(self) -> str:
        return self.enterprise_id if self.org_wide else self.team_id


@dataclass(frozen=True, slots=True)
class Installation(NewInstallation):
    """An install as it was when it was read; `expires_in` of its tokens counts from then."""

    generation: int
    installed_at: float
    problem: str
    problem_age: float
    resting: bool  # a refresh failed moments ago

    @property
    def wants_refresh(self) -> bool:
        left = self.tokens.expires_in
        return left is not None and left <= REFRESH_MARGIN and bool(self.tokens.refresh_token)

    @property
    def expired(self) -> bool:
        return self.tokens.expires_in is not None and self.tokens.expires_in <= 0

    @property
    def dead(self) -> bool:
        """Slack does not take its token; one that only can't be renewed still works to its end."""
        return bool(self.problem) and (self.problem != LOST_REFRESH or self.expired)


class InstallationRepository:
    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    # -- reading ------------------------------------------------------------------------------------------------

    async def at(self, home: str) -> Installation | None:
        return await self._first(self._all().where(installations.c.home == home))

    async def serving(self, workspace: str, enterprise: str = "") -> Installation | None:
        """The install that speaks in a workspace: its own, else that of its enterprise; one that works before one that doesn't."""
        table = installations.c
        learnt = select(workspaces.c.enterprise_id).where(workspaces.c.team_id == workspace).scalar_subquery()
        org_wide = and_(table.is_enterprise_install, or_(table.home == enterprise, table.home == learnt))
        own = table.home == workspace
        working_first = (case({table.problem.is_(None): 0}, else_=1), case({own: 0}, else_=1))
        return await self._first(self._all().where(or_(own, org_wide)).order_by(*working_first))

    async def serves(self, workspace: str) -> bool:
        row = await self._database.first(select(is_served(workspace)))
        return bool(row and row[0])

    async def outside(self, named: Collection[str]) -> list[str]:
        """Where the bot is installed although neither the workspace nor its enterprise is named here."""
        own, learnt = installations.c, workspaces.c
        homes = select(own.home).where(own.home.not_in(named), func.coalesce(own.enterprise_id, "").not_in(named))
        teams = select(learnt.team_id).where(learnt.team_id.not_in(named), learnt.enterprise_id.not_in(named))
        return sorted(str(one) for (one,) in await self._database.all(homes.union(teams)))

    async def teams_of(self, enterprise: str) -> list[str]:
        """The workspaces in which an org-wide install was seen, and that have none of their own."""
        table, own = workspaces.c, select(installations.c.home)
        query = select(table.team_id).where(table.enterprise_id == enterprise, table.team_id.not_in(own))
        return [row.team_id for row in await self._database.all(query.order_by(table.team_id))]

    async def gone_for(self, seconds: float) -> list[Installation]:
        """Of which Slack has said for so long that the app is removed there."""
        rows = await self._database.all(self._all().where(installations.c.gone_since < self._database.now - seconds))
        return [self._read(row) for row in rows]

    async def homes_after(self, home: str, most: int) -> list[str]:
        table = installations.c
        query = select(table.home).where(table.home > home, table.problem.is_(None)).order_by(table.home).limit(most)
        return [row.home for row in await self._database.all(query)]

    def _all(self) -> Select[Any]:
        return select(installations, self._database.now.label("now"))

    async def _first(self, query: Select[Any]) -> Installation | None:
        row = await self._database.first(query.limit(1))
        return self._read(row) if row else None

    def _read(self, row: Row[Any]) -> Installation:
        tokens = Tokens(
            bot_token=self._encryption.decrypt(row.bot_token),
            refresh_token=self._encryption.decrypt(row.refresh_token) if row.refresh_token else "",
            expires_in=None if row.expires_at is None else row.expires_at - row.now,
        )
        return record(
            Installation,
            row,
            team_id=row.team_id or "",
            enterprise_id=row.enterprise_id or "",
            org_wide=row.is_enterprise_install,
            tokens=tokens,
            scopes=tuple(row.scopes.split(",")) if row.scopes else (),
            problem=row.problem or "",
            problem_age=row.now - row.problem_at if row.problem_at is not None else 0.0,
            resting=row.refresh_owner is None and row.refresh_until is not None and row.refresh_until > row.now,
        )

    # -- installing and leaving ---------------------------------------------------------------------------------

    async def save(self, new: NewInstallation) -> None:
        """A first install, or one more over it: new tokens, and whatever was wrong with the old ones is over."""
        values = {
            "team_id": new.team_id or None,
            "enterprise_id": new.enterprise_id or None,
            "is_enterprise_install": new.org_wide,
            "app_id": new.app_id,
            "scopes": ",".join(new.scopes),
            "bot_user_id": new.bot_user_id,
            "bot_id": new.bot_id,
            "installer": new.installer,
            "installed_at": self._database.now,
            **_NO_PROBLEM,
            **self._encrypted(new.tokens),
            **_NOBODY_REFRESHES,
        }
        table = installations.c
        async with self._database.transaction() as connection:
            # not from 1: whoever still holds a token of an install that was removed must not take this one for it
            begin = secrets.randbelow(_GENERATIONS)
            first = self._database.insert_new(installations).values(home=new.home, generation=begin, **values)
            if (await connection.execute(first.returning(table.id))).first() is None:
                again = update(installations).where(table.home == new.home)
                await connection.execute(again.values(generation=table.generation + 1, **values))

    def _encrypted(self, tokens: Tokens) -> dict[str, Any]:
        lives = tokens.expires_in
        return {
            "bot_token": self._encryption.encrypt(tokens.bot_token),
            "refresh_token": self._encryption.encrypt(tokens.refresh_token) if tokens.refresh_token else None,
            "expires_at": None if lives is None else self._database.now + lives,
        }

    async def remove(self, installation: Installation) -> bool:
        """False when it was installed anew meanwhile, or is gone already."""
        table = installations.c
        this_one = and_(table.home == installation.home, table.installed_at == installation.installed_at)
        return await self._database.write(delete(installations).where(this_one))

    async def learn(self, workspace: str, enterprise: str) -> None:
        """A workspace turned out to belong to an enterprise."""
        values = {"team_id": workspace, "enterprise_id": enterprise, "learnt_at": self._database.now}
        await self._database.write(self._database.insert_new(workspaces).values(**values))

    async def granted(self, teams: Sequence[str], enterprise: str, at: float) -> None:
        """An enterprise let its org-wide install into these workspaces, at least one."""
        values = [{"team_id": team, "enterprise_id": enterprise, "learnt_at": at} for team in teams]
        async with self._database.transaction() as connection:
            await connection.execute(self._database.upserts(workspaces, values[0], key=("team_id",)), values)

    async def unlearn(self, workspace: str, before: float) -> bool:
        """False when it was let in again later than that, which Slack counts in whole seconds."""
        table = workspaces.c
        async with self._database.transaction() as connection:
            later = select(table.team_id).where(table.team_id == workspace, table.learnt_at >= before + 1)
            if (await connection.execute(later)).first() is not None:
                return False
            await connection.execute(delete(workspaces).where(table.team_id == workspace))
        return True

    async def claim_welcome(self, home: str) -> bool:
        """True once in the life of an install."""
        table = installations.c
        unwelcomed = and_(table.home == home, table.welcomed_at.is_(None))
        return await self._change(unwelcomed, welcomed_at=self._database.now)

    async def not_welcomed(self, home: str) -> None:
        await self._change(installations.c.home == home, welcomed_at=None)

    # -- tokens -------------------------------------------------------------------------------------------------

    async def claim_refresh(self, home: str, owner: str, lease: float) -> Installation | None:
        """The right to ask Slack for new tokens, if they are due and nobody else asks."""
        now, table = self._database.now, installations.c
        due = and_(table.home == home, table.refresh_token.is_not(None), table.expires_at <= now + REFRESH_MARGIN)
        free = or_(table.refresh_until.is_(None), table.refresh_until <= now)
        async with self._database.transaction() as connection:
            claimed = update(installations).where(due, free).values(refresh_owner=owner, refresh_until=now + lease)
            if not (await connection.execute(claimed)).rowcount:
                return None
            return self._read((await connection.execute(self._all().where(table.home == home))).one())

    async def renew(self, old: Installation, tokens: Tokens) -> bool:
        """False when other tokens are there already."""
        return await self._change(
            _as_read(old),
            generation=installations.c.generation + 1,
            **_NO_PROBLEM,
            **self._encrypted(tokens),
            **_NOBODY_REFRESHES,
        )

    async def rest(self, old: Installation, seconds: float, *, problem: str = "") -> None:
        """A refresh came to nothing: nobody tries again for a while."""
        values: dict[str, Any] = {"refresh_owner": None, "refresh_until": self._database.now + seconds}
        if problem:
            values |= {"problem": problem, "problem_at": self._database.now}
        await self._change(_as_read(old), **values)

    async def note_problem(self, old: Installation, problem: str) -> bool:
        """Slack refuses this token; False when there is another one by now."""
        since = func.coalesce(installations.c.gone_since, self._database.now) if problem in REMOVED else None
        return await self._change(_as_read(old), problem=problem, problem_at=self._database.now, gone_since=since)

    async def clear_problem(self, old: Installation) -> None:
        await self._change(_as_read(old), **_NO_PROBLEM)

    async def expire(self, old: Installation) -> None:
        """Slack says the token is over, whatever our clock says."""
        await self._change(_as_read(old), expires_at=self._database.now)

    async def _change(self, condition: Any, **values: Any) -> bool:
        return await self._database.write(update(installations).where(condition).values(**values))


BELONGING = (workspaces, installations)  # where that is read from


def belongs_to(workspace: Any, enterprises: Collection[str]) -> ColumnElement[bool]:
    """Whether a workspace, or the one a column names, is of one of these enterprises, as far as Slack has told of it."""
    learnt = exists().where(workspaces.c.team_id == workspace, workspaces.c.enterprise_id.in_(enterprises))
    own = exists().where(installations.c.home == workspace, installations.c.enterprise_id.in_(enterprises))
    return or_(learnt, own)


def is_served(workspace: str) -> ColumnElement[bool]:
    """By an install of its own, or by that of the enterprise it was let into."""
    own = exists().where(installations.c.home == workspace)
    let_in = exists().where(workspaces.c.team_id == workspace, workspaces.c.enterprise_id == installations.c.home)
    return or_(own, let_in)


async def is_of_enterprise(database: Database, workspace: str, enterprise: str) -> bool:
    row = await database.first(select(belongs_to(workspace, [enterprise])))
    return bool(row and row[0])


def _as_read(installation: Installation) -> Any:
    table = installations.c
    return and_(table.home == installation.home, table.generation == installation.generation)
