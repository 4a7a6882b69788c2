"""entity.*: what a person sees who opens a Work Object."""

from bot.sandbox.slack.entities import Pane, problems_of, problems_of_error
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import TIERS
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.webapi.call import MethodCall, method


@method("entity.presentDetails", TIERS[3])
def present_details(call: MethodCall) -> JSON:
    """The guide's own example answers one trigger twice, so it is not used up."""
    trigger = call.slack.triggers.look_at(call.need("trigger_id"))
    if not trigger.entity:
        raise ApiError("invalid_trigger_id")
    metadata, error = call.structure("metadata", "invalid_metadata"), call.structure("error")
    if call.flag("user_auth_required") and not call.text("user_auth_url"):
        raise ApiError("user_auth_url_missing")
    if error is not None:
        if problems := problems_of_error(error):
            raise ApiError.because("invalid_arguments", problems)
    elif problems := problems_of(metadata, "metadata"):
        raise ApiError.because("invalid_metadata", problems)
    elif metadata["external_ref"]["id"] != trigger.entity:
        raise ApiError("entity_metadata_does_not_match_trigger")
    elif "app_unfurl_url" in metadata:
        raise ApiError.because("invalid_metadata", ["metadata.app_unfurl_url does not go here"])
    pane = call.slack.panes.setdefault(trigger.user_id, Pane())
    pane.metadata, pane.error = (pane.metadata, error) if error is not None else (metadata, {})
    call.slack.changes.notify()
    return {"ok": True}
