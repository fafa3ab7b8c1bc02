"""Every rule as Prefect's API takes it."""

from collections import defaultdict

import pytest
from prefect.server.events.schemas.automations import AutomationCreate

from alerting.plan.documents import automation_document
from tests.contract.prefect_rendering import new_id
from tests.unit.example_stack import raw_settings, rules_of

pytestmark = pytest.mark.contract


@pytest.mark.parametrize(("evaluation", "count"), [("sentinel", 22), ("triggers", 14)])
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
    rules = rules_of(channels=channels, pipelines=pipelines, evaluation=evaluation)
    # Without PagerDuty no drill can page.
    assert len(rules) == (count if pagerduty else count - 1)
    for rule in rules.values():
        sent = automation_document(rule, defaultdict(new_id), defaultdict(new_id))
        taken = AutomationCreate.model_validate(sent)
        assert_taken(sent, taken.model_dump(mode="json"))
        assert taken.trigger.within == rule.trigger.within


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
