"""What stands in for a silent sentinel, what resumes it, and what pauses it again."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from alerting.plan import AutomationRule, build_plan
from alerting.plan.documents import automation_document, trigger_document
from alerting.plan.ownership import marked, unmarked
from tests.shared.example_stack import (
    STACK,
    pipeline_rules_of,
    raw_settings,
    rules_of,
    settings_of,
)

pytestmark = pytest.mark.unit

WATCH, BACK = "sentinel-silent", "sentinel-back"
STATELESS = ("lost", "p1-work-pool", "work-pool-ready")
MANY = {
    f"flow-{number}": {
        "owner": "web",
        "flow": f"load-{number // 2}",
        "deployment": f"deploy-{number}",
        "every": f"{number + 1}h",
        "escalate": number % 3 == 0,
    }
    for number in range(30)
}
CHANGES: dict[str, dict[str, object]] = {
    "example": {},
    "no pipelines": {"pipelines": {}},
    "many pipelines": {"pipelines": MANY},
    "only warnings": {"tiers": {"warning": {"notify": ["alerts"]}}},
    "prefix and tag": {"namePrefix": "team-a", "tag": "etl"},
    "a window": {
        "tiers": {
            **raw_settings()["tiers"],
            "critical": {"consecutiveFailures": 5, "within": "6d", "notify": ["critical"]},
        }
    },
}


def standby_of(**changes: object) -> list[AutomationRule]:
    return [rule for rule in rules_of(**changes).values() if rule.standby]


@pytest.mark.parametrize("changes", CHANGES.values(), ids=list(CHANGES))
def test_standby_rules_are_the_native_ones_paused(changes: dict[str, object]) -> None:
    native = [rule for key, rule in pipeline_rules_of(**changes).items() if key not in STATELESS]
    assert standby_of(**changes) == [
        dataclasses.replace(
            rule,
            key=f"standby-{rule.key}",
            name=f"{rule.name} (standby)",
            description=marked(
                f"{unmarked(rule.description)} In place of a silent sentinel.", "example"
            ),
            standby=True,
        )
        for rule in native
    ]
    assert not any(rule.enabled for rule in standby_of(**changes))


def test_silence_is_counted_from_the_last_heartbeat_or_from_the_deployment() -> None:
    assert trigger_document(rules_of()[WATCH].trigger) == {
        "type": "event",
        "posture": "Proactive",
        "expect": ["data-alerts.heartbeat"],
        "after": [
            "data-alerts.heartbeat",
            "prefect.automation.created",
            "prefect.automation.updated",
        ],
        "for_each": ["data-alerts.one-bucket"],
        "match": {
            "prefect.resource.id": ["data-alerts.sentinel.example", "prefect.automation.*"],
            "prefect.resource.name": ["DLT Sentinel", "DLT Sentinel Back"],
        },
        "match_related": {},
        "threshold": 1,
        "within": 300,
    }


def test_silence_may_last_as_long_as_the_settings_say() -> None:
    assert rules_of(sentinel={"silentFor": "30s"})[WATCH].trigger.within == timedelta(seconds=30)


def test_the_sentinel_is_back_when_a_heartbeat_finds_the_standby_resumed() -> None:
    assert trigger_document(rules_of()[BACK].trigger) == {
        "type": "event",
        "posture": "Reactive",
        "expect": ["data-alerts.heartbeat"],
        "after": [],
        "for_each": ["prefect.resource.id"],
        "match": {
            "prefect.resource.id": "data-alerts.sentinel.example",
            "data-alerts.standby": "resumed",
        },
        "match_related": {},
        "threshold": 1,
        "within": 0,
    }


@pytest.mark.parametrize("changes", CHANGES.values(), ids=list(CHANGES))
def test_the_watch_resumes_all_of_the_standby_and_its_counterpart_pauses_it(
    changes: dict[str, object],
) -> None:
    rules = rules_of(**changes)
    keys = tuple(rule.key for rule in standby_of(**changes))
    assert (rules[WATCH].resumes, rules[WATCH].pauses) == (keys, ())
    assert (rules[BACK].resumes, rules[BACK].pauses) == ((), keys)


def actions_of(key: str) -> list[dict[str, str]]:
    """A rule's actions, with readable ids."""
    ids = {key: f"id of {key}" for key in rules_of()}
    blocks = {
        block.key: f"block of {block.key}" for block in build_plan(settings_of(), STACK).blocks
    }
    document: Any = automation_document(rules_of()[key], blocks, ids)
    return list(document["actions"])


def switches_of(action: str) -> list[dict[str, str]]:
    return [
        {"type": action, "source": "selected", "automation_id": f"id of {each.key}"}
        for each in standby_of()
    ]


def test_people_are_woken_before_the_standby_is_resumed() -> None:
    # The server takes actions one after another, each some tenths of a second.
    told, *switched = actions_of(WATCH)
    assert (told["type"], told["block_document_id"]) == (
        "send-notification",
        "block of on-call-incidents",
    )
    assert switched == switches_of("resume-automation")


def test_the_standby_is_paused_before_people_are_told_that_it_is() -> None:
    *switched, told, closed = actions_of(BACK)
    assert (told["type"], told["block_document_id"]) == ("send-notification", "block of alerts")
    assert closed["block_document_id"] == "block of on-call-incidents"
    assert switched == switches_of("pause-automation")


def test_the_watch_is_there_before_what_starts_it() -> None:
    assert rules_of()[BACK].created_after == (WATCH,)


WATCHED = {
    "a pipeline": {"pipelines": {"orders": {"owner": "shop", "every": "7d"}}},
    "an owner": {
        "pipelines": {
            **raw_settings()["pipelines"],
            "orders": {**raw_settings()["pipelines"]["orders"], "owner": "others"},
        }
    },
    "silence": {"sentinel": {"silentFor": "6m"}},
    "who is told of silence": {"sentinel": {"notify": ["alerts"]}},
    "who is told of an outage": {
        "tiers": {**raw_settings()["tiers"], "p1": {"notify": ["critical"]}}
    },
    "the tag": {"tag": "etl"},
    "a prefix": {"namePrefix": "team-a"},
    "a step": {"escalation": [{"after": "15m", "to": "somebody", "notify": ["on-call"]}]},
}


@pytest.mark.parametrize("changes", WATCHED.values(), ids=list(WATCHED))
def test_what_starts_the_watch_is_deployed_anew_whenever_standby_or_watch_are(
    changes: dict[str, object],
) -> None:
    # Otherwise a deployment would pause the standby, or clear the watch's timer, for good.
    before, after = rules_of(), rules_of(**changes)
    watched = (before[WATCH], *standby_of()) != (after[WATCH], *standby_of(**changes))
    assert watched, "the change is one of the watch or the standby"
    assert before[BACK].description != after[BACK].description


def test_what_starts_the_watch_is_not_deployed_for_other_changes() -> None:
    pools = {**raw_settings()["tiers"]["p1"], "workPools": ["default"]}
    changed = rules_of(tiers={**raw_settings()["tiers"], "p1": pools})
    assert changed["p1-work-pool"] != rules_of()["p1-work-pool"]
    assert changed[BACK] == rules_of()[BACK]
