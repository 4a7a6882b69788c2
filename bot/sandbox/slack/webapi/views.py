"""views.*: modals by trigger id, updates by view id, the Home tab."""

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import TIERS
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.screens import View, Viewer, checked
from bot.sandbox.slack.webapi.call import MethodCall, method


def _shown(call: MethodCall, view: View) -> JSON:
    call.slack.changes.notify()
    return {"ok": True, "view": view.to_json()}


def _definition(call: MethodCall) -> JSON:
    view = call.structure("view")
    if not isinstance(view, dict):
        raise ApiError.because("invalid_arguments", ["missing required field: view [json-pointer:/view]"])
    return view


def _viewer(call: MethodCall, user_id: str, team_id: str) -> Viewer:
    return Viewer(user_id, team_id, call.slack.app.id, call.install.bot_id)


@method("views.open", TIERS[4])
def open_view(call: MethodCall) -> JSON:
    definition = checked(_definition(call), "modal")
    trigger = call.slack.triggers.exchange(call.need("trigger_id"))
    viewer = _viewer(call, trigger.user_id, trigger.team_id)
    return _shown(call, call.slack.screens.open(definition, viewer, trigger.channel_id))


@method("views.push", TIERS[4])
def push_view(call: MethodCall) -> JSON:
    definition = checked(_definition(call), "modal")
    trigger = call.slack.triggers.exchange(call.need("trigger_id"))
    return _shown(call, call.slack.screens.push(definition, call.slack.screens.find(trigger.view_id)))


@method("views.update", TIERS[4])
def update_view(call: MethodCall) -> JSON:
    definition = _definition(call)
    if bool(call.text("view_id")) == bool(call.text("external_id")):
        raise ApiError.because("invalid_arguments", ["exactly one of view_id, external_id is needed"])
    view = call.slack.screens.find(call.text("view_id"), call.text("external_id"))
    if view.viewer.app_id != call.slack.app.id or view.team_id not in call.install.team_ids:
        raise ApiError("not_found")
    return _shown(call, call.slack.screens.update(view, definition, call.text("hash")))


@method("views.publish", TIERS[4])
def publish_view(call: MethodCall) -> JSON:
    if not call.slack.app.home_enabled:
        raise ApiError("not_enabled")
    user = call.user("user_id")
    viewer = _viewer(call, user.id, user.team_id)
    return _shown(call, call.slack.screens.publish(_definition(call), viewer, call.text("hash")))
