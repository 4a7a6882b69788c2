"""Where the rules of every channel are looked up: what the rules file says, else what was set in Slack, else the defaults."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rules.audit import Decision, Entry, note
from bot.rules.file import RuleFile
from bot.rules.model import CHANNEL_RULES, WORKSPACE_RULES, AlertFacts, ChannelRules, WorkspaceRules
from bot.rules.tables import channel_rules, workspace_rules
from bot.storage.engine import Database, wake
from bot.storage.remembered import Remembered
from bot.workspaces.repository import BELONGING

_BESIDE = {"workspace", "channel", "from_file"}  # not in the content: its row's key says it

UsualBudget = Callable[[AsyncConnection, str], Awaitable[int | None]]
"""What a workspace may start a day where nobody has decided that; None means no limit."""
_Write = tuple[Table, dict[str, str], int, dict[str, Any]]  # what to write where, over which version


@dataclass(frozen=True, slots=True)
class Draft:
    """Rules as somebody sees them while changing them; `version` notices that somebody else was faster."""

    channel: ChannelRules
    workspace: WorkspaceRules
    channel_version: int = 0
    workspace_version: int = 0


class RuleRepository:
    """`home` is the workspace of file entries that name none; `ids` are the channels the file calls by #name."""

    def __init__(
        self,
        database: Database,
        file: RuleFile | None = None,
        *,
        home: str = "",
        ids: Mapping[str, str] | None = None,
        usual_budget: UsualBudget | None = None,
    ) -> None:
        self._database = database
        self._usual_budget = usual_budget
        self.file_name = file.name if file else ""
        channels, workspaces = (file.channels, file.workspaces) if file else ((), ())
        placed = [
            entry.placed(entry.workspace or home, (ids or {}).get(entry.channel, entry.channel)) for entry in channels
        ]
        self._channels = {(rules.workspace, rules.channel): rules for rules in placed}
        self._workspaces = {entry.workspace or home: entry.placed(entry.workspace or home) for entry in workspaces}
        # the usual budget goes by where a workspace belongs
        self._kept = Remembered(database, self._draft, channel_rules, workspace_rules, *BELONGING)

    # -- looking up ---------------------------------------------------------------------------------------------

    async def of(self, workspace: str, channel: str) -> ChannelRules:
        return (await self.known(workspace, channel)).channel

    async def known(self, workspace: str, channel: str) -> Draft:
        """From memory, to judge by."""
        return await self._kept.get((workspace, channel))

    async def draft(self, workspace: str, channel: str) -> Draft:
        """As they are this moment, to be changed."""
        return await self._draft((workspace, channel))

    async def _draft(self, place: tuple[str, str]) -> Draft:
        async with self._database.transaction() as connection:
            rules, version = await self._channel(connection, *place)
            of_workspace, workspace_version = await self._workspace(connection, place[0])
        return Draft(rules, of_workspace, version, workspace_version)

    async def all(self) -> list[ChannelRules]:
        """Of every channel that has rules."""
        stored = [_channel_of(row) for row in await self._database.all(select(channel_rules))]
        apart = [rules for rules in stored if (rules.workspace, rules.channel) not in self._channels]
        return sorted([*self._channels.values(), *apart], key=lambda rules: (rules.workspace, rules.channel))

    async def with_digest(self) -> list[ChannelRules]:
        return [rules for rules in await self.all() if rules.digest]

    async def _channel(self, connection: AsyncConnection, workspace: str, channel: str) -> tuple[ChannelRules, int]:
        if written := self._channels.get((workspace, channel)):
            return written, 0
        row = await _row(connection, channel_rules, workspace=workspace, channel=channel)
        return (_channel_of(row), row.version) if row else (ChannelRules(workspace, channel), 0)

    async def _workspace(self, connection: AsyncConnection, workspace: str) -> tuple[WorkspaceRules, int]:
        if written := self._workspaces.get(workspace):
            return written, 0
        row = await _row(connection, workspace_rules, workspace=workspace)
        if row is None:
            usual = await self._usual_budget(connection, workspace) if self._usual_budget else None
            return WorkspaceRules(workspace, budget_per_day=usual), 0
        return WORKSPACE_RULES.validate_python({**row.content, "workspace": workspace}), row.version

    # -- changing -----------------------------------------------------------------------------------------------

    async def save(self, draft: Draft, changed_by: str) -> bool:
        """False when somebody else has changed the same rules meanwhile; nothing is changed then."""
        if not (writes := await self._writes(draft)):
            return True
        try:
            async with self._database.transaction() as connection:
                for table, key, version, content in writes:
                    await self._write(connection, table, key, version, content, changed_by)
                await note(self._database, connection, _change(draft, changed_by))
                wake(connection, channel_rules)
        except _ChangedMeanwhile:
            return False
        return True

    async def _writes(self, draft: Draft) -> list[_Write]:
        channel, workspace = draft.channel, draft.workspace
        known = await self.draft(channel.workspace, channel.channel)
        writes: list[_Write] = []
        if not channel.from_file and channel != known.channel:
            content = CHANNEL_RULES.dump_python(channel, mode="json", by_alias=True, exclude=_BESIDE)
            key = {"workspace": channel.workspace, "channel": channel.channel}
            writes.append((channel_rules, key, draft.channel_version, content))
        if not workspace.from_file and workspace != known.workspace:
            content = WORKSPACE_RULES.dump_python(workspace, mode="json", exclude=_BESIDE)
            writes.append((workspace_rules, {"workspace": workspace.workspace}, draft.workspace_version, content))
        return writes

    async def _write(
        self, connection: Any, table: Table, key: dict[str, str], version: int, content: dict[str, Any], by: str
    ) -> None:
        values = {"content": content, "changed_by": by, "changed_at": self._database.now, "version": version + 1}
        if version:
            same = (table.c[name] == value for name, value in key.items())
            changed = await connection.execute(update(table).where(*same, table.c.version == version).values(**values))
            if not changed.rowcount:
                raise _ChangedMeanwhile
            return
        inserted = await connection.execute(
            self._database.insert_new(table).values(**key, **values).returning(table.c.version)
        )
        if inserted.first() is None:
            raise _ChangedMeanwhile


class _ChangedMeanwhile(Exception):  # noqa: N818  what is the matter, in a word
    """Undoes what was written of a draft before."""


async def _row(connection: AsyncConnection, table: Table, **key: str) -> Row[Any] | None:
    query = select(table).where(*(table.c[name] == value for name, value in key.items()))
    return (await connection.execute(query)).first()


def _change(draft: Draft, changed_by: str) -> Entry:
    place = draft.channel
    versions = f"{draft.channel_version}:{draft.workspace_version}"
    return Entry(
        key=f"rules:{place.workspace}:{place.channel}:{versions}",
        workspace=place.workspace,
        channel=place.channel,
        person=changed_by,
        source="settings",
        decision=Decision.RULES_CHANGED,
        what="the channel's rules",
    )


def taken_by(channels: Iterable[ChannelRules], alert: AlertFacts) -> list[ChannelRules]:
    """Those of the channels that take an alert; the default ones where none asks for it."""
    channels = list(channels)
    wanting = [rules for rules in channels if rules.route is not None and rules.route.matches(alert)]
    return wanting or [rules for rules in channels if rules.is_default]


def _channel_of(row: Row[Any]) -> ChannelRules:
    return CHANNEL_RULES.validate_python({**row.content, "workspace": row.workspace, "channel": row.channel})
