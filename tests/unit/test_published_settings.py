"""What the stack publishes for flow hooks and the sentinel."""

import bz2
import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest

from alerting.plan import build_plan
from alerting.plan.documents import automation_document
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from tests.shared.example_stack import every_kind, published_of, raw_settings, rules_of, settings_of

pytestmark = pytest.mark.unit

STREAK_WITHIN_DAYS = {
    **raw_settings()["tiers"],
    "critical": {"within": "100h", "notify": ["critical"]},
}
EXPECTS_NOTHING = dict.fromkeys(
    ("fresh_within", "deadline", "max_duration", "least_rows", "drop_below")
)


def test_hooks_are_told_what_the_automations_announce() -> None:
    channels = raw_settings()["channels"]
    channels["info"] = {"kind": "slack", "block": "info", "secret": "slack-url"}
    tiers = {**raw_settings()["tiers"], "success": {"notify": ["info"]}}
    published = published_of(channels=channels, tiers=tiers, namePrefix="team")
    assert published.tag == "dlt"
    assert published.failure_automation == "[team] DLT Pipeline Failure Alert"
    assert published.failure_blocks == ("slack-webhook/team-alerts",)
    assert published.success_blocks == ("slack-webhook/team-info",)
    assert published.default_owner == "data-platform"
    assert published.ui_url == "https://prefect.example.com"
    assert [pipeline.model_dump() for pipeline in published.pipelines] == [
        {
            "name": "clicks",
            "flow": "load-clicks",
            "deployment": "prod",
            "owner": "web",
            "runbook": None,
            "announce_success": False,
            "escalate": False,
            "every": timedelta(hours=1),
            **EXPECTS_NOTHING,
        },
        {
            "name": "orders",
            "flow": "orders",
            "deployment": None,
            "owner": "shop",
            "runbook": "https://wiki.example.com/orders",
            "announce_success": False,
            "escalate": True,
            "every": timedelta(hours=24),
            **EXPECTS_NOTHING,
        },
    ]


def test_the_sentinel_is_told_what_it_judges_by_and_what_watches_it() -> None:
    sentinel = published_of(namePrefix="team").sentinel
    assert sentinel is not None
    assert sentinel.model_dump(exclude={"standby"}) == {
        "scope": "team.example",
        "name": "[team] DLT Sentinel",
        "consecutive_failures": 3,
        "within": None,
        "steps": (
            {"label": "15m", "after": timedelta(minutes=15), "to": "on-call engineer"},
            {"label": "1h", "after": timedelta(hours=1), "to": "manager"},
        ),
        "silent_for": timedelta(minutes=5),
        "catch_up": timedelta(hours=24),
        "watch": "[team] DLT Sentinel Silent",
        "flap_for": None,
        "individually": 3,
        "maintenance": (),
        "routes": (),
        "told_alike": {},
        "pages": (VerdictKind.ALL_DOWN, VerdictKind.ESCALATION, VerdictKind.STREAK),
        "pages_all_down": True,
        "through_silences": False,
        "would_page": {},
        "success": False,
        "summary": None,
    }
    rules = rules_of(namePrefix="team")
    assert sentinel.standby == {
        key.removeprefix("standby-"): rule.name for key, rule in rules.items() if rule.standby
    }
    assert sentinel.heartbeat_every == timedelta(minutes=1)


def test_the_sentinel_is_told_of_all_that_stands_between_a_verdict_and_a_message() -> None:
    window = {"cron": "0 2 * * 0", "timeZone": "UTC", "duration": "2h", "reason": "patches"}
    changes = every_kind()
    changes["tiers"]["p1"]["throughSilences"] = True
    sentinel = published_of(
        **changes,
        noise={"flapFor": "5m", "individually": 7},
        maintenance=[window],
        owners={"web": {"slack": "rich"}},
    ).sentinel
    assert sentinel is not None
    assert (sentinel.flap_for, sentinel.individually) == (timedelta(minutes=5), 7)
    assert [(each.cron, each.reason) for each in sentinel.maintenance] == [("0 2 * * 0", "patches")]
    assert sentinel.routes == ("web",)
    assert sentinel.through_silences
    assert sentinel.success
    assert str(sentinel.summary) == "08:00 Europe/London"
    # Every occasion on which PagerDuty's channel with closable incidents is rung.
    assert set(sentinel.pages) == {
        VerdictKind.FAILURE,
        VerdictKind.STREAK,
        VerdictKind.ESCALATION,
        VerdictKind.STALE,
        VerdictKind.ANOMALY,
        VerdictKind.LATE,
        VerdictKind.STUCK,
        VerdictKind.ALL_DOWN,
    }


def test_what_pipelines_expect_is_published() -> None:
    pipelines = {
        "orders": {
            "owner": "shop",
            "freshWithin": "26h",
            "deadline": "06:00 Europe/London Mon-Fri",
            "maxDuration": "90m",
            "rows": {"min": 10, "dropBelow": "50%"},
            "announceSuccess": True,
        }
    }
    [orders] = published_of(pipelines=pipelines).pipelines
    assert orders.fresh_within == timedelta(hours=26)
    assert str(orders.deadline) == "06:00 Europe/London Mon-Fri"
    assert orders.max_duration == timedelta(minutes=90)
    assert (orders.least_rows, orders.drop_below) == (10, 50)
    assert orders.announce_success


