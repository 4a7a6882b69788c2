"""What cases are sorted into: projects, favourites among them, and types, deleted ones included."""

import re

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import JSON_API, Answer, Refusal, bad_request, problem
from bot.sandbox.datadog.api import case_common as common
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.case_model import FakeProject

_NEW = checks.resource(
    "project",
    checks.record(
        {"key": checks.filled, "name": checks.filled},
        {"enabled_custom_case_types": checks.many(checks.text), "team_uuid": checks.text},
    ),
)


def projects(call: Call) -> Answer:
    """All of them; this list has no pages."""
    items = [project.json() for project in call.org.case_management.projects.values()]
    return Answer({"data": items}, content_type=JSON_API)


def get_project(call: Call) -> Answer:
    return Answer({"data": common.project(call, call.args["project_id"]).json()}, content_type=JSON_API)


def create_project(call: Call) -> Answer:
    _NEW(call.body, "")
    asked = call.body["data"]["attributes"]
    key = asked["key"]
    if not re.fullmatch(r"[A-Z][A-Z0-9]{0,9}", key) or key == "CASE":
        raise bad_request(f'invalid project key "{key}"', "Generic Error")
    case_management = call.org.case_management
    if key in {project.key for project in case_management.projects.values()}:
        raise Refusal(problem(409, "Conflict", f"project key {key} is taken"))
    custom = tuple(asked.get("enabled_custom_case_types", ()))
    project = FakeProject(call.world.new_id(), key, asked["name"], custom_types=custom, last_number=0)
    case_management.projects[project.id] = project
    call.world.happened("project_created", call.org, project)
    return Answer({"data": project.json()}, 201, JSON_API)


def favorites(call: Call) -> Answer:
    items = [{"id": project_id, "type": "project_favorite"} for project_id in call.org.case_management.favorites]
    return Answer({"data": items}, content_type=JSON_API)


def favor(call: Call) -> Answer:
    project = common.project(call, call.args["project_id"])
    case_management = call.org.case_management
    case_management.favorites = [one for one in case_management.favorites if one != project.id]
    if call.method == "POST":
        case_management.favorites.append(project.id)
    return Answer(status=204)


def types(call: Call) -> Answer:
    items = [kind.json() for kind in call.org.case_management.types.values()]
    return Answer({"data": items}, content_type=JSON_API)


_PROJECTS = common.PATH + "/projects"
ROUTES = (
    Route("GET", common.PATH + "/types", types, common.READ, "cases_types"),
    Route("GET", _PROJECTS, projects, common.READ, "cases_projects"),
    Route("POST", _PROJECTS, create_project, common.WRITE, "cases_projects", body=True),
    Route("GET", _PROJECTS + "/favorites", favorites, common.READ, "cases_projects"),
    Route("POST", _PROJECTS + "/{project_id}/favorites", favor, common.READ, "cases_projects"),
    Route("DELETE", _PROJECTS + "/{project_id}/favorites", favor, common.READ, "cases_projects"),
    Route("GET", _PROJECTS + "/{project_id}", get_project, common.READ, "cases_projects"),
)
