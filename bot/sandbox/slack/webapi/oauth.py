"""oauth.v2.access: a code, or a refresh token, becomes tokens."""

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import SPECIAL_PER_MINUTE
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.webapi.call import Call, method


@method("oauth.v2.access", SPECIAL_PER_MINUTE, token="none")
def access(call: Call) -> JSON:
    app = call.slack.app
    if call.text("client_id") != app.client_id:
        raise ApiError("invalid_client_id")
    if call.text("client_secret") != app.client_secret:
        raise ApiError("bad_client_secret")
    if call.text("grant_type") == "refresh_token":
        return call.slack.oauth.refresh(call.need("refresh_token"))
    return call.slack.oauth.redeem(call.need("code"), call.text("redirect_uri"))
