"""Alert titles and transition words, in every form in which Datadog writes them."""

from bot.datadog.monitors import AlertTitle, read_title, transition_kind


def test_titles() -> None:
    cases: list[tuple[str, AlertTitle]] = [
        ("Triggered: High latency on {service:web}", AlertTitle("High latency", "service:web", "triggered")),
        ("Triggered: High latency", AlertTitle("High latency", "", "triggered")),
        ("Re-Triggered: CPU on host:web-1,env:prod", AlertTitle("CPU", "host:web-1,env:prod", "re-triggered")),
        ("No data: Heartbeat", AlertTitle("Heartbeat", "", "no data")),
        ("Re-No Data: Heartbeat", AlertTitle("Heartbeat", "", "re-no data")),
        ("Renotify: Disk on {*}", AlertTitle("Disk", "", "renotify")),
        ("[Triggered on {host:x}] Disk is full", AlertTitle("Disk is full", "host:x", "triggered")),
        ("[P1] [Warn on {host:x}] Disk", AlertTitle("Disk", "host:x", "warn")),
        ("[Recovered] Disk", AlertTitle("Disk", "", "recovered")),
        ("[TEST] Triggered: Disk", AlertTitle("Disk", "", "triggered", test=True)),
        ("Page #52488: [TEST] Triggered: Disk", AlertTitle("Disk", "", "triggered", test=True)),
        (":rotating_light: *Triggered: Disk*", AlertTitle("Disk", "", "triggered")),
        ("Errors on checkout", AlertTitle("Errors on checkout")),
        ("Triggered: Queue on fire", AlertTitle("Queue on fire", "", "triggered")),
        ("", AlertTitle("")),
    ]
    for title, expected in cases:
        assert read_title(title) == expected
        assert read_title(title).recovered == title.startswith("[Recovered")


def test_transition_words() -> None:
    for words, kind in (
        ("Triggered Re-Triggered re-triggered retriggered ALERT", "alert"),
        ("Warn warning Warned Re-Warn", "warn"),
        ("No_Data no-data Re-No_Data", "no data"),
        ("Renotify Renotified", "renotify"),
        ("Recovered recovery OK Warn_Recovered No_Data-Recovered", "recovered"),
        ("Muted re-muted", ""),
    ):
        assert {transition_kind(word) for word in words.split()} == {kind}
        assert transition_kind(" ") == ""
