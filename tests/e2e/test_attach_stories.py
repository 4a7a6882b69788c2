"""Putting insights together, attaching and removing them, as people and the case in Datadog see it."""

import pytest

from tests.e2e.attach_town import PASTE, a_case, held, hold, hurry, link, monitor_links, opens, pastes, puts
from tests.e2e.town import Town


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


HOSTILE = "<!channel> *Disk* <https://evil.example|click> & \u202efull"


async def test_the_picker_offers_recent_cases_without_asking_datadog(town: Town) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    await pastes(town.ana, monitor_links(town, [1]))
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    await town.ana.close()
    town.datadog.break_next("GET", "/api/v2/cases*", times=99, hang=True)

    await opens(town, town.ana)
    assert await town.ana.type_in("Case") == [f"{case.key} · Disk trouble (Open)"]


async def test_the_picker_puts_the_exact_key_first_and_finds_by_words(town: Town) -> None:
    other = a_case(town, "About CASEM-43 and more", key="OTHER")
    project = town.datadog.add_project("CASEM")
    for title in ("Checkout is slow", "Disk"):
        town.datadog.add_case(title, project)

    await opens(town, town.ana)
    offered = await town.ana.type_in("Case", "CASEM-43")
    assert offered[0] == "CASEM-43 · Disk (Open)"
    assert await town.ana.type_in("Case", "checkout slow") == [
        "No case found yet: keep typing a key or words of its title"
    ]
    assert await town.ana.type_in("Case", "checkout is") == ["CASEM-42 · Checkout is slow (Open)"]
    assert await town.ana.type_in("Case", link(town, f"/cases/{other.key}")) == [
        f"{other.key} · About CASEM-43 and more (Open)"
    ]


async def test_a_slow_datadog_still_gets_an_answer_and_the_next_keystroke_the_rest(town: Town) -> None:
    case = a_case(town)
    slow = town.datadog.break_next("GET", "/api/v2/cases", delay=30)
    await opens(town, town.ana)

    assert await town.ana.type_in("Case", "disk") == ["Datadog is slow: keep typing to see more"]
    await town.ana.choose("Case", "Datadog is slow: keep typing to see more")
    await town.ana.waits_for(lambda: town.ana.modal and not town.ana.modal.fields["Case"])
    await town.ana.fill({PASTE: link(town, "/monitors/7")})
    seen = await town.ana.submit()
    assert list(seen.errors) == ["Case"]

    slow.release()
    await town.datadog.wait_for(lambda: slow.hits[0].status)
    assert await town.ana.type_in("Case", "disk") == [f"{case.key} · Disk trouble (Open)"]


@pytest.mark.parametrize(
    ("status", "hint"), [(403, "does not let me search"), (400, "does not answer"), (404, "does not answer")]
)
async def test_a_refusing_datadog_is_told_in_the_picker(town: Town, status: int, hint: str) -> None:
    town.datadog.break_next("GET", "/api/v2/cases", times=9, status=status)
    await opens(town, town.ana)
    (offered,) = await town.ana.type_in("Case", "disk")
    assert hint in offered


async def test_six_mixed_links_of_which_two_are_refused_with_reasons(town: Town) -> None:
    case = a_case(town)
    incident = town.datadog.add_incident("Checkout down")
    await opens(town, town.ana, case)
    modal = await pastes(
        town.ana,
        [
            link(town, f"/monitors/{town.monitor.id}"),
            f"<{link(town, f'/incidents/{incident.id}')}|the incident>",
            link(town, "/error-tracking?issueId=9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f&live=true"),
            "https://github.com/acme/shop/pull/7",
            "https://evil.example/monitors/1",
            link(town, "/logs?query=service%3Aweb"),
        ],
    )
    assert "4 of 4 chosen" in modal
    assert "evil.example is not your Datadog." in modal
    assert "Datadog has no insight for a log search." in modal
    await town.ana.waits_for_modal("Checkout down")

    await town.ana.choose("attach:comment", "Post these 2 links as one comment")
    await town.ana.submit()

    await town.ana.waits_for_modal("Posted 2 links as a comment")
    assert held(case) == {
        str(town.monitor.id),
        incident.id,
        "9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f",
        "https://github.com/acme/shop/pull/7",
    }
    (comment,) = town.datadog.comments()
    assert "- https://evil.example/monitors/1" in comment
    assert "- https://app.datadoghq.com/logs?query=service%3Aweb" in comment


