"""Policies of automations: what they act on, how often they page, and that pages stay."""

import json
from typing import Any

import pytest

from tests.shared.recording_mocks import (
    AUTOMATION,
    BLOCK,
)
from tests.tools.policed_stack import PolicedStack, one_pipeline, secret, unknown

pytestmark = [pytest.mark.tools, pytest.mark.usefixtures("credentials")]


@pytest.mark.parametrize(
    "fields",
    [
        {"match": "{}", "matchRelated": "{}"},
        {"match": json.dumps({"data-alerts.scope": "staging"})},
        {"match": json.dumps({"data-alerts.scope": "nonprod"})},
        {"match": json.dumps({"data-alerts.scope": "*.prod"})},
        {"match": json.dumps({"data-alerts.scope": "!team.prod"})},
        {"match": json.dumps({"data-alerts.scope": ["prod", "staging"]})},
        {"match": json.dumps({"prefect.resource.id": "data-alerts.sentinel.staging"})},
        {
            "match": json.dumps(
                {"prefect.resource.id": ["data-alerts.sentinel.prod", "prefect.flow-run.*"]}
            )
        },
        {
            "match": "{}",
            "matchRelated": json.dumps(
                {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.*"}
            ),
        },
        {
            "match": "{}",
            "matchRelated": json.dumps(
                {"prefect.resource.role": "flow", "prefect.resource.id": "prefect.tag.dlt"}
            ),
        },
    ],
)
def test_an_automation_may_not_act_on_what_is_not_the_stacks(fields: dict[str, str]) -> None:
    stack = PolicedStack("prod")
    stack.change_event("warning", **fields)
    [told] = stack.violations("matched-and-keyed")
    assert told.startswith("warning: acts on runs or events of others. Match the tag")


@pytest.mark.parametrize(
    "fields",
    [
        {"match": json.dumps({"data-alerts.scope": "team.prod"})},
        {
            "match": "{}",
            "matchRelated": json.dumps(
                [
                    {"prefect.resource.role": "flow", "prefect.resource.name": "orders"},
                    {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.other"},
                ]
            ),
        },
        {"match": json.dumps({"prefect.resource.id": "data-alerts.sentinel.prod"})},
        {"match": json.dumps({"prefect.resource.id": "prefect.work-pool.*"})},
    ],
)
def test_an_automation_may_act_on_tagged_runs_or_the_stacks_own_events(
    fields: dict[str, str],
) -> None:
    stack = PolicedStack("prod")
    stack.change_event("warning", **fields)
    assert stack.violations("matched-and-keyed") == []


def test_a_trigger_that_no_policy_can_judge_is_stopped() -> None:
    stack = PolicedStack("prod")
    stack.change(AUTOMATION, "warning", trigger={"metric": {"metric": {"name": "lateness"}}})
    [told] = stack.violations("matched-and-keyed")
    assert told.startswith("warning: its trigger is of a kind that no policy here can judge")


def test_one_trigger_of_a_compound_that_acts_on_all_is_enough_to_stop_it() -> None:
    stack = PolicedStack("prod")
    event = {"match": "{}", "matchRelated": "{}", "expects": ["prefect.flow-run.Failed"]}
    tagged = json.dumps({"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.dlt"})
    children = [{"event": {**event, "matchRelated": tagged}}, {"event": event}]
    trigger = {"compound": {"require": "all", "within": 60, "triggers": children}}
    stack.change(AUTOMATION, "warning", trigger=trigger)
    assert len(stack.violations("matched-and-keyed")) == 1
    children[1] = children[0]
    assert stack.violations("matched-and-keyed") == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"forEaches": []}, "counts all runs in one"),
        ({"threshold": 3, "within": 60}, "counts to 3, but not by flow"),
    ],
)
def test_a_trigger_that_adds_up_different_flows_is_stopped(
    fields: dict[str, Any], problem: str
) -> None:
    stack = PolicedStack("prod")
    stack.change_event("warning", **fields)
    [told] = stack.violations("matched-and-keyed")
    assert told.startswith(f"warning: {problem}")
    assert "related:flow:prefect.resource.id" in told


