"""auth.*, apps.*, oauth.*: who the caller is, opening a socket, getting tokens, leaving a workspace."""

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import SPECIAL_PER_MINUTE, TIERS
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.webapi.call import MethodCall, method


@method("api.test", TIERS[4], token="none")
def api_test(call: MethodCall) -> JSON:
    if call.text("error"):
        raise ApiError(call.text("error"), args=call.args)
    return {"ok": True, "args": call.args}


@method("auth.test", SPECIAL_PER_MINUTE)
def auth_test(call: MethodCall) -> JSON:
    install = call.install
    first = call.workspaces[0]
    name = install.enterprise.name if install.org_wide and install.enterprise else first.name
    answer: JSON = {
        "ok": True,
        "url": f"https://{first.domain}.slack.com/",
        "team": name,
        "user": call.slack.app.bot_name,
        "team_id": install.enterprise.id if install.org_wide and install.enterprise else first.id,
        "user_id": install.bot_user_id,
        "bot_id": install.bot_id,
        "is_enterprise_install": install.org_wide,
    }
    if install.enterprise:
        answer["enterprise_id"] = install.enterprise.id
    return answer


@method("auth.revoke", TIERS[3])
def auth_revoke(call: MethodCall) -> JSON:
    if call.flag("test"):
        return {"ok": True, "revoked": False}
    call.slack.revoke_tokens(call.install)
    return {"ok": True, "revoked": True}


@method("apps.uninstall", TIERS[1])
def apps_uninstall(call: MethodCall) -> JSON:
    app = call.slack.app
    if (call.text("client_id"), call.text("client_secret")) != (app.client_id, app.client_secret):
        raise ApiError("invalid_client_id" if call.text("client_id") != app.client_id else "bad_client_secret")
    call.slack.uninstall(call.install)
    return {"ok": True}


@method("apps.connections.open", TIERS[3], token="app")
def open_connection(call: MethodCall) -> JSON:
    return {"ok": True, "url": call.slack.sockets.url()}


@method("oauth.v2.access", SPECIAL_PER_MINUTE, token="none")
def oauth_access(call: MethodCall) -> JSON:
    app = call.slack.app
    if call.text("client_id") != app.client_id:
        raise ApiError("invalid_client_id")
    if call.text("client_secret") != app.client_secret:
        raise ApiError("bad_client_secret")
    if call.text("grant_type") == "refresh_token":
        return call.slack.oauth.refresh(call.need("refresh_token"))
    return call.slack.oauth.redeem(call.need("code"), call.text("redirect_uri"))
