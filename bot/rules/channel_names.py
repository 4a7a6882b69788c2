"""Channels a rules file calls by #name, looked up once at the start. Without that, rules would silently not hold."""

from bot.rules.file import RuleFile, RuleFileProblems
from bot.slack.clients import BotClient
from bot.slack.errors import CALL_ERRORS, trouble_of

_PAGE = 500
_MOST_PAGES = 40
_KINDS = ("public_channel", "private_channel")  # apart: each needs a scope of its own


async def channel_ids(bot_client: BotClient | None, file: RuleFile) -> dict[str, str]:
    """Ids by #name. `speaker` is that of the one workspace; None when the bot serves several."""
    if bot_client is None:
        if problems := _without_home(file):
            raise RuleFileProblems(problems)
        return {}
    found: dict[str, str] = {}
    reasons: list[str] = []
    for kind in _KINDS:
        if set(file.names) - set(found):
            reasons += await _look_up(bot_client, kind, found)
    missing = [name for name in file.names if name not in found]
    if missing:
        raise RuleFileProblems([_not_found(file.name, name, reasons) for name in missing])
    return {name: found[name] for name in file.names}


async def _look_up(bot_client: BotClient, kind: str, found: dict[str, str]) -> list[str]:
    """Adds what there is of one kind; the reasons why not everything could be read."""
    cursor = ""
    for _ in range(_MOST_PAGES):
        try:
            answer = await bot_client.client.conversations_list(
                types=kind, limit=_PAGE, exclude_archived=True, cursor=cursor or None
            )
        except CALL_ERRORS as error:
            return [f"{trouble_of(error).code} for {kind.replace('_', ' ')}s"]
        for channel in answer.get("channels") or ():
            found.setdefault(f"#{channel.get('name')}", str(channel["id"]))
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return []


def _not_found(file: str, name: str, reasons: list[str]) -> str:
    because = f" (Slack says {', '.join(reasons)})" if reasons else ""
    return (
        f"{file}: I can't find a channel {name}{because}. Write its id instead (C…, under the channel's name > About), "
        "or give the app the scopes channels:read and groups:read and invite it there."
    )


def _without_home(file: RuleFile) -> list[str]:
    problems = [
        f"{file.name}: {entry.channel} needs its workspace (workspace: T…), as the bot serves several."
        for entry in file.channels
        if not entry.workspace
    ]
    problems += [
        f"{file.name}: {name} must be written by its id (C…), as the bot serves several workspaces."
        for name in file.names
    ]
    nameless = [entry for entry in file.workspaces if not entry.workspace]
    return problems + [f"{file.name}: each entry of workspaces needs its id (workspace: T…)." for _ in nameless]