def test_a_trigger_that_counts_each_flow_alone_is_let_through() -> None:
    stack = PolicedStack("prod")
    flow = "related:flow:prefect.resource.id"
    stack.change_event("warning", threshold=3, within=60, forEaches=[flow])
    assert stack.violations("matched-and-keyed") == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"forEaches": []}, "pages for every event. Key it"),
        ({"threshold": 3}, "counts, or waits, without a window. Set within"),
        ({"posture": "Proactive"}, "counts, or waits, without a window. Set within"),
        ({"expects": ["prefect.flow-run.*"]}, "pages for every state of a run. Name the events"),
    ],
)
def test_a_trigger_that_pages_again_for_the_same_failure_is_stopped(
    fields: dict[str, Any], problem: str
) -> None:
    stack = PolicedStack("prod")
    stack.change_event("critical", **fields)
    [told] = stack.violations("page-once")
    assert told.startswith(f"critical: {problem}")


def test_a_compound_that_pages_has_a_window() -> None:
    stack = PolicedStack("prod")
    event = {"event": {"match": "{}", "expects": ["prefect.flow-run.Failed"]}}
    compound = {"require": "all", "triggers": [event, event]}
    stack.change(AUTOMATION, "p1-all-down", trigger={"compound": compound})
    assert stack.violations("page-once") == ["p1-all-down: pages without a window. Set within."]
    stack.change(AUTOMATION, "p1-all-down", trigger={"compound": {**compound, "within": 60}})
    assert stack.violations("page-once") == []


def test_what_only_slack_hears_may_repeat() -> None:
    stack = PolicedStack("prod")
    stack.change_event("warning", forEaches=[])
    assert stack.violations("page-once") == []


def test_two_automations_may_not_page_for_the_same_events() -> None:
    stack = PolicedStack("prod", escalation=_escalation("15m", "1h"))
    first = {"match": json.dumps({"data-alerts.scope": "prod", "data-alerts.step": "15m"})}
    for name in ("escalation-15m", "escalation-1h"):
        stack.change_event(name, **first)
    [told] = stack.violations("page-once")
    assert told == (
        "escalation-1h: rings the same pager as escalation-15m, by the same trigger. Remove one."
    )
    stack.change(AUTOMATION, "escalation-1h", enabled=False)
    assert stack.violations("page-once") == []
    stack.change(BLOCK, "data-info", typeSlug="pager-duty-webhook")
    another = {"type": "send-notification", "blockDocumentId": "data-info-id"}
    stack.change(AUTOMATION, "escalation-1h", enabled=True, actions=[another])
    assert stack.violations("page-once") == []


def told_by(block: str, body: str) -> list[dict[str, str]]:
    """A notification, as an automation's actions have it."""
    action = {"type": "send-notification", "blockDocumentId": f"{block}-id", "body": body}
    return [action]


@pytest.mark.parametrize(
    ("block", "body", "stopped"),
    [
        ("on-call-incidents", '"event_action": "trigger"', True),
        ("on-call-incidents", "critical", True),
        ("on-call-incidents", '"event_action": "trigger", "dedup_key": "orders"', False),
        ("on-call-incidents", "{{ event.payload.messages.incident.body }}", False),
        ("on-call", "critical", False),
        ("data-alerts", "critical", False),
    ],
)
def test_what_pages_through_the_events_api_says_which_incident_it_is(
    block: str, body: str, stopped: bool
) -> None:
    stack = PolicedStack("staging")
    stack.change(AUTOMATION, "p1-all-down", actions=told_by(block, body))
    found = [each for each in stack.violations("page-once") if "dedup_key" in each]
    assert [each.split(": ")[0] for each in found] == (["p1-all-down"] if stopped else [])


CLOSING = '"event_action": "resolve", "dedup_key": "orders"'


@pytest.mark.parametrize(
    ("key", "block", "body", "stopped"),
    [
        ("resolved", "on-call-incidents", "{{ event.payload.messages.incident.body }}", False),
        ("critical", "on-call-incidents", CLOSING, False),
        ("critical", "on-call-incidents", CLOSING.replace("resolve", "trigger"), True),
        # PagerDuty's own block opens an incident with whatever it is told.
        ("resolved", "on-call", "{{ event.payload.messages.plain.body }}", True),
    ],
)
def test_what_closes_an_incident_is_no_page(key: str, block: str, body: str, stopped: bool) -> None:
    stack = PolicedStack("staging")
    stack.change(AUTOMATION, key, actions=told_by(block, body))
    stack.change_event(key, forEaches=[])
    told = stack.violations("page-once")
    assert [each.split(": ")[0] for each in told] == ([key] if stopped else [])


