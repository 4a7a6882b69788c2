"""What an organisation adds to its cases: custom attributes of a type, and the saved views of a project."""

import re
from typing import Any

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import JSON_API, Answer, Json, Refusal, bad_request, missing, problem
from bot.sandbox.datadog.api import case_common as common
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.case_model import ATTRIBUTE_TYPES, FakeCustomAttribute, FakeView

_NEW_ATTRIBUTE = checks.resource(
    "custom_attribute",
    checks.record(
        {
            "display_name": checks.filled,
            "is_multi": checks.boolean,
            "key": checks.filled,
            "type": checks.one_of(*ATTRIBUTE_TYPES),
        },
        {"description": checks.text},
    ),
)
_CHANGED_ATTRIBUTE = checks.resource(
    "custom_attribute",
    checks.record(
        {},
        {
            "description": checks.text,
            "display_name": checks.filled,
            "external_field_id": checks.text,
            "map_from": checks.text,
            "type": checks.one_of(*ATTRIBUTE_TYPES),
            "type_data": checks.record({}, {"options": checks.many(checks.record({"value": checks.filled}))}),
        },
    ),
)
_NEW_VIEW = checks.resource(
    "view",
    checks.record(
        {"name": checks.filled, "project_id": checks.uuid, "query": checks.text}, {"np_rule_id": checks.text}
    ),
)


# --- custom attributes ----------------------------------------------------------------------------------------------


def all_attributes(call: Call) -> Answer:
    return _listed(call.org.case_management.custom_attributes.values())


def attributes_of_type(call: Call) -> Answer:
    kind = common.case_type(call, call.args["case_type_id"])
    return _listed(each for each in call.org.case_management.custom_attributes.values() if each.type_id == kind.id)


def create_attribute(call: Call) -> Answer:
    _NEW_ATTRIBUTE(call.body, "")
    kind, asked = common.case_type(call, call.args["case_type_id"]), call.body["data"]["attributes"]
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", asked["key"]):
        raise bad_request(f'invalid custom attribute key "{asked["key"]}"', "Generic Error")
    known = call.org.case_management.custom_attributes
    if any(each.key == asked["key"] and each.type_id == kind.id for each in known.values()):
        raise Refusal(problem(409, "Conflict", f"custom attribute {asked['key']} is there already"))
    made = FakeCustomAttribute(
        call.world.new_id(),
        kind.id,
        asked["key"],
        asked["display_name"],
        asked["type"],
        is_multi=asked["is_multi"],
        description=asked.get("description", ""),
    )
    known[made.id] = made
    return Answer({"data": made.json()}, 201, JSON_API)


def change_attribute(call: Call) -> Answer:
    """The one call that takes what a select offers."""
    _CHANGED_ATTRIBUTE(call.body, "")
    attribute, asked = _attribute(call), call.body["data"]["attributes"]
    attribute.name = asked.get("display_name", attribute.name)
    attribute.description = asked.get("description", attribute.description)
    if "options" in asked.get("type_data", {}):
        attribute.options = tuple(one["value"] for one in asked["type_data"]["options"])
    return Answer({"data": attribute.json()}, content_type=JSON_API)


def delete_attribute(call: Call) -> Answer:
    call.org.case_management.custom_attributes.pop(_attribute(call).id)
    return Answer(status=204)


def _attribute(call: Call) -> FakeCustomAttribute:
    found = call.org.case_management.custom_attributes.get(call.args["custom_attribute_id"])
    if found is None or found.type_id != call.args["case_type_id"]:
        raise missing("custom attribute not found")
    return found


def _listed(found: Any) -> Answer:
    items: Json = [each.json() for each in found]
    return Answer({"data": items}, content_type=JSON_API)


# --- saved views ----------------------------------------------------------------------------------------------------


def views(call: Call) -> Answer:
    """Of one project, which has to be named."""
    if "project_id" not in call.query:
        raise bad_request('missing required parameter "project_id" in "query"', "Invalid Parameter")
    project = common.project(call, call.query["project_id"])
    found = [view for view in call.org.case_management.views.values() if view.project is project]
    return Answer({"data": [view.json() for view in found]}, content_type=JSON_API)


def create_view(call: Call) -> Answer:
    _NEW_VIEW(call.body, "")
    asked = call.body["data"]["attributes"]
    project = common.project(call, asked["project_id"])
    common.parsed(asked["query"])
    made = FakeView(call.world.new_id(), asked["name"], asked["query"], project, call.now, call.org.owner)
    call.org.case_management.views[made.id] = made
    return Answer({"data": made.json()}, 201, JSON_API)


def get_view(call: Call) -> Answer:
    return Answer({"data": _view(call).json()}, content_type=JSON_API)


def delete_view(call: Call) -> Answer:
    call.org.case_management.views.pop(_view(call).id)
    return Answer(status=204)


def _view(call: Call) -> FakeView:
    found = call.org.case_management.views.get(call.args["view_id"])
    if found is None:
        raise missing("view not found")
    return found


_TYPES = common.PATH + "/types"
_OF_TYPE = _TYPES + "/{case_type_id}/custom_attributes"
_ONE = _OF_TYPE + "/{custom_attribute_id}"
_VIEWS = common.PATH + "/views"
ROUTES = (
    Route("GET", _TYPES + "/custom_attributes", all_attributes, common.READ, "cases_types"),
    Route("GET", _OF_TYPE, attributes_of_type, common.READ, "cases_types"),
    Route("POST", _OF_TYPE, create_attribute, common.WRITE, "cases_types", body=True),
    Route("PUT", _ONE, change_attribute, common.WRITE, "cases_types", body=True),
    Route("DELETE", _ONE, delete_attribute, common.WRITE, "cases_types"),
    Route("GET", _VIEWS, views, common.READ, "cases_projects", ("project_id",)),
    Route("POST", _VIEWS, create_view, common.WRITE, "cases_projects", body=True),
    Route("GET", _VIEWS + "/{view_id}", get_view, common.READ, "cases_projects"),
    Route("DELETE", _VIEWS + "/{view_id}", delete_view, common.WRITE, "cases_projects"),
)