async def test_links_pasted_but_not_added_are_attached_too_unless_something_is_wrong_with_them(town: Town) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    await town.ana.fill({PASTE: f"{link(town, '/monitors/5')} and {link(town, '/s/abc/def')}"})
    await town.ana.submit()

    modal = await town.ana.waits_for_modal("Not all of what you pasted can be attached")
    assert "A short link does not say what it leads to" in modal
    assert "This is no link" in modal
    assert puts(town, case) == []
    await town.ana.press("Clear these")
    await town.ana.waits_for(lambda: town.ana.modal and "as pasted" not in town.ana.modal)
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    assert held(case) == {"5"}


async def test_by_hand_with_the_page_that_did_not_tell_its_id(town: Town) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    await pastes(town.ana, [link(town, "/cost/recommendations?account=1")])
    await town.ana.press("By hand")
    modal = await town.ana.waits_for_modal("Kind")
    assert modal.fields["Kind"] == "Cloud cost recommendation"
    assert modal.fields["Page"] == "/cost/recommendations?account=1"

    await town.ana.press("Add this one")
    await town.ana.waits_for_modal("The id of a cloud cost recommendation is as its page shows it")
    seen = await town.ana.submit()
    assert "as its page shows it" in seen.errors["Id"]

    await town.ana.fill({"Id": "rec-1"})
    await town.ana.press("Add this one")
    await town.ana.waits_for_modal("1 of 1 chosen: 1 cloud cost recommendation")
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    assert case.insights == {("CLOUD_COST_RECOMMENDATION", "rec-1"): "/cost/recommendations?account=1"}


async def test_what_is_not_chosen_is_not_attached_and_the_choice_outlives_other_gestures(town: Town) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    await pastes(town.ana, monitor_links(town, [1, 2, 3]))
    await town.ana.choose("Insights", "Monitor 1", "Monitor 3")
    await town.ana.waits_for_modal("2 of 3 chosen")
    modal = await pastes(town.ana, monitor_links(town, [3, 4]))
    assert "Added 1. 1 was listed already." in modal
    assert modal.fields["Insights"] == "Monitor 1, Monitor 3, Monitor 4"
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 3 insights")
    assert held(case) == {"1", "3", "4"}


async def test_nothing_chosen_is_said_under_the_field(town: Town) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    seen = await town.ana.submit()
    assert "Nothing is chosen to be attached" in seen.errors[PASTE]


async def test_what_the_case_has_already_is_marked_and_not_sent_again(town: Town) -> None:
    case = a_case(town)
    hold(case, [1, 2])
    await opens(town, town.ana, case)
    modal = await pastes(town.ana, monitor_links(town, [1, 2, 3]))
    assert f"Already on {case.key}" in modal
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    assert puts(town, case) == [1]
    assert held(case) == {"1", "2", "3"}


async def test_a_name_that_datadog_does_not_know_is_asked_for_once(town: Town) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    await pastes(town.ana, monitor_links(town, [1]))
    await town.datadog.wait_for(lambda: town.datadog.asked("GET", "/api/v1/monitor/1"))
    await pastes(town.ana, [link(town, f"/monitors/{town.monitor.id}")])
    await town.ana.waits_for_modal("Disk almost full · monitor")
    await pastes(town.ana, monitor_links(town, [2]))
    await town.datadog.wait_for(lambda: town.datadog.asked("GET", "/api/v1/monitor/2"))
    assert len(town.datadog.asked("GET", "/api/v1/monitor/1")) == 1


