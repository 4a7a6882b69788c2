"""What an organisation has connected for its tickets: Jira's issue templates, ServiceNow's instances."""

from bot.sandbox.datadog.answers import Answer, Json, missing
from bot.sandbox.datadog.api.call import Call, Route


def jira_templates(call: Call) -> Answer:
    jira = call.org.case_management.jira
    if jira is None:
        raise missing("Jira integration not found")
    attributes = {"consumer_key": "datadog", "instance_url": jira.url}
    account: Json = {"id": jira.account_id, "type": "jira-account", "attributes": attributes}
    items = [
        {
            "id": template_id,
            "type": "jira-issue-template",
            "attributes": {
                "name": name,
                "project_id": jira.project_id,
                "issue_type_id": jira.issue_type_id,
                "fields": {},
            },
            "relationships": {"jira_account": {"data": account}},
        }
        for template_id, name in jira.templates.items()
    ]
    return Answer({"data": items, "included": [account]})


def service_now_instances(call: Call) -> Answer:
    items = [
        {"id": instance_id, "type": "instance", "attributes": {"instance_name": name}}
        for name, instance_id in call.org.case_management.service_now.items()
    ]
    return Answer({"data": items})


_HERE = "/api/v2/integration"
ROUTES = (
    Route("GET", f"{_HERE}/jira/issue-templates", jira_templates, bucket="integrations"),
    Route("GET", f"{_HERE}/servicenow/instances", service_now_instances, bucket="integrations"),
)
