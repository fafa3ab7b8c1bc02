"""Which events each trigger on the sentinel takes, by Prefect's own rules and events."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.server.schemas.states import State

from alerting.plan import AutomationRule, Tier, build_plan
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import heartbeat
from tests.contract.announced import every_kind
from tests.contract.prefect_events import (
    CANCELLED,
    COMPLETED,
    CRASHED,
    FAILED,
    LATE,
    OCCURRED,
    OWN_NAME,
    RETRYING,
    RUNNING,
    TIMED_OUT,
    Pool,
    Run,
    lifecycle_events,
    received,
)
from tests.contract.prefect_rendering import stored
from tests.shared.example_stack import every_kind as example_of_all
from tests.shared.example_stack import published_of, rules_of, settings_of

pytestmark = pytest.mark.contract

ANNOUNCED = {
    "warning": {"failure"},
    "recovery": {"recovery", "fresh"},
    "critical": {"streak"},
    "escalation-15m": {"escalation 15m"},
    "escalation-1h": {"escalation 1h"},
    "freshness": {"stale"},
    "anomaly": {"anomaly"},
    "late": {"late", "stuck"},
    "success": {"success"},
    "silence-over": {"silence-over"},
    "summary": {"summary"},
    "resolved": {"resolved"},
    "p1-all-down": {"all-down"},
    "p1-resolved": {"not-all-down"},
}
EXPECTING = example_of_all()
WATCH, BACK = "sentinel-silent", "sentinel-back"
ON_RUNS_AND_POOLS = ("lost", "p1-work-pool", "work-pool-ready")
STATES = [
    *(FAILED, CRASHED, TIMED_OUT, OWN_NAME, COMPLETED),
    *(LATE, RETRYING, RUNNING, CANCELLED),
]
# The last is in the same workspace without a prefix, as its own Pulumi stack.
STACKS: dict[str, tuple[str, dict[str, object]]] = {
    "no prefix": ("example", {}),
    "a prefix": ("example", {"namePrefix": "team-a"}),
    "another prefix": ("example", {"namePrefix": "team-b"}),
    "another tag": ("example", {"namePrefix": "team-a-etl", "tag": "etl"}),
    "another stack": ("prod", {}),
}


def trigger_of(rule: AutomationRule) -> EventTrigger:
    trigger = stored(rule).trigger
    assert isinstance(trigger, EventTrigger)
    return trigger


def takes(trigger: EventTrigger, event: ReceivedEvent) -> bool:
    """Whether the trigger does anything at the event."""
    acts = trigger.expects(event.event) or trigger.starts_after(event.event)
    return trigger.covers(event) and acts


def sentinel_rules() -> dict[str, AutomationRule]:
    """The rules that are about the sentinel's events."""
    rules = rules_of(**EXPECTING)
    return {
        key: rule
        for key, rule in rules.items()
        if not rule.standby and key not in ON_RUNS_AND_POOLS
    }


def beat(*, standby: bool = False, **changes: object) -> ReceivedEvent:
    return received(heartbeat(published_of(**changes), uuid4(), OCCURRED, standby=standby))


@pytest.mark.parametrize("key", list(sentinel_rules()))
def test_each_rule_takes_the_announcements_that_it_is_for_and_no_others(key: str) -> None:
    trigger = trigger_of(sentinel_rules()[key])
    events = every_kind(published_of(**EXPECTING))
    taken = {each.name for each in events if takes(trigger, each.event)}
    assert taken == ANNOUNCED.get(key, set())


def test_every_announcement_is_told_by_one_rule() -> None:
    triggers = {key: trigger_of(sentinel_rules()[key]) for key in ANNOUNCED}
    events = every_kind(published_of(**EXPECTING))
    assert {each.verdict.kind for each in events} == set(VerdictKind)
    for each in events:
        told_by = [key for key, trigger in triggers.items() if takes(trigger, each.event)]
        assert len(told_by) == 1, each.name