def test_a_pager_that_is_only_told_what_is_over_is_rung_by_nobody() -> None:
    stack = PolicedStack("staging", pipelines=one_pipeline(), escalation="[]")
    for key in ("critical", "p1-work-pool", "sentinel-silent"):
        stack.change(AUTOMATION, key, actions=told_by("data-alerts", "critical"))
    [told] = stack.violations("paging-rules-stay")
    assert told.startswith("on-call: is a pager that no alert rings. Name the channel in a tier")


@pytest.mark.parametrize("block", ["on-call", "on-call-incidents"])
def test_a_channel_is_rung_through_either_of_its_blocks(block: str) -> None:
    stack = PolicedStack("prod")
    for key in ("critical", "p1-work-pool", "p1-all-down", "sentinel-silent"):
        stack.change(AUTOMATION, key, actions=told_by(block, '"dedup_key": ""'))
    assert stack.violations("paging-rules-stay") == stack.violations("page-once") == []
    for key in ("escalation-15m", "escalation-30m", "escalation-1h"):
        stack.change(AUTOMATION, key, actions=told_by(block, '"dedup_key": ""'))
    assert stack.violations("paging-rules-stay") == stack.violations("page-once") == []


def test_a_pager_whose_secret_is_yet_to_be_made_is_known_as_one() -> None:
    stack = PolicedStack("prod")
    stack.change(BLOCK, "on-call-incidents", data=secret(unknown()))
    assert stack.violations("paging-rules-stay") == []
    stack.change(AUTOMATION, "critical", actions=told_by("data-alerts", "critical"))
    [told] = stack.violations("paging-rules-stay")
    assert told.startswith("critical: nobody is paged for it in production")


@pytest.mark.parametrize(
    "key",
    [
        "critical",
        "p1-all-down",
        "p1-work-pool",
        "escalation-15m",
        "escalation-30m",
        "escalation-1h",
        "sentinel-silent",
    ],
)
@pytest.mark.parametrize("how", ["removed", "told on Slack alone", "switched off"])
def test_a_rule_that_wakes_production_does_not_go(key: str, how: str) -> None:
    stack = PolicedStack("prod")
    if how == "removed":
        stack.remove(AUTOMATION, key)
    elif how == "switched off":
        stack.change(AUTOMATION, key, enabled=False)
    else:
        action = {"type": "send-notification", "blockDocumentId": "data-alerts-id"}
        stack.change(AUTOMATION, key, actions=[action])
    *switched_off, told = stack.violations("paging-rules-stay")
    assert told.startswith(f"{key}: nobody is paged for it in production. Bring back")
    assert len(switched_off) == (how == "switched off")


def test_a_rule_that_wakes_production_may_be_replaced_by_variants_of_it() -> None:
    variants = PolicedStack("prod", evaluation="triggers")
    variants.remove(AUTOMATION, "critical")
    # critical-3d is left, which counts the failures of daily pipelines.
    assert variants.violations("paging-rules-stay") == []


def test_production_without_any_escalation_wakes_nobody_for_a_failure_that_lasts() -> None:
    stack = PolicedStack("prod", evaluation="triggers", escalation=_escalation("15m", "1h"))
    stack.remove(AUTOMATION, "escalation-15m")
    assert stack.violations("paging-rules-stay") == []
    stack.remove(AUTOMATION, "escalation-1h")
    [told] = stack.violations("paging-rules-stay")
    assert told.startswith("escalation: nobody is paged for it in production")


def test_a_single_pipeline_needs_no_rule_for_all_of_them() -> None:
    stack = PolicedStack("prod", pipelines=one_pipeline(), escalation="[]")
    assert stack.violations("paging-rules-stay") == []


def test_a_pager_that_drills_alone_ring_is_stopped_in_any_stack() -> None:
    settings = {"pipelines": one_pipeline(), "escalation": "[]"}
    tiers: dict[str, Any] = {"warning": {"notify": ["data-alerts"]}}
    stack = PolicedStack("staging", tiers=json.dumps(tiers), **settings)
    [told] = stack.violations("paging-rules-stay")
    assert told.startswith("on-call: is a pager that no alert rings. Name the channel in a tier")
    tiers["critical"] = {"notify": ["on-call"]}
    stack = PolicedStack("staging", tiers=json.dumps(tiers), **settings)
    assert stack.violations("paging-rules-stay") == []


def _escalation(*steps: str) -> str:
    return json.dumps(
        [{"after": s, "to": "on-call engineer", "notify": ["on-call"]} for s in steps]
    )