@pytest.mark.parametrize(("count", "requests"), [(1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
async def test_any_number_goes_in_requests_of_a_hundred(town: Town, count: int, requests: list[int]) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    modal = await pastes(town.ana, monitor_links(town, range(1, count + 1)))
    assert f"{count} of {count} chosen" in modal
    await town.ana.submit()
    await town.ana.waits_for_modal(f"Attached {count} insight")
    assert puts(town, case) == requests
    assert len(case.insights) == count


async def test_a_double_submit_is_one(town: Town) -> None:
    case = a_case(town)
    alert = await town.alert()
    await town.ana.shortcut("attach_message_to_case", on=alert.message)
    await town.ana.waits_for_modal("chosen")
    await town.ana.type_in("Case", case.key)
    await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
    assert town.ana.modal
    payload = town.ana.base_payload("view_submission") | {"view": town.ana.modal.view.to_json(), "response_urls": []}

    await town.ana.submit()
    again = await town.ana.send(payload)

    assert again["view"]["callback_id"] == "attach_nothing"
    await town.ana.waits_for_modal("Attached 2 insights")
    await town.reads(alert.message, "@ana attached 2 insights")
    assert puts(town, case) == [2]
    assert len(alert.message.replies) == 1


async def test_two_windows_of_one_person_and_of_two_people_are_kept_apart(town: Town) -> None:
    one, other = a_case(town, "One", "ONE"), a_case(town, "Other", "OTHER")
    await opens(town, town.ana, one)
    await pastes(town.ana, monitor_links(town, [1]))
    first = town.ana.modal
    await opens(town, town.ben, other)
    await pastes(town.ben, monitor_links(town, [2]))
    await opens(town, town.ana, other)
    await pastes(town.ana, monitor_links(town, [3]))

    assert first
    payload = {"view": first.view.to_json(), "response_urls": []}
    answer = await town.ana.send(town.ana.base_payload("view_submission") | payload)
    assert "Attaching 1 insight" in str(answer)
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    await town.ben.submit()
    await town.ben.waits_for_modal("Attached 1 insight")
    await town.datadog.wait_for(lambda: held(one))
    assert (held(one), held(other)) == ({"1"}, {"2", "3"})


async def test_somebody_elses_key_opens_nothing(town: Town) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    await pastes(town.ana, monitor_links(town, [1]))
    assert town.ana.modal
    stolen = {"view": town.ana.modal.view.to_json(), "response_urls": []}

    answer = await town.ben.send(town.ben.base_payload("view_submission") | stolen)

    assert "belongs to somebody else" in str(answer)
    options = town.ben.base_payload("block_suggestion") | stolen
    options |= {"action_id": "attach:case", "block_id": "case:0", "value": "disk"}
    assert await town.ben.send(options) == {"options": []}
    assert puts(town, case) == []


async def test_insights_are_removed_after_a_second_look(town: Town) -> None:
    case = a_case(town)
    hold(case, [1, 2, 3])
    alert = await town.alert()
    await town.ana.shortcut("attach_message_to_case", on=alert.message)
    await town.ana.waits_for_modal("chosen")
    await town.ana.type_in("Case", case.key)
    await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
    await town.ana.waits_for_modal("Remove insights")
    await town.ana.press("Remove insights")
    await town.ana.waits_for_modal("has 3 insights")
    seen = await town.ana.submit()
    assert seen.errors == {"Insights": "Please complete this required field."}
    await town.ana.choose("Insights", "Monitor 1", "Monitor 3")
    await town.ana.submit()
    modal = await town.ana.waits_for_modal("Remove 2 insights from")
    assert "Monitor 3" in modal
    await town.ana.submit()

    await town.ana.waits_for_modal("Removed 2 insights")
    await town.reads(alert.message, f"@ana removed 2 insights from {case.key}", "2 monitors")
    assert held(case) == {"2"}
    await town.ana.press("Back to the list")
    await town.ana.waits_for_modal("2 of 2 chosen")
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 2 insights")


async def test_hostile_names_stay_words(town: Town) -> None:
    case = a_case(town, HOSTILE)
    monitor = town.datadog.add_monitor(HOSTILE)
    alert = await town.alert(monitor)
    await town.ana.shortcut("attach_message_to_case", on=alert.message)
    await town.ana.waits_for_modal("chosen")
    (offered,) = await town.ana.type_in("Case", case.key)
    await town.ana.choose("Case", offered)
    await town.ana.waits_for_modal("<!channel>")
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 2 insights")
    seen = await town.reads(alert.message, "@ana attached 2 insights")
    assert "evil.example" not in seen
    assert town.slack.broadcasts == []
    assert town.slack.messages.pings == [] or all(ping.kind == "user" for ping in town.slack.messages.pings)


async def test_names_come_later_and_the_window_stands_at_once(town: Town) -> None:
    slow = town.datadog.break_next("GET", "/api/v1/monitor/*", delay=30)
    case = a_case(town)
    await opens(town, town.ana, case)
    modal = await pastes(town.ana, [link(town, f"/monitors/{town.monitor.id}")])
    assert f"Monitor {town.monitor.id}" in modal.fields["Insights"]
    await town.datadog.wait_for(lambda: slow.hits)
    slow.release()
    await town.ana.waits_for_modal("Disk almost full · monitor")
