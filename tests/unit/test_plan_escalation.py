"""Who is woken by native triggers when a failure lasts, and for which runs."""

from typing import Any

import pytest

from alerting.plan.documents import trigger_document
from tests.shared.example_stack import native_rules_of

pytestmark = pytest.mark.unit

TAG = {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.dlt"}


def named(role: object, *names: str) -> dict[str, object]:
    return {"prefect.resource.role": role, "prefect.resource.name": list(names)}


def pipeline(flow: str, deployment: str | None = None, *, escalate: bool = True) -> dict[str, Any]:
    return {"owner": "web", "flow": flow, "deployment": deployment, "escalate": escalate}


def escalations_of(*pipelines: dict[str, Any]) -> dict[str, Any]:
    """The triggers by key that a stack with these pipelines has."""
    rules = native_rules_of(pipelines={f"p{number}": p for number, p in enumerate(pipelines)})
    return {
        key: trigger_document(rule.trigger)
        for key, rule in rules.items()
        if key.startswith("escalation")
    }


def test_a_step_fires_when_neither_a_success_nor_a_further_failure_came_in_time() -> None:
    documents = escalations_of(pipeline("orders"))
    assert list(documents) == ["escalation-15m", "escalation-1h"]
    assert documents["escalation-15m"] == {
        "type": "event",
        "posture": "Proactive",
        "after": [
            "prefect.flow-run.Crashed",
            "prefect.flow-run.Failed",
            "prefect.flow-run.TimedOut",
        ],
        "expect": [
            "prefect.flow-run.Completed",
            "prefect.flow-run.Crashed",
            "prefect.flow-run.Failed",
            "prefect.flow-run.TimedOut",
        ],
        "for_each": ["related:flow:prefect.resource.id"],
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "match_related": [TAG, named("flow", "orders")],
        "threshold": 1,
        "within": 900,
    }
    assert documents["escalation-1h"] == {**documents["escalation-15m"], "within": 3_600}


def test_only_pipelines_that_ask_for_it_wake_people() -> None:
    documents = escalations_of(
        pipeline("orders"), pipeline("clicks", escalate=False), pipeline("carts")
    )
    assert documents["escalation-15m"]["match_related"] == [TAG, named("flow", "carts", "orders")]
    assert escalations_of(pipeline("orders", escalate=False)) == {}


def test_pipelines_that_name_their_deployment_are_counted_by_it() -> None:
    documents = escalations_of(pipeline("orders"), pipeline("clicks", "prod"))
    assert list(documents) == [
        "escalation-15m",
        "escalation-1h",
        "escalation-15m-deployments",
        "escalation-1h-deployments",
    ]
    assert documents["escalation-15m"]["match_related"] == [TAG, named("flow", "orders")]
    of_deployments = documents["escalation-15m-deployments"]
    assert of_deployments["match_related"] == [
        TAG,
        named("flow", "clicks"),
        named("deployment", "prod"),
    ]
    assert of_deployments["for_each"] == [
        "related:deployment:prefect.resource.id",
        "related:flow:prefect.resource.id",
    ]


def test_a_flow_with_any_deployment_does_not_wake_people_twice_for_one_of_them() -> None:
    documents = escalations_of(pipeline("orders"), pipeline("orders", "prod"))
    assert list(documents) == ["escalation-15m", "escalation-1h"]


def test_of_several_deployments_each_goes_with_its_own_flows_only() -> None:
    documents = escalations_of(
        pipeline("orders", "prod"),
        pipeline("carts", "prod"),
        pipeline("clicks", "nightly"),
        pipeline("orders", "nightly"),
    )
    either = ["flow", "deployment"]
    assert documents["escalation-15m-deployments"]["match_related"] == [
        TAG,
        named("flow", "carts", "clicks", "orders"),
        named("deployment", "nightly", "prod"),
        named(either, "clicks", "orders", "prod"),
        named(either, "carts", "orders", "nightly"),
    ]


def test_one_flow_with_many_deployments_needs_no_more_than_their_names() -> None:
    documents = escalations_of(*(pipeline("load", f"customer-{n}") for n in range(1_000)))
    related = documents["escalation-15m-deployments"]["match_related"]
    assert len(related) == 3
    assert len(related[2]["prefect.resource.name"]) == 1_000


def test_entries_that_tell_pairs_apart_do_not_outgrow_a_server() -> None:
    documents = escalations_of(*(pipeline(f"load-{n}", f"deploy-{n}") for n in range(1_000)))
    assert len(documents["escalation-15m-deployments"]["match_related"]) == 3


def test_every_failure_is_counted_per_flow_since_otherwise_it_would_page_without_one() -> None:
    for document in escalations_of(pipeline("orders"), pipeline("clicks", "prod")).values():
        assert document["for_each"]
        assert document["after"]
