"""What stands beside a case: its comments and timeline, its watchers, its links to incidents and other things."""

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import JSON_API, Answer, bad_request, missing
from bot.sandbox.datadog.api import case_common as common
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.case_model import Cell, FakeCase

_COMMENT = checks.resource("case", checks.record({"comment": checks.filled}))
_LINK = checks.resource(
    "link",
    checks.record(
        {
            "parent_entity_type": checks.one_of("CASE", "INCIDENT", "PAGE", "AGENT_CONVERSATION"),
            "parent_entity_id": checks.filled,
            "child_entity_type": checks.one_of("CASE", "INCIDENT", "PAGE", "AGENT_CONVERSATION"),
            "child_entity_id": checks.filled,
            "relationship": checks.one_of(
                "RELATES_TO", "CAUSES", "BLOCKS", "DUPLICATES", "PARENT_OF", "SUCCESSOR_OF", "ESCALATES_TO"
            ),
        }
    ),
)


def comment(call: Call) -> Answer:
    """Answers a list with the one new cell, as recorded."""
    _COMMENT(call.body, "")
    case = common.find(call)
    message = call.body["data"]["attributes"]["comment"]
    cell = Cell(call.world.new_id(), message, call.org.owner, call.now)
    case.comments.append(cell)
    common.touch(call, case, "comment", cell)
    return _cells([cell])


def _cells(cells: list[Cell]) -> Answer:
    return Answer({"data": [cell.json() for cell in cells]}, content_type=JSON_API)


def _cell(call: Call, case: FakeCase) -> Cell:
    cell_id = call.args["cell_id"]
    if not checks.UUID.fullmatch(cell_id):
        raise bad_request('invalid parameter "CommentID" in "path"; expected type "uuid"', "Invalid Parameter")
    cell = next((cell for cell in case.comments if cell.id == cell_id), None)
    if cell is None:
        raise missing("failed to get timeline cell: timeline cell not found")
    return cell


def edit_comment(call: Call) -> Answer:
    _COMMENT(call.body, "")
    case = common.find(call)
    cell = _cell(call, case)
    cell.message = call.body["data"]["attributes"]["comment"]
    cell.modified = call.now
    common.touch(call, case, "comment_edited", cell)
    return _cells([cell])


def delete_comment(call: Call) -> Answer:
    case = common.find(call)
    cell = _cell(call, case)
    case.comments.remove(cell)
    common.touch(call, case, "comment_deleted", cell)
    return Answer(status=204)


def timeline(call: Call) -> Answer:
    case = common.find(call)
    size = checks.number_param(call.query, "page[size]", 10, least=1, most=100)
    start = checks.number_param(call.query, "page[number]", 0, least=0) * size
    ascending = call.query.get("sort[ascending]", "false") == "true"
    cells = sorted(case.comments, key=lambda cell: cell.created, reverse=not ascending)
    return _cells(cells[start : start + size])


def watchers(call: Call) -> Answer:
    items = [
        {"id": user.id, "type": "watcher", "relationships": {"user": {"data": {"id": user.id, "type": "user"}}}}
        for user in common.find(call).watchers
    ]
    return Answer({"data": items}, content_type=JSON_API)


def watch(call: Call) -> Answer:
    case, user = common.find(call), common.person(call, call.args["user_uuid"])
    if user not in case.watchers:
        case.watchers.append(user)
    return Answer(status=201)


def unwatch(call: Call) -> Answer:
    case = common.find(call)
    case.watchers = [user for user in case.watchers if user.id != call.args["user_uuid"]]
    return Answer(status=204)


def link_incident(call: Call) -> Answer:
    checks.reference("incidents")(call.body, "")
    case = common.find(call)
    incident_id = call.body["data"]["id"]
    if incident_id not in {incident.id for incident in call.org.incidents}:
        raise missing("incident not found")
    if incident_id not in case.incidents:
        case.incidents.append(incident_id)
        common.touch(call, case, "incident_linked", incident_id)
    return common.answer(call, case, 201)


def create_link(call: Call) -> Answer:
    _LINK(call.body, "")
    attributes = call.body["data"]["attributes"]
    for side in ("parent", "child"):
        if attributes[f"{side}_entity_type"] == "CASE" and not call.org.case_management.find(
            attributes[f"{side}_entity_id"]
        ):
            raise missing("case not found")
    link = {"id": call.world.new_id(), "type": "link", "attributes": attributes}
    call.org.case_management.links.append(link)
    call.world.happened("link_created", call.org, link)
    return Answer({"data": link}, 201, JSON_API)


def list_links(call: Call) -> Answer:
    wanted = (call.query.get("entity_type"), call.query.get("entity_id"))
    if None in wanted:
        raise bad_request("entity_type and entity_id are required")
    only = call.query.get("relationship")
    kept = []
    for link in call.org.case_management.links:
        given = link["attributes"]
        ends = [(given[f"{side}_entity_type"], given[f"{side}_entity_id"]) for side in ("parent", "child")]
        if wanted in ends and only in (None, given["relationship"]):
            kept.append(link)
    return Answer({"data": kept}, content_type=JSON_API)


def delete_link(call: Call) -> Answer:
    links = call.org.case_management.links
    link = next((link for link in links if link["id"] == call.args["link_id"]), None)
    if link is None:
        raise missing("link not found")
    links.remove(link)
    return Answer(status=204)


_CASE = common.PATH + "/{case_id}"
_CELL = _CASE + "/comment/{cell_id}"
_PAGE = ("page[size]", "page[number]", "sort[ascending]")
ROUTES = (
    Route("POST", common.PATH + "/link", create_link, common.WRITE, "cases_update", body=True),
    Route(
        "GET", common.PATH + "/link", list_links, common.READ, "cases_get", ("entity_type", "entity_id", "relationship")
    ),
    Route("DELETE", common.PATH + "/link/{link_id}", delete_link, common.WRITE, "cases_update"),
    Route("POST", f"{_CASE}/comment", comment, common.WRITE, "cases_comment", body=True),
    Route("PUT", _CELL, edit_comment, common.WRITE, "cases_comment", body=True),
    Route("DELETE", _CELL, delete_comment, common.WRITE, "cases_comment"),
    Route("GET", f"{_CASE}/timelines", timeline, common.READ, "cases_get", _PAGE),
    Route("GET", f"{_CASE}/watchers", watchers, common.READ, "cases_get"),
    Route("POST", _CASE + "/watchers/{user_uuid}", watch, common.WRITE, "cases_update"),
    Route("DELETE", _CASE + "/watchers/{user_uuid}", unwatch, common.WRITE, "cases_update"),
    Route("POST", f"{_CASE}/relationships/incidents", link_incident, common.WRITE, "cases_update", body=True),
)
