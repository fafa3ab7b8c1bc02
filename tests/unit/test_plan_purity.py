"""The plan follows from the settings and from nothing else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alerting.plan import build_plan
from alerting.plan.documents import automation_document
from tests.shared.example_stack import settings_of

pytestmark = pytest.mark.unit

EACH_EVALUATION = pytest.mark.parametrize("evaluation", ["sentinel", "triggers"])
ROOT = Path(__file__).parents[2]


def test_the_same_settings_make_the_same_plan() -> None:
    assert build_plan(settings_of(), "prod") == build_plan(settings_of(), "prod")


@EACH_EVALUATION
def test_the_order_in_which_pipelines_are_listed_changes_nothing(evaluation: str) -> None:
    # An automation that is updated forgets what it has counted.
    pipelines = {
        f"{name}-{number}": {
            "owner": "web",
            "flow": f"{name}-flow",
            "deployment": f"d-{number}",
            "every": f"{number}h",
            "escalate": name == "b",
        }
        for name in "acb"
        for number in (24, 9, 1)
    }
    turned = dict(reversed(pipelines.items()))
    plan = build_plan(settings_of(evaluation=evaluation, pipelines=pipelines), "prod")
    again = build_plan(settings_of(evaluation=evaluation, pipelines=turned), "prod")
    assert again == plan
    assert again.published.digest == plan.published.digest


def test_settings_are_not_changed_by_planning() -> None:
    settings = settings_of()
    before = settings.model_dump_json()
    build_plan(settings, "prod")
    assert settings.model_dump_json() == before


@EACH_EVALUATION
def test_documents_are_what_json_can_carry(evaluation: str) -> None:
    for rule in build_plan(settings_of(evaluation=evaluation), "prod").automations:
        document: dict[str, Any] = automation_document(rule, Ids(), Ids())
        assert json.loads(json.dumps(document)) == document


def test_settings_plan_and_judging_need_neither_pulumi_nor_prefect() -> None:
    program = (
        "import sys\n"
        "import alerting.plan.documents, alerting.settings.stackfile\n"
        "import alerting.sentinel.catching_up, alerting.sentinel.events\n"
        "import alerting.sentinel.drills, alerting.drills.judging\n"
        "import alerting.plan.load_events, alerting.plan.silences, alerting.silences.asked\n"
        "heavy = {'pulumi', 'pulumi_aws', 'pulumi_prefect', 'prefect', 'httpx', 'jinja2'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


@EACH_EVALUATION
def test_a_thousand_pipelines_need_the_automations_of_ten_and_none_that_is_large(
    evaluation: str,
) -> None:
    pipelines = {
        f"load-{number}": {"owner": "web", "every": "24h", "escalate": True}
        for number in range(1_000)
    }
    plan = build_plan(settings_of(evaluation=evaluation, pipelines=pipelines), "prod")
    ten = dict(list(pipelines.items())[:10])
    few = build_plan(settings_of(evaluation=evaluation, pipelines=ten), "prod")
    assert [rule.key for rule in plan.automations] == [rule.key for rule in few.automations]
    documents = [automation_document(rule, Ids(), Ids()) for rule in plan.automations]
    assert max(map(len, map(json.dumps, documents))) < 1_000_000, (
        "bytes that Prefect's API would have to take for one automation"
    )


class Ids(dict[str, str]):
    """An id for every channel or automation that is asked for."""

    def __missing__(self, key: str) -> str:
        return key
