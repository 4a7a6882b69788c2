"""users.*, usergroups.*, team.info, bots.info: who and what there is in a workspace."""

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import TIERS
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.webapi.call import MethodCall, method
from bot.sandbox.slack.webapi.conversations import page


def _sees_email(call: MethodCall) -> bool:
    return "users:read.email" in call.install.scopes


@method("users.info", TIERS[4], "users:read")
def users_info(call: MethodCall) -> JSON:
    return {"ok": True, "user": call.user().to_json(with_email=_sees_email(call))}


@method("users.lookupByEmail", TIERS[3], "users:read.email")
def lookup_by_email(call: MethodCall) -> JSON:
    wanted = call.need("email").lower()
    for workspace in call.workspaces:
        for user in workspace.users.values():
            if user.email.lower() == wanted and not user.deleted:
                return {"ok": True, "user": user.to_json(with_email=True)}
    raise ApiError("users_not_found")


@method("users.list", TIERS[2], "users:read")
def users_list(call: MethodCall) -> JSON:
    shown, cursor = page(call, list(call.workspace.users.values()), default=1000)
    people = [user.to_json(with_email=_sees_email(call)) for user in shown]
    return {"ok": True, "members": people, "response_metadata": {"next_cursor": cursor}}


@method("usergroups.list", TIERS[2], "usergroups:read")
def usergroups_list(call: MethodCall) -> JSON:
    groups = [group.to_json() for group in call.workspace.groups.values()]
    if not call.flag("include_users"):
        for group in groups:
            del group["users"]
    return {"ok": True, "usergroups": groups}


@method("usergroups.users.list", TIERS[2], "usergroups:read")
def usergroup_members(call: MethodCall) -> JSON:
    wanted = call.need("usergroup")
    for workspace in call.workspaces:
        if wanted in workspace.groups:
            return {"ok": True, "users": list(workspace.groups[wanted].members)}
    raise ApiError("no_such_subteam")


@method("team.info", TIERS[3], "team:read")
def team_info(call: MethodCall) -> JSON:
    return {"ok": True, "team": call.workspace.to_json()}


@method("bots.info", TIERS[3], "users:read")
def bots_info(call: MethodCall) -> JSON:
    wanted = call.text("bot") or call.install.bot_id
    for known in call.slack.bots():
        if known["id"] == wanted:
            return {"ok": True, "bot": known}
    raise ApiError("bot_not_found")
