"""What the messages say of the sentinel's own announcements. Undefined names are errors."""

from collections.abc import Iterable

import pytest

from alerting.plan import AutomationRule
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import announcement
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import judge
from tests.unit.example_stack import published_of, raw_settings, rules_of
from tests.unit.histories import end, minute, runs
from tests.unit.strict_rendering import HOSTILE, Announced, Rendered, render

pytestmark = pytest.mark.unit

KEYS = {
    VerdictKind.FAILURE: "warning",
    VerdictKind.RECOVERY: "recovery",
    VerdictKind.STREAK: "critical",
    VerdictKind.ALL_DOWN: "p1-all-down",
}
HISTORY = [
    *runs("F F C"),
    end("F", 21, "load-clicks", "prod"),
    end("S", 30),
    end("F", 40, "load-clicks", "test"),
    end("F", 50, "not listed"),
    end("F", 60, "not listed", "prod", message=""),
    end("S", 70, "not listed", "prod"),
]
EVERY_RULE = {"warning", "recovery", "critical", "escalation-15m", "p1-all-down"}


def without_pagerduty() -> dict[str, object]:
    channels: dict[str, dict[str, str]] = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    return {"channels": channels}


def said(
    history: Iterable[Ended] = HISTORY, /, **changes: object
) -> list[tuple[AutomationRule, Rendered]]:
    """Every message about a history, with the rule that sends it, in order."""
    settings, rules = published_of(**changes), rules_of(**changes)
    now = minute(100)
    messages = []
    for verdict in judge(history, settings, now):
        key = f"escalation-{verdict.step}" if verdict.step else KEYS.get(verdict.kind)
        if key:
            event = announcement(verdict, settings, now)
            messages += [
                (rules[key], render(each, Announced(event))) for each in rules[key].notifications
            ]
    return messages


def first(key: str, history: Iterable[Ended] = HISTORY, /, **changes: object) -> Rendered:
    """The first message of a rule about a history."""
    return next(message for rule, message in said(history, **changes) if rule.key == key)


@pytest.mark.parametrize("changes", [{}, without_pagerduty()], ids=["PagerDuty", "Slack alone"])
def test_every_message_is_whole_whatever_happened(changes: dict[str, object]) -> None:
    messages = said(**changes)
    assert {rule.key for rule, _ in messages} == EVERY_RULE
    for _, message in messages:
        for text in (message.subject, message.body):
            assert "None" not in text
            assert "{" not in text
            assert "}" not in text
            assert not any(line.endswith((": ", ":")) for line in text.splitlines())


def test_a_failure_says_what_when_where_and_how_to_start() -> None:
    message = first("warning")
    run_id = HISTORY[0].run_id
    assert message.subject == ":x: Pipeline failed: orders"
    assert message.body == (
        "orders failed.\n"
        "*Flow*: orders\n"
        "*Deployment*: none, an ad hoc run\n"
        f"*Run*: brave-otter ({run_id})\n"
        "*State*: Failed at 2026-03-01 06:00:00 UTC\n"
        "*Error*: the warehouse is asleep\n"
        "*Owner*: shop\n"
        "*Runbook*: https://wiki.example.com/orders\n"
        f"*Look*: https://prefect.example.com/runs/flow-run/{run_id}"
    )


def test_each_tier_says_what_it_is_about() -> None:
    messages = {rule.key: message for rule, message in reversed(said())}
    assert {key: message.subject for key, message in messages.items()} == {
        "warning": ":x: Pipeline failed: orders",
        "escalation-15m": "ESCALATION to on-call engineer: orders has not recovered in 15m",
        "critical": ":rotating_light: CRITICAL: orders failed 3 times in a row",
        "p1-all-down": "P1: all 2 pipelines are down",
        "recovery": ":white_check_mark: Recovered: orders",
    }
    first_lines = {key: message.body.splitlines()[0] for key, message in messages.items()}
    since = "since 2026-03-01 06:00:00 UTC"
    assert first_lines["critical"] == (
        f"orders failed 3 times in a row, {since}. This is the latest failure."
    )
    assert first_lines["escalation-15m"].startswith(f"orders has been failing {since} and has not ")
    assert first_lines["p1-all-down"].startswith(
        "The last run of every listed pipeline failed: clicks, orders. "
    )
    assert first_lines["recovery"] == (
        f"orders completed. It had been failing {since}, 3 time(s) in a row."
    )