def test_hooks_are_silent_where_an_automation_announces_completions() -> None:
    assert published_of().success_automation is None
    assert published_of(**every_kind()).success_automation == "DLT Pipeline Success"
    native = published_of(**every_kind(), evaluation="triggers")
    assert native.success_automation is None
    # Hooks hand over a text, which a webhook's JSON has no place for, and wake nobody.
    assert native.success_blocks == (
        "slack-webhook/alerts",
        "slack-webhook/rich",
        "ms-teams-webhook/teams",
        "sendgrid-email/mail",
    )
    assert native.failure_blocks == native.success_blocks


@pytest.mark.parametrize("evaluation", ["sentinel", "triggers"])
def test_every_automation_is_published_with_whom_each_of_its_actions_tells(
    evaluation: str,
) -> None:
    plan = build_plan(settings_of(evaluation=evaluation), "example")
    slugs = {block.key: block.key for block in plan.blocks}
    keys = {rule.key: rule.key for rule in plan.automations}
    assert len(plan.published.rules) == len(plan.automations)
    for rule, published in zip(plan.automations, plan.published.rules, strict=True):
        assert (rule.key, rule.name, rule.tier) == (published.key, published.name, published.tier)
        assert rule.standby == published.standby
        document: dict[str, Any] = automation_document(rule, slugs, keys)
        channels = {each.block: each.channel for each in rule.notifications}
        blocks = [action.get("block_document_id", "") for action in document["actions"]]
        told = [channels.get(block) for block in blocks]
        assert list(published.actions) == told


@pytest.mark.parametrize(("within", "catch_up"), [("6d", 6), ("30m", 1)])
def test_caught_up_is_as_far_back_as_a_streak_may_last_and_at_least_a_day(
    within: str, catch_up: int
) -> None:
    critical = {"consecutiveFailures": 2, "within": within, "notify": ["critical"]}
    pipelines = {"orders": {"owner": "shop"}}
    tiers = {**raw_settings()["tiers"], "critical": critical}
    sentinel = published_of(tiers=tiers, pipelines=pipelines).sentinel
    assert sentinel is not None
    assert sentinel.catch_up == timedelta(days=catch_up)
    assert sentinel.consecutive_failures == 2


def test_without_a_critical_tier_there_is_no_streak() -> None:
    sentinel = published_of(tiers={"warning": {"notify": ["alerts"]}}).sentinel
    assert sentinel is not None
    assert sentinel.consecutive_failures is None


def test_where_triggers_judge_there_is_nothing_for_a_sentinel() -> None:
    assert published_of(evaluation="triggers").sentinel is None


@pytest.mark.parametrize(
    "changes",
    [
        {"tiers": STREAK_WITHIN_DAYS},
        {"tiers": STREAK_WITHIN_DAYS, "evaluation": "triggers"},
        every_kind(),
    ],
    ids=["sentinel", "triggers", "every kind"],
)
def test_what_is_published_is_read_back_as_it_was(changes: dict[str, Any]) -> None:
    plan = build_plan(settings_of(**changes), "example")
    (block,) = (block for block in plan.blocks if block.type_slug == "secret")
    read = PublishedSettings.unpacked(json.loads(json.dumps(block.data["value"])))
    assert read == plan.published
    assert read.digest == plan.published.digest


def test_any_other_settings_have_another_digest() -> None:
    changes: list[dict[str, object]] = [
        {},
        {"tag": "etl"},
        {"sentinel": {"silentFor": "30s"}},
        {"pipelines": {}},
        {"escalation": [{"after": "16m", "to": "x", "notify": ["on-call"]}]},
        {"evaluation": "triggers"},
    ]
    assert len({published_of(**change).digest for change in changes}) == len(changes)


class OfTomorrow(PublishedSettings):
    """Settings with an entry that this version does not know."""

    grace: str


def test_an_entry_of_another_version_is_refused() -> None:
    stored = OfTomorrow(**dict(published_of()), grace="5m").packed()
    with pytest.raises(ValueError, match="grace"):
        PublishedSettings.unpacked(stored)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {"tag": "dlt"},
        "",
        "nonsense!",
        "bm90IHBhY2tlZA==",
        published_of().packed()[:40],
        b64encode(bz2.compress(b"[]")).decode(),
    ],
    ids=["nothing", "half", "empty", "no base64", "not packed", "cut off", "a list"],
)
def test_what_was_never_packed_is_a_value_error(stored: object) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        PublishedSettings.unpacked(stored)


def test_what_the_first_versions_published_is_read() -> None:
    stored = published_of().model_dump(mode="json", exclude_defaults=True)
    assert PublishedSettings.unpacked(stored) == published_of()


def test_a_thousand_pipelines_are_packed_into_little_and_always_the_same() -> None:
    pipelines = {
        f"orders-{number:04}": {"owner": f"team-{number % 7}", "every": "24h"}
        for number in range(1_000)
    }
    published = published_of(pipelines=pipelines)
    packed = published.packed()
    assert len(packed) < len(published.model_dump_json(exclude_defaults=True)) / 8
    assert packed == PublishedSettings.unpacked(packed).packed()


@pytest.mark.parametrize(
    ("flow", "deployment", "name"),
    [
        ("orders", None, "orders"),
        ("orders", "any", "orders"),
        ("load-clicks", "prod", "clicks"),
        ("load-clicks", "test", None),
        ("load-clicks", None, None),
        ("clicks", None, None),
    ],
)
def test_a_run_belongs_to_the_pipeline_of_its_flow_and_deployment_else_of_its_flow(
    flow: str, deployment: str | None, name: str | None
) -> None:
    found = published_of().pipeline_of(flow, deployment)
    assert (found.name if found else None) == name
