"""Every rule as Prefect's API takes it."""

from collections import defaultdict

import pytest
from prefect.server.events.schemas.automations import AutomationCreate

from alerting.plan.documents import automation_document
from tests.contract.prefect_rendering import new_id
from tests.shared.example_stack import every_kind, raw_settings, rules_of

pytestmark = pytest.mark.contract


@pytest.mark.parametrize(("evaluation", "count"), [("sentinel", 29), ("triggers", 17)])
@pytest.mark.parametrize("pagerduty", [True, False])
def test_prefect_takes_every_rule_and_drops_nothing_of_it(
    pagerduty: bool, evaluation: str, count: int
) -> None:
    channels = raw_settings()["channels"]
    if not pagerduty:
        del channels["on-call"]["secret"]
    pipelines = {
        "a": {"owner": "web", "every": "24h", "escalate": True},
        "b": {"owner": "web", "flow": "!b*", "deployment": "prod", "escalate": True},
        "c": {"owner": "web", "deployment": "test", "escalate": True, "every": "7d"},
    }
    changes: dict[str, object] = {"pipelines": pipelines, "evaluation": evaluation}
    rules = rules_of(channels=channels, **changes)
    # Without PagerDuty no drill can page, and nothing that was opened is closed.
    closing = {"resolved", "p1-resolved", "work-pool-ready", "drill-page", "drill-page-over"}
    assert len(rules) == count - (0 if pagerduty else len(closing & set(rules_of(**changes))))
    assert pagerduty == (closing & set(rules) != set())
    for rule in rules.values():
        sent = automation_document(rule, defaultdict(new_id), defaultdict(new_id))
        taken = AutomationCreate.model_validate(sent)
        assert_taken(sent, taken.model_dump(mode="json"))
        assert taken.trigger.within == rule.trigger.within


@pytest.mark.parametrize("evaluation", ["sentinel", "triggers"])
def test_prefect_takes_messages_in_every_form(evaluation: str) -> None:
    for rule in rules_of(**every_kind(), evaluation=evaluation).values():
        sent = automation_document(rule, defaultdict(new_id), defaultdict(new_id))
        assert_taken(sent, AutomationCreate.model_validate(sent).model_dump(mode="json"))


def assert_taken(sent: object, taken: object) -> None:
    """All that was sent was taken; the server's own defaults may come on top."""
    if isinstance(sent, dict):
        assert isinstance(taken, dict)
        for key, value in sent.items():
            if key != "within":
                assert_taken(value, taken[key])
    elif isinstance(sent, list):
        assert isinstance(taken, list)
        assert len(sent) == len(taken)
        if sent and isinstance(sent[0], str):
            sent, taken = sorted(sent), sorted(taken)
        for one, other in zip(sent, taken, strict=True):
            assert_taken(one, other)
    else:
        assert sent == taken
