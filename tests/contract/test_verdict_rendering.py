"""Messages about the sentinel's announcements as Prefect renders them."""

from uuid import uuid4

import pytest

from alerting.plan import AutomationRule
from alerting.sentinel.events import heartbeat
from tests.contract.announced import Announced, announced, every_kind, failed_with
from tests.contract.prefect_events import OCCURRED, Run, lifecycle_events, received
from tests.contract.prefect_rendering import be_strict, rendered, stored
from tests.unit.example_stack import published_of, raw_settings, rules_of
from tests.unit.strict_rendering import HOSTILE

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("strict")]

RULES = {
    "failure": "warning",
    "recovery": "recovery",
    "streak": "critical",
    "escalation 15m": "escalation-15m",
    "escalation 1h": "escalation-1h",
    "all-down": "p1-all-down",
}
TOLD = RULES.keys()


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    be_strict(monkeypatch)


def without_pagerduty() -> dict[str, object]:
    channels: dict[str, dict[str, str]] = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    return {"channels": channels}


def messages(found: Announced, rules: dict[str, AutomationRule]) -> list[tuple[str, str]]:
    """Subject and body for each channel that hears of an announcement."""
    return rendered(rules[RULES[found.name]], found.event, {})


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("changes", [{}, without_pagerduty()], ids=["PagerDuty", "Slack alone"])
def test_every_message_is_whole_and_needs_nothing_but_the_announcement(
    name: str, changes: dict[str, object]
) -> None:
    rules = rules_of(**changes)
    told = [each for each in every_kind(published_of(**changes)) if each.name == name]
    assert told
    for each in told:
        for subject, body in messages(each, rules):
            for text in (subject, body):
                assert "None" not in text
                assert "{" not in text
                assert not any(line.endswith((": ", ":")) for line in text.splitlines())


def test_a_failure_reads_as_it_was_written() -> None:
    run = Run("load-clicks", "prod")
    [found] = announced(run, settings=published_of())
    [(subject, body)] = messages(found, rules_of())
    assert subject == ":x: Pipeline failed: load-clicks"
    assert body == (
        "load-clicks failed.\n"
        "*Flow*: load-clicks\n"
        "*Deployment*: prod\n"
        f"*Run*: brave-otter ({run.id})\n"
        "*State*: Failed at 2026-03-01 06:30:05 UTC\n"
        "*Error*: the warehouse is asleep\n"
        "*Owner*: web\n"
        "*Runbook*: none yet\n"
        f"*Look*: https://prefect.example.com/runs/flow-run/{run.id}"
    )


def test_each_tier_says_what_it_is_about() -> None:
    subjects = {
        each.name: messages(each, rules_of())[-1][0]
        for each in reversed(every_kind(published_of()))
        if each.name in TOLD
    }
    assert subjects == {
        "failure": ":x: Pipeline failed: orders",
        "streak": "CRITICAL: orders failed 3 times in a row",
        "escalation 15m": "ESCALATION to on-call engineer: orders has not recovered in 15m",
        "escalation 1h": "ESCALATION to manager: orders has not recovered in 1h",
        "all-down": "P1: all 2 pipelines are down",
        "recovery": ":white_check_mark: Recovered: orders",
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_people_and_things_are_called_is_said_as_it_is(text: str) -> None:
    flow = text.translate(str.maketrans("", "", "/%&<>"))  # names as Prefect allows them
    changes: dict[str, object] = {
        "pipelines": {flow: {"owner": text, "deployment": flow, "escalate": True}},
        "defaultOwner": text,
        "escalation": [{"after": "15m", "to": text, "notify": ["on-call"]}],
        **without_pagerduty(),
    }
    failure, step = announced(Run(flow, flow), settings=published_of(**changes))
    [(subject, body)] = messages(failure, rules_of(**changes))
    assert subject == f":x: Pipeline failed: {flow}"
    assert f"*Owner*: {text}" in body.split("\n")
    assert f"*Deployment*: {flow}" in body.split("\n")
    [(subject, body)] = messages(step, rules_of(**changes))
    assert f"ESCALATION to {text}: {flow} has not" in subject
    assert f"*Would page*: {text} (" in body


@pytest.mark.parametrize("error", [*HOSTILE, "<b>&amp;</b>", "two\nlines"])
def test_an_error_is_said_as_it_is(error: str) -> None:
    [found] = announced(failed_with(error), settings=published_of(pipelines={}))
    [(_, body)] = messages(found, rules_of())
    assert f"*Error*: {error}\n" in body


def test_a_long_error_is_cut_and_a_secret_in_it_is_not_said() -> None:
    webhook = "https://hooks.slack.com/services/T0FAKE/B0FAKE/s3cr3t0fake"
    error = f"cannot post to {webhook}: {'word ' * 50_000}"
    [found] = announced(failed_with(error), settings=published_of(pipelines={}))
    [(_, body)] = messages(found, rules_of())
    assert "cannot post to https://hooks.slack.com/[redacted]: word" in body
    assert "s3cr3t0fake" not in found.event.model_dump_json()
    assert len(body) < 1_000
    assert "...\n*Owner*: data-platform" in body


@pytest.mark.parametrize("key", ["sentinel-silent", "sentinel-back"])
def test_what_is_said_of_the_alerting_itself_is_whole_whatever_made_it_fire(key: str) -> None:
    rules = rules_of()
    firing = [
        *lifecycle_events(stored(rules["sentinel-back"])).values(),
        received(heartbeat(published_of(), uuid4(), OCCURRED, standby=True)),
    ]
    for event in firing:
        for subject, body in rendered(rules[key], event, {}):
            assert subject.removeprefix(":warning: ").startswith("Alerting")
            assert body.endswith(": https://prefect.example.com/events")
            assert "None" not in body