@pytest.mark.parametrize("own", [{"slack": "rich"}, {"slack": "rich", "pagerduty": "bell"}])
def test_an_announcement_is_told_once_also_where_owners_have_channels_of_their_own(
    own: dict[str, str],
) -> None:
    changes = {**EXPECTING, "owners": {"web": own, "data-platform": {"slack": "teams"}}}
    changes["tiers"] = {
        name: {**tier, "notify": ["alerts", "on-call"]} if name != "success" else tier
        for name, tier in EXPECTING["tiers"].items()
    }
    rules = {k: r for k, r in rules_of(**changes).items() if r.tier is not Tier.DRILL}
    triggers = {
        key: trigger_of(rule)
        for key, rule in rules.items()
        if not rule.standby and key not in ON_RUNS_AND_POOLS
    }
    for each in every_kind(published_of(**changes)):
        told_by = [key for key, trigger in triggers.items() if takes(trigger, each.event)]
        assert len(told_by) == 1, each.name


def test_each_announcement_is_told_once_however_many_there_are_of_its_pipeline() -> None:
    trigger = trigger_of(rules_of()["warning"])
    assert trigger.immediate
    assert trigger.threshold == 1
    assert trigger.within == timedelta(0)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_no_rule_about_the_sentinel_takes_a_run(state: State) -> None:
    events = [Run(flow, state=state).event() for flow in ("orders", "load-clicks")]
    for rule in sentinel_rules().values():
        assert not [event for event in (*events, Pool().event()) if takes(trigger_of(rule), event)]


@pytest.mark.parametrize("standby", [True, False])
def test_a_heartbeat_is_taken_by_what_watches_it_and_by_no_rule_for_verdicts(
    standby: bool,
) -> None:
    event = beat(standby=standby)
    taken = [key for key, rule in sentinel_rules().items() if takes(trigger_of(rule), event)]
    assert taken == ([WATCH, BACK] if standby else [WATCH])


def test_the_watch_is_armed_by_its_deployment_and_by_each_heartbeat_in_one_bucket() -> None:
    watch = trigger_of(rules_of()[WATCH])
    deployed = lifecycle_events(stored(rules_of()[BACK]))
    arming = [deployed["created"], deployed["updated"], beat(), beat(standby=True)]
    for event in arming:
        assert watch.covers(event)
        assert watch.starts_after(event.event)
    assert len({watch.bucketing_key(event) for event in arming}) == 1


def test_only_a_heartbeat_keeps_the_watch_quiet() -> None:
    watch = trigger_of(rules_of()[WATCH])
    deployed = lifecycle_events(stored(rules_of()[BACK]))
    assert watch.expects(beat().event)
    assert not [name for name, event in deployed.items() if watch.expects(event.event)]
    assert not takes(watch, deployed["deleted"])


def test_other_automations_of_the_stack_do_not_arm_the_watch() -> None:
    watch = trigger_of(rules_of()[WATCH])
    for key, rule in rules_of().items():
        events = lifecycle_events(stored(rule)).values()
        assert any(takes(watch, event) for event in events) == (key == BACK), key


@pytest.mark.parametrize(("own", "other"), list(permutations(STACKS, 2)))
def test_stacks_in_one_workspace_do_not_take_each_others_announcements(
    own: str, other: str
) -> None:
    stack, changes = STACKS[other]
    published = build_plan(settings_of(**changes), stack).published
    events = [each.event for each in every_kind(published)]
    events += [
        received(heartbeat(published, uuid4(), OCCURRED, standby=standby))
        for standby in (True, False)
    ]
    stack, changes = STACKS[own]
    for rule in build_plan(settings_of(**changes), stack).automations:
        if not rule.standby and rule.key not in ON_RUNS_AND_POOLS:
            assert not [event for event in events if takes(trigger_of(rule), event)], rule.key


def test_the_deployment_of_a_stack_with_another_prefix_does_not_arm_the_watch() -> None:
    names = [None, "team-a", "team-b", "team"]
    stacks = {name: rules_of(namePrefix=name) for name in names}
    for own, rules in stacks.items():
        watch = trigger_of(rules[WATCH])
        for other, others in stacks.items():
            created = lifecycle_events(stored(others[BACK]))["created"]
            assert takes(watch, created) == (own == other), (own, other)
