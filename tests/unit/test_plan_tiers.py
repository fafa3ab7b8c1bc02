"""The native trigger of each tier, in the shapes that were measured to work on a real server.

They hold for standby rules as well, which tests/unit/test_plan_standby.py compares with these.
"""

from datetime import timedelta
from typing import Any

import pytest

from alerting.plan import Tier
from alerting.plan.documents import trigger_document
from tests.shared.example_stack import native_rules_of, raw_settings

pytestmark = pytest.mark.unit

FAILED = {
    "prefect.resource.id": "prefect.flow-run.*",
    "prefect.state-type": ["FAILED", "CRASHED"],
}
FLOW_RUN = {"prefect.resource.id": "prefect.flow-run.*"}
BAD = ["prefect.flow-run.Crashed", "prefect.flow-run.Failed", "prefect.flow-run.TimedOut"]
OK = ["prefect.flow-run.Completed"]
TAG = {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.dlt"}
EACH_FLOW = ["related:flow:prefect.resource.id"]
EACH_DEPLOYMENT = ["related:deployment:prefect.resource.id", *EACH_FLOW]


def documents_of(**changes: object) -> dict[str, Any]:
    """The triggers by key as Prefect's API takes them."""
    return {key: trigger_document(rule.trigger) for key, rule in native_rules_of(**changes).items()}


def named(role: str, *names: str) -> dict[str, object]:
    return {"prefect.resource.role": role, "prefect.resource.name": list(names)}


def not_named(role: str, name: str) -> dict[str, object]:
    return {"prefect.resource.role": role, "prefect.resource.name": f"!{name}"}


def event(**changes: object) -> dict[str, object]:
    """An event trigger that fires on the first event, apart from what is changed."""
    return {
        "type": "event",
        "posture": "Reactive",
        "expect": ["prefect.flow-run.*"],
        "after": [],
        "for_each": [],
        "match": FAILED,
        "match_related": TAG,
        "threshold": 1,
        "within": 0,
        **changes,
    }


def pipeline(**settings: object) -> dict[str, object]:
    return {"owner": "web", **settings}


def test_warning_fires_for_each_failed_run_whatever_its_state_is_called() -> None:
    assert documents_of()["warning"] == event(for_each=["prefect.resource.id"])


def test_recovery_fires_at_the_first_success_after_a_failure() -> None:
    assert documents_of()["recovery"] == event(
        expect=OK, after=BAD, match=FLOW_RUN, for_each=EACH_FLOW, within=604_800
    )


def test_late_fires_for_each_run_that_did_not_start() -> None:
    assert documents_of()["late"] == event(
        expect=["prefect.flow-run.Late"], match=FLOW_RUN, for_each=["prefect.resource.id"]
    )


def test_a_work_pool_pages_when_no_worker_came_back_to_it() -> None:
    assert documents_of()["p1-work-pool"] == event(
        posture="Proactive",
        expect=["prefect.work-pool.deleted", "prefect.work-pool.paused", "prefect.work-pool.ready"],
        after=["prefect.work-pool.not-ready"],
        match={"prefect.resource.id": "prefect.work-pool.*"},
        match_related={},
        for_each=["prefect.resource.id"],
        within=300,
    )


def test_a_work_pool_that_has_a_worker_again_closes_what_was_opened_for_it() -> None:
    opens, closes = documents_of()["p1-work-pool"], documents_of()["work-pool-ready"]
    assert closes == {**opens, "posture": "Reactive", "within": 604_800}


def test_a_run_whose_heartbeats_end_counts_as_crashed() -> None:
    rule = native_rules_of()["lost"]
    heartbeat = "prefect.flow-run.heartbeat"
    gone = ["Cancelled", "Paused", "Suspended"]
    assert documents_of()["lost"] == event(
        posture="Proactive",
        expect=sorted([heartbeat, *OK, *BAD, *(f"prefect.flow-run.{state}" for state in gone)]),
        after=[heartbeat],
        match=FLOW_RUN,
        for_each=["prefect.resource.id"],
        within=600,
    )
    assert rule.notifications == ()
    assert rule.crashes == "No heartbeat for 10m: killed, or out of memory"
    late = {"notify": ["alerts"], "lostAfter": "90s"}
    assert documents_of(tiers={**raw_settings()["tiers"], "late": late})["lost"]["within"] == 90


def test_the_tag_is_the_one_of_the_settings() -> None:
    documents = documents_of(tag="nightly.v2")
    tag = {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.nightly.v2"}
    assert documents["warning"]["match_related"] == tag
    assert documents["critical"]["match_related"][0] == tag
    assert documents["p1-all-down"]["triggers"][0]["match_related"][0] == tag


def test_critical_counts_the_failures_of_each_flow() -> None:
    document = documents_of(pipelines={})["critical"]
    assert document == event(for_each=EACH_FLOW, threshold=3, within=86_400)


def test_a_pipeline_that_runs_too_rarely_for_the_default_has_a_window_of_its_own() -> None:
    documents = documents_of()
    assert [key for key in documents if key.startswith("critical")] == ["critical-3d", "critical"]
    assert documents["critical-3d"] == event(
        match_related=[TAG, named("flow", "orders")],
        for_each=EACH_FLOW,
        threshold=3,
        within=259_200,
    )


def test_the_default_leaves_out_each_flow_with_a_window_of_its_own() -> None:
    every = {"a": "24h", "b": "1h", "c": "7d", "d": "24h", "e": None}
    pipelines = {flow: pipeline(every=interval) for flow, interval in every.items()}
    documents = documents_of(pipelines=pipelines)
    critical = {key: value for key, value in documents.items() if key.startswith("critical")}
    assert list(critical) == ["critical-21d", "critical-3d", "critical"]
    assert critical["critical-21d"]["match_related"] == [TAG, named("flow", "c")]
    assert critical["critical-3d"]["match_related"] == [TAG, named("flow", "a", "d")]
    assert critical["critical"]["match_related"] == [
        TAG,
        not_named("flow", "a"),
        not_named("flow", "c"),
        not_named("flow", "d"),
    ]
    assert critical["critical"]["within"] == 86_400


def test_a_window_follows_from_the_failures_that_it_has_to_hold() -> None:
    critical = {"consecutiveFailures": 5, "notify": ["critical"]}
    tiers = {**raw_settings()["tiers"], "critical": critical}
    documents = documents_of(tiers=tiers, pipelines={"a": pipeline(every="6h")})
    assert (documents["critical-30h"]["threshold"], documents["critical-30h"]["within"]) == (
        5,
        30 * 3_600,
    )
    assert "critical-24h" not in documents_of(pipelines={"a": pipeline(every="8h")})


def test_a_flow_that_several_pipelines_run_is_counted_once_in_the_longest_window() -> None:
    pipelines = {
        "hourly": pipeline(flow="load", deployment="hourly", every="12h"),
        "daily": pipeline(flow="load", deployment="daily", every="24h"),
    }
    documents = documents_of(pipelines=pipelines)
    assert [key for key in documents if key.startswith("critical")] == ["critical-3d", "critical"]
    assert documents["critical-3d"]["match_related"] == [TAG, named("flow", "load")]
    assert documents["critical"]["match_related"] == [TAG, not_named("flow", "load")]


def test_an_explicit_window_holds_for_every_flow() -> None:
    critical = {"consecutiveFailures": 3, "within": "50h", "notify": ["critical"]}
    documents = documents_of(tiers={**raw_settings()["tiers"], "critical": critical})
    assert [key for key in documents if key.startswith("critical")] == ["critical"]
    assert documents["critical"]["within"] == timedelta(hours=50).total_seconds()
    assert documents["critical"]["match_related"] == TAG


def test_p1_fires_when_every_pipeline_failed_within_the_longest_interval() -> None:
    document = documents_of()["p1-all-down"]
    assert document == {
        "type": "compound",
        "require": "all",
        "within": 86_400,
        "triggers": [
            event(match_related=[TAG, named("flow", "load-clicks"), named("deployment", "prod")]),
            event(match_related=[TAG, named("flow", "orders")]),
        ],
    }


def test_of_very_many_pipelines_p1_watches_those_that_run_most_often() -> None:
    pipelines: dict[str, object] = {f"hourly-{n:03}": pipeline(every="1h") for n in range(60)}
    pipelines |= {f"daily-{n:03}": pipeline(every="24h") for n in range(60)}
    pipelines |= {f"unknown-{n:03}": pipeline() for n in range(60)}
    rules = native_rules_of(pipelines=pipelines)
    document: Any = trigger_document(rules["p1-all-down"].trigger)
    flows = [
        child["match_related"][1]["prefect.resource.name"][0] for child in document["triggers"]
    ]
    assert flows == [
        *(f"daily-{n:03}" for n in range(40)),
        *(f"hourly-{n:03}" for n in range(60)),
    ]
    assert document["within"] == 86_400


def test_p1_has_the_window_that_it_is_given() -> None:
    tiers = {**raw_settings()["tiers"], "p1": {"within": "2h", "notify": ["on-call"]}}
    assert documents_of(tiers=tiers)["p1-all-down"]["within"] == 7_200


def test_p1_has_a_day_when_no_pipeline_says_how_often_it_runs() -> None:
    pipelines = {"a": pipeline(), "b": pipeline()}
    assert documents_of(pipelines=pipelines)["p1-all-down"]["within"] == 86_400


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pipelines_cannot_all_be_down(count: int) -> None:
    rules = native_rules_of(pipelines={f"flow-{number}": pipeline() for number in range(count)})
    assert "p1-all-down" not in rules
    assert "p1-work-pool" in rules


def test_tiers_that_are_left_out_are_not_deployed() -> None:
    rules = native_rules_of(tiers={"warning": {"notify": ["alerts"]}}, escalation=[], pipelines={})
    assert list(rules) == [
        "warning",
        "recovery",
        "late",
        "lost",
        "drill",
        "drill-page",
        "drill-page-over",
    ]


def test_every_automation_belongs_to_the_tier_that_its_key_names() -> None:
    others = {"lost": Tier.LATE, "work-pool-ready": Tier.RECOVERY}
    for key, rule in native_rules_of().items():
        assert rule.tier is (others[key] if key in others else Tier(key.split("-")[0]))


def test_a_flow_name_that_prefect_would_read_as_a_pattern_is_matched_as_it_is() -> None:
    names = ["load[eu]", "load*", "what?", "!urgent", "[x", "a!b", "tilde ~ ]"]
    documents = documents_of(pipelines={name: pipeline(every="24h") for name in names})
    assert documents["critical-3d"]["match_related"][1] == named(
        "flow", "[/!]urgent", "[[]x", "a!b", "load[*]", "load[[]eu]", "tilde ~ ]", "what[?]"
    )
    assert not_named("flow", "[/!]urgent") in documents["critical"]["match_related"]
    assert not_named("flow", "load[*]") in documents["critical"]["match_related"]
