"""Messages about the sentinel's announcements as Prefect renders them."""

from html import escape
from uuid import uuid4

import pytest

from alerting.plan import AutomationRule
from alerting.plan.forms import Form
from alerting.plan.message import harmless
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import heartbeat
from alerting.sentinel.messages import message_of
from tests.contract.announced import Announced, announced, every_kind, failed_with, of_runs
from tests.contract.prefect_events import OCCURRED, Run, lifecycle_events, received
from tests.contract.prefect_rendering import be_strict, rendered, stored
from tests.shared.example_stack import every_kind as example_of_all
from tests.shared.example_stack import published_of, raw_settings, rules_of
from tests.shared.strict_rendering import HOSTILE, Rendered

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("strict")]

RULES = {
    "failure": "warning",
    "recovery": "recovery",
    "fresh": "recovery",
    "streak": "critical",
    "escalation 15m": "escalation-15m",
    "escalation 1h": "escalation-1h",
    "stale": "freshness",
    "anomaly": "anomaly",
    "late": "late",
    "stuck": "late",
    "success": "success",
    "silence-over": "silence-over",
    "summary": "summary",
    "resolved": "resolved",
    "all-down": "p1-all-down",
    "not-all-down": "p1-resolved",
}
FORMS = {
    **dict.fromkeys(("alerts", "critical"), Form.SLACK),
    **dict.fromkeys(("teams", "bell"), Form.PLAIN),
    "rich": Form.RICH,
    "on-call": Form.INCIDENT,
    "mail": Form.HTML,
    "hook": Form.JSON,
}

# Nothing is closed where PagerDuty is not set up, and a tier is there once a pipeline asks for it.
WITHOUT_RULE = {
    *(VerdictKind.RESOLVED, VerdictKind.NOT_ALL_DOWN, VerdictKind.SUMMARY),
    *(VerdictKind.STALE, VerdictKind.ANOMALY, VerdictKind.SUCCESS),
}


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    be_strict(monkeypatch)


def without_pagerduty() -> dict[str, object]:
    channels: dict[str, dict[str, str]] = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    return {"channels": channels}


def messages(found: Announced, rules: dict[str, AutomationRule]) -> list[Rendered]:
    """What each channel is told that hears of an announcement."""
    return rendered(rules[RULES[found.name]], found.event, {})


@pytest.mark.parametrize(
    "changes",
    [example_of_all(), {}, without_pagerduty()],
    ids=["every kind", "the example", "Slack alone"],
)
def test_every_message_arrives_as_it_was_said_and_needs_nothing_but_the_announcement(
    changes: dict[str, object],
) -> None:
    rules, settings = rules_of(**changes), published_of(**changes)
    for each in every_kind(settings):
        rule = rules.get(RULES[each.name])
        assert rule or each.verdict.kind in WITHOUT_RULE, each.name
        said = message_of(each.verdict, settings)
        for notification, message in zip(
            rule.notifications if rule else (), messages(each, rules) if rule else (), strict=True
        ):
            form = FORMS[notification.channel]
            assert (message.subject, message.body) == said.text(form)
            for text in message.texts:
                assert "None" not in text
                assert "{" not in text
                assert not any(line.endswith((": ", ":")) for line in text.splitlines())


def test_a_failure_reads_as_it_was_written() -> None:
    run = Run("load-clicks", "prod")
    [found] = announced(run, settings=published_of())
    [message] = messages(found, rules_of())
    assert message.subject == ":x: Pipeline failed: load-clicks"
    assert message.body == (
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
        each.name: messages(each, rules_of())[-1].subject
        for each in reversed(of_runs(published_of()))
    }
    assert subjects == {
        "failure": ":x: Pipeline failed: orders",
        "streak": "CRITICAL: orders failed 3 times in a row",
        "escalation 15m": "ESCALATION to on-call engineer: orders has not recovered in 15m",
        "escalation 1h": "ESCALATION to manager: orders has not recovered in 1h",
        "all-down": "P1: all 2 pipelines are down",
        "recovery": ":white_check_mark: Recovered: orders",
        "resolved": "Resolved: orders",
        "not-all-down": "Not all pipelines are down any more",
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
    [message] = messages(failure, rules_of(**changes))
    assert message.subject == f":x: Pipeline failed: {flow}"
    assert f"*Owner*: {harmless(text)}" in message.body.split("\n")
    assert f"*Deployment*: {flow}" in message.body.split("\n")
    [message] = messages(step, rules_of(**changes))
    assert f"ESCALATION to {text}: {flow} has not" in message.subject
    assert f"*Would page*: {harmless(text)} (" in message.body


@pytest.mark.parametrize("error", [*HOSTILE, "<b>&amp;</b>", "two\nlines"])
def test_an_error_is_said_as_it_is(error: str) -> None:
    changes = {**example_of_all(), "pipelines": {}}
    [found] = announced(failed_with(error), settings=published_of(**changes))
    # Signs that are not to be seen are left out.
    shown = error.replace("\u200d", "").replace("\u2028", "\n")
    bodies = {}
    for notification, message in zip(
        rules_of(**changes)["warning"].notifications,
        messages(found, rules_of(**changes)),
        strict=True,
    ):
        bodies[notification.channel] = message.body
        if message.form in (Form.INCIDENT, Form.JSON):
            assert message.fields["Error"] == shown
        if message.form is Form.RICH:
            assert message.fields["Error"] == shown.replace("`", "'")
    assert set(bodies) == set(example_of_all()["channels"])
    assert f"*Error*: {harmless(shown)}\n" in bodies["alerts"]
    assert f"\nError: {harmless(shown)}\n" in bodies["teams"]
    assert f"<b>Error</b>: {escape(shown)}<br>\n" in bodies["mail"]


def test_a_long_error_is_cut_and_a_secret_in_it_is_not_said() -> None:
    webhook = "https://hooks.slack.com/services/T0FAKE/B0FAKE/s3cr3t0fake"
    error = f"cannot post to {webhook}: {'word ' * 50_000}"
    [found] = announced(failed_with(error), settings=published_of(pipelines={}))
    [message] = messages(found, rules_of())
    body = message.body
    assert "cannot post to https://hooks.slack.com/[redacted]: word" in body
    assert "s3cr3t0fake" not in found.event.model_dump_json()
    assert len(body) < 1_000
    assert "...\n*Owner*: data-platform" in body


@pytest.mark.parametrize("key", ["sentinel-silent", "sentinel-back"])
def test_what_is_said_of_the_alerting_itself_is_whole_whatever_made_it_fire(key: str) -> None:
    rules = rules_of(**example_of_all())
    firing = [
        *lifecycle_events(stored(rules["sentinel-back"])).values(),
        received(heartbeat(published_of(), uuid4(), OCCURRED, standby=True)),
    ]
    for event in firing:
        told = rendered(rules[key], event, {})
        assert len(told) == len(rules[key].notifications) > 1
        for message in told:
            assert message.subject.removeprefix(":warning: ").startswith("Alerting")
            assert message.fields["Look"] == "https://prefect.example.com/events"
            assert not [text for text in message.texts if "None" in text or "{" in text]