def test_a_page_at_a_further_multiple_says_how_many_failures_there_were() -> None:
    subjects = [m.subject for rule, m in said(runs("F F F F F F")) if rule.key == "critical"]
    assert [subject for subject in subjects if not subject.startswith(":")] == [
        "CRITICAL: orders failed 3 times in a row",
        "CRITICAL: orders failed 6 times in a row",
    ]


def test_the_owner_is_the_one_of_flow_and_deployment_and_by_default_the_stacks() -> None:
    owners = [m.fields["Owner"] for rule, m in said() if rule.key == "warning"]
    assert owners == ["shop", "shop", "shop", "web", *["data-platform"] * 3]


def test_good_news_shows_no_error_and_a_missing_error_is_said_to_be() -> None:
    assert "Error" not in first("recovery").fields
    assert first("warning", [end("F", 0, message="")]).fields["Error"] == "none given"


@pytest.mark.parametrize("error", ["x" * 100_000, "long " * 20_000, "\u4e2d" * 50_000])
def test_a_long_error_is_cut_and_nothing_after_it_is(error: str) -> None:
    message = first("warning", [end("F", 0, message=error)])
    assert 300 < len(message.fields["Error"]) <= 400
    assert message.fields["Error"].endswith("...")
    assert message.fields["Owner"] == "shop"


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_people_and_things_are_called_is_said_as_it_is(text: str) -> None:
    flow = text.translate(str.maketrans("", "", "/%&<>"))  # names as Prefect allows them
    changes: dict[str, object] = {
        "pipelines": {
            flow: {"owner": text, "deployment": flow, "escalate": True},
            "b": {"owner": "b"},
        },
        "defaultOwner": text,
        "escalation": [{"after": "15m", "to": text, "notify": ["on-call"]}],
        **without_pagerduty(),
    }
    history = [
        end("F", 0, flow, flow, message=text),
        end("F", 1, "b"),
        end("F", 2, f"other {flow}"),
    ]
    warning = first("warning", history, **changes)
    assert warning.subject == f":x: Pipeline failed: {flow}"
    for line in (f"*Owner*: {text}", f"*Deployment*: {flow}", f"*Error*: {text}"):
        assert line in warning.body.split("\n")
    step = first("escalation-15m", history, **changes)
    assert step.subject.startswith(f":mega: ESCALATION to {text}: {flow} has not")
    assert f"*Would page*: {text} (PagerDuty channel on-call is not set up)" in step.body
    assert flow in first("p1-all-down", history, **changes).body.split("\n")[0]
    stranger = first("warning", history[2:], **changes)
    assert f"*Owner*: {text}" in stranger.body.split("\n")


def test_an_outage_names_ten_pipelines_and_counts_the_rest() -> None:
    names = [f"p{number:02}" for number in range(12)]
    pipelines = {name: {"owner": "web"} for name in names}
    history = [end(outcome, at, name) for at, outcome in enumerate("SF") for name in names]
    message = first("p1-all-down", history, pipelines=pipelines)
    assert "failed: p00, p01, p02, p03, p04, p05, p06, p07, p08, p09 and 2 more. " in message.body
    assert message.subject == "P1: all 12 pipelines are down"


@pytest.mark.parametrize("key", ["sentinel-silent", "sentinel-back"])
def test_what_is_said_of_the_alerting_itself_needs_no_event(key: str) -> None:
    # What fires is a heartbeat, or the deployment of an automation.
    for notification in rules_of(defaultOwner="{{ us }}")[key].notifications:
        message = render(notification, Announced({"payload": {}}))
        assert message.fields["Owner"] == "{{ us }}"
        assert message.fields["Look"] == "https://prefect.example.com/events"


def test_silence_says_how_long_it_lasted_and_what_to_do() -> None:
    rule = rules_of(sentinel={"silentFor": "90s"})["sentinel-silent"]
    message = render(rule.notifications[0], Announced({"payload": {}}))
    assert message.subject == "Alerting itself is down: the sentinel is silent"
    assert message.body.startswith("Nothing was heard of the sentinel for 1m30s. ")
    assert "alertctl sentinel run" in message.body
