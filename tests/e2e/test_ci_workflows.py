"""The way from a pull request to production, as the workflows go it: `make ci-local`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.state import SandboxState
from tests.e2e.in_services import automations, blocks, prefect
from tests.e2e.pipeline import STACKS, Pipeline
from tests.e2e.workflow_player import Job
from tests.shared.fake_github import FakeGitHub, served
from tests.shared.workflows import workflow

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

HEAD, COMMIT = "a" * 40, "c" * 40


@pytest.fixture
def pipeline(sandbox: SandboxState, tmp_path: Path) -> Iterator[Pipeline]:
    github = FakeGitHub()
    with served(github) as url:
        made = Pipeline(sandbox, tmp_path, github, url)
        try:
            yield made
        finally:
            made.remove()


def test_a_change_goes_from_a_pull_request_to_production_and_drift_is_told(
    pipeline: Pipeline, sandbox: SandboxState
) -> None:
    github = pipeline.github
    _say("preview: a comment, and the plan")
    state = pipeline.state()
    _preview(pipeline, HEAD, "prod")
    assert _titles(github) == ["### Preview of prod"]
    [first] = [comment["body"] for comment in github.comments]

    _say("preview of a further commit, of every stack: the comment is edited, not repeated")
    pipeline.configure("prod", _another_runbook)
    head = "b" * 40
    _preview(pipeline, head, *_stacks(pipeline.for_pull_request(head).play("preview", "stacks")))
    assert sorted(_titles(github)) == [f"### Preview of {stack}" for stack in sorted(STACKS)]
    assert github.comments[0]["body"] != first
    assert {f"plan-{stack}-{head}" for stack in STACKS} < {a["name"] for a in github.artifacts}
    assert automations(sandbox) == []
    assert pipeline.state() == state

    pipeline.start_sentinels()
    _say("deploy: dev, staging, prod, each by its reviewed plan, and a drill each")
    github.merge(COMMIT, head)
    order = list(workflow("deploy")["jobs"])
    assert order == list(STACKS)
    for stack in order:
        job = _passed(pipeline.runner("push", sha=COMMIT).play("deploy", stack))
        assert f"{stack}: deployed by the reviewed plan" in job.log
        assert job.ran[-1] == "Drill"
    assert {a["name"].split()[0] for a in automations(sandbox)} == {"DLT", "[dev]", "[staging]"}

    _say("the same again: the plan does not fit any more, which is said")
    job = _passed(pipeline.runner("push", sha=COMMIT).play("deploy", "dev"))
    assert "the reviewed plan does not fit any more" in job.log
    assert "dev: deployed from a new preview: " in job.log

    _say("no drift: no issue")
    _compare(pipeline, *_stacks(pipeline.runner("schedule").play("drift", "stacks")))
    assert github.issues == []

    _say("drift: one issue, which says what differs")
    changed = _switch(sandbox, "DLT Pipeline Failure Alert", enabled=False)
    _compare(pipeline, "prod")
    _compare(pipeline, "prod")
    [issue] = github.issues
    assert issue["title"] == "Drift in prod"
    assert "~ enabled: false => true" in issue["body"]

    _say("drift gone: the issue is closed")
    prefect(sandbox, "PATCH", f"/automations/{changed}", json={"enabled": True})
    _compare(pipeline, "prod")
    assert [i["state"] for i in github.issues] == ["closed"]

    _rotate_the_paging_key(pipeline, sandbox)

    report = _drill_weekly(pipeline)

    _say("nothing that anybody may read holds a secret")
    texts = [each["body"] for each in (*github.comments, *github.issues)]
    texts += [report, *(a.decode("utf-8", "replace") for a in _plans(pipeline))]
    leaked = {n for n, v in pipeline.secrets.items() for text in texts if v in text}
    assert leaked == set()


def _drill_weekly(pipeline: Pipeline) -> str:
    """Returns the report that it publishes."""
    _say("the weekly drill of prod, and what it publishes")
    _passed(pipeline.runner("schedule").play("drill", "prod"))
    assert "pipelines-prod" in {a["name"] for a in pipeline.github.artifacts}
    report = (pipeline.checkout / "ci-reports" / "pipelines.html").read_text()
    assert "exchange-rates-daily" in report
    return report


def test_a_preview_that_fails_is_commented_and_keeps_no_plan(pipeline: Pipeline) -> None:
    def break_it(config: dict[str, Any]) -> None:
        config["aws:nonsense"] = "true"

    pipeline.configure("dev", break_it)
    job = pipeline.for_pull_request(HEAD).play("preview", "preview", matrix={"stack": "dev"})
    assert job.failed == "Preview"
    assert job.ran[-1] == "Comment on the pull request"
    [comment] = pipeline.github.comments
    assert "### Preview of dev: **failed**" in comment["body"]
    assert "is not a setting of the AWS provider" in comment["body"]
    assert pipeline.github.artifacts == []


def _rotate_the_paging_key(pipeline: Pipeline, sandbox: SandboxState) -> None:
    _say("rotation of prod's PagerDuty key: put, deployed, drilled")
    key = "sandboxrotatedkeyofthetest0000000"[:32]
    told = pipeline.rotate("prod", "pagerduty-integration-key", key, "on-call")
    assert key not in told
    assert blocks(sandbox)["pager-duty-webhook/data-pipelines"]["data"]["integration_key"] == key
    pipeline.secrets["prefect/pagerduty-integration-key"] = key


def _preview(pipeline: Pipeline, head: str, *stacks: str) -> None:
    runner, needs = pipeline.for_pull_request(head), _needs(stacks)
    for stack in stacks:
        _passed(runner.play("preview", "preview", matrix={"stack": stack}, needs=needs))


def _compare(pipeline: Pipeline, *stacks: str) -> None:
    runner = pipeline.runner("schedule")
    for stack in stacks:
        _passed(runner.play("drift", "drift", matrix={"stack": stack}, needs=_needs(stacks)))


def _stacks(listed: Job) -> list[str]:
    """What the job that lists the stacks has put out."""
    found: list[str] = json.loads(_passed(listed).outputs["stacks"]["stacks"])
    return found


def _needs(stacks: tuple[str, ...]) -> dict[str, Any]:
    return {"stacks": {"outputs": {"stacks": json.dumps(stacks)}}}


def _passed(job: Job) -> Job:
    assert job.failed is None, f"{job.failed}:\n{job.log}"
    assert job.ran
    return job


def _titles(github: FakeGitHub) -> list[str]:
    return [c["body"].splitlines()[1].partition(":")[0] for c in github.comments]


def _plans(pipeline: Pipeline) -> Iterator[bytes]:
    yield from (file.read_bytes() for file in pipeline.checkout.glob("ci-reports/plan-*.json"))


def _switch(sandbox: SandboxState, name: str, *, enabled: bool) -> str:
    found = next(a for a in automations(sandbox) if a["name"] == name)
    prefect(sandbox, "PATCH", f"/automations/{found['id']}", json={"enabled": enabled})
    return str(found["id"])


def _another_runbook(config: dict[str, Any]) -> None:
    config["data-alerts:pipelines"]["exchange-rates-daily"]["runbook"] = "https://wiki.example.com"


def _say(text: str) -> None:
    print(f"\n#### {text}")  # noqa: T201 - make ci-local shows how far it is
