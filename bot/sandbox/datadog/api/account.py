"""Who is calling: the credential checks, the key's owner, and the people of the organisation."""

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import Answer, Refusal, strings
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.users import FakeUser

_STATUSES = {"Active", "Pending", "Disabled"}


def validate_key(_: Call) -> Answer:
    return Answer({"valid": True})


def validate_key_v2(call: Call) -> Answer:
    key_id = call.org.uuid[:-4] + "0001"
    attributes = {"valid": True, "api_key_id": key_id, "api_key_scopes": []}
    return Answer({"data": {"id": call.org.uuid, "type": "validate_v2", "attributes": attributes}})


def validate_keys(_: Call) -> Answer:
    return Answer({"status": "ok"})


def current_user(call: Call) -> Answer:
    return Answer({"data": call.org.owner.json(call.org.uuid)})


def list_users(call: Call) -> Answer:
    size = checks.number_param(call.query, "page[size]", 10, least=1, most=500)
    number = checks.number_param(call.query, "page[number]", 0, least=0)
    found = [user for user in call.org.everyone() if _wanted(call, user)]
    items = [user.json(call.org.uuid) for user in found[number * size : (number + 1) * size]]
    page = {"total_count": len(list(call.org.everyone())), "total_filtered_count": len(found)}
    return Answer({"data": items, "meta": {"page": page}})


def _wanted(call: Call, user: FakeUser) -> bool:
    text = call.query.get("filter", "").lower()
    statuses = {status for status in call.query.get("filter[status]", "").split(",") if status}
    if statuses - _STATUSES:
        raise Refusal(strings(400, "Invalid status filter"))
    return text in f"{user.name} {user.email} {user.handle}".lower() and (not statuses or user.status in statuses)


_USER_PARAMS = ("page[size]", "page[number]", "sort", "sort_dir", "filter", "filter[status]")
ROUTES = (
    Route("GET", "/api/v1/validate", validate_key, bucket="validate", keys="api"),
    Route("GET", "/api/v2/validate", validate_key_v2, bucket="validate", keys="api"),
    Route("GET", "/api/v2/validate_keys", validate_keys, bucket="validate"),
    Route("GET", "/api/v2/current_user", current_user, bucket="users"),
    Route("GET", "/api/v2/users", list_users, ("user_access_read",), "users", _USER_PARAMS),
)
