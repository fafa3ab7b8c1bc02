"""The automations of drills, and what their messages say."""

import pytest

from alerting.plan import Tier
from alerting.plan.documents import trigger_document
from alerting.sentinel.drills import answer
from tests.shared.drills import BEGAN, DRILL_ID, ENDED, START, drill_of
from tests.shared.example_stack import (
    every_kind,
    native_rules_of,
    published_of,
    raw_settings,
    rules_of,
)
from tests.shared.strict_rendering import Announced, render

pytestmark = pytest.mark.unit

DRILLS = ("drill", "drill-page", "drill-page-over")
WITHOUT_PAGERDUTY = {
    **raw_settings()["channels"],
    "on-call": {"kind": "pagerduty", "block": "on-call"},
}


def trigger(events: list[str], **labels: str) -> dict[str, object]:
    return {
        "type": "event",
        "posture": "Reactive",
        "expect": events,
        "after": [],
        "for_each": ["prefect.resource.id"],
        "match": {
            "prefect.resource.id": "data-alerts.drill.*",
            "data-alerts.scope": "example",
            **labels,
        },
        "match_related": {},
        "threshold": 1,
        "within": 0,
    }


def test_one_tells_of_the_beginning_and_the_end_one_pages_and_one_closes_what_was_paged() -> None:
    rules = rules_of()
    assert trigger_document(rules["drill"].trigger) == trigger(
        ["data-alerts.drill.began", "data-alerts.drill.ended"]
    )
    assert trigger_document(rules["drill-page"].trigger) == trigger(
        ["data-alerts.drill.began"], **{"data-alerts.page": "yes"}
    )
    assert trigger_document(rules["drill-page-over"].trigger) == trigger(
        ["data-alerts.drill.ended"], **{"data-alerts.page": "yes"}
    )


def test_where_triggers_judge_they_act_on_the_request() -> None:
    rules = native_rules_of()
    assert trigger_document(rules["drill"].trigger) == trigger(
        ["data-alerts.drill-request.began", "data-alerts.drill-request.ended"]
    )
    assert trigger_document(rules["drill-page"].trigger) == trigger(
        ["data-alerts.drill-request.began"], **{"data-alerts.page": "yes"}
    )
    assert trigger_document(rules["drill-page-over"].trigger) == trigger(
        ["data-alerts.drill-request.ended"], **{"data-alerts.page": "yes"}
    )


def told(**changes: object) -> dict[str, list[str]]:
    rules = rules_of(**changes)
    return {
        key: [notification.channel for notification in rules[key].notifications]
        for key in DRILLS
        if key in rules
    }


def test_by_default_every_slack_channel_that_hears_of_anything_hears_of_drills() -> None:
    channels = {
        **raw_settings()["channels"],
        "info": {"kind": "slack", "block": "info", "secret": "slack-url"},
        "watch": {"kind": "slack", "block": "watch", "secret": "slack-url"},
        "unused": {"kind": "slack", "block": "unused", "secret": "slack-url"},
    }
    tiers = {**raw_settings()["tiers"], "success": {"notify": ["info"]}}
    assert told(channels=channels, tiers=tiers, sentinel={"notify": ["watch"]}) == {
        "drill": ["alerts", "critical", "info", "watch"],
        "drill-page": ["on-call"],
        "drill-page-over": ["on-call"],
    }


def test_a_stack_may_name_its_drill_channels() -> None:
    assert told(drill={"notify": ["critical"]})["drill"] == ["critical"]


def test_nobody_is_paged_by_a_drill_where_pagerduty_is_not_set_up() -> None:
    assert told(channels=WITHOUT_PAGERDUTY) == {"drill": ["alerts", "critical"]}


def test_the_order_of_channels_in_the_file_changes_nothing() -> None:
    channels = {
        **raw_settings()["channels"],
        "another": {"kind": "pagerduty", "block": "another", "secret": "pagerduty-key"},
    }
    turned = dict(reversed(channels.items()))
    assert told(channels=channels) == told(channels=turned)
    assert told(channels=channels)["drill-page"] == ["another", "on-call"]
    assert told(channels=channels)["drill-page-over"] == ["another", "on-call"]


def test_a_plain_pager_is_rung_and_not_told_of_the_end() -> None:
    assert told(**every_kind())["drill-page"] == ["on-call", "bell"]
    assert told(**every_kind())["drill-page-over"] == ["on-call"]


@pytest.mark.parametrize("evaluation", ["sentinel", "triggers"])
def test_every_text_of_a_drill_starts_with_the_word_and_is_whole(evaluation: str) -> None:
    changes = {**every_kind(), "evaluation": evaluation}
    rules, published = rules_of(**changes), published_of(**changes)
    drill = drill_of(page=True, **changes)
    for phase, head in ((BEGAN, "DRILL: "), (ENDED, "DRILL ended: ")):
        event = drill.request(phase, START)
        if published.sentinel:
            answered = answer(event, published, START, START)
            assert answered is not None
            event = answered
        for key in DRILLS:
            for notification in rules[key].notifications:
                message = render(notification, Announced(event))
                for text in (message.subject, message.sentence):
                    assert text.startswith(head)
                for text in message.texts:
                    assert text
                    assert "{" not in text
                    assert "None" not in text
                assert message.fields["Stack"] == "example"
                assert message.fields["Drill"] == f"{DRILL_ID} at 2026-03-01 06:00:00 UTC"
                by_hand = notification.channel == "bell"
                assert ("Close it by hand" in message.sentence) == by_hand


def test_what_a_drill_pages_it_closes_by_the_same_key() -> None:
    rules, drill = rules_of(), drill_of(page=True)
    events = [
        render(rules[key].notifications[0], Announced(drill.request(phase, START))).document
        for key, phase in (("drill-page", BEGAN), ("drill-page-over", ENDED))
    ]
    assert [(event["event_action"], event["dedup_key"]) for event in events] == [
        ("trigger", f"data-alerts/example/drill/{DRILL_ID}"),
        ("resolve", f"data-alerts/example/drill/{DRILL_ID}"),
    ]
    assert events[0]["payload"]["severity"] == "critical"


def test_whoever_plays_a_drill_is_told_of_its_automations() -> None:
    drills = published_of(namePrefix="team").drills
    assert drills is not None
    assert drills.model_dump(mode="json") == {
        "scope": "team.example",
        "told": {
            "name": "[team] DLT Drill",
            "channels": ["alerts", "critical"],
            "phases": ["began", "ended"],
        },
        "paged": {
            "name": "[team] DLT Drill Page",
            "channels": ["on-call"],
            "phases": ["began"],
        },
        "closed": {
            "name": "[team] DLT Drill Page Over",
            "channels": ["on-call"],
            "phases": ["ended"],
        },
    }


def test_no_other_automation_hears_of_a_drill() -> None:
    for rules in (rules_of(), native_rules_of()):
        for rule in rules.values():
            about_drills = "data-alerts.drill" in str(trigger_document(rule.trigger))
            assert about_drills == (rule.tier is Tier.DRILL)
