"""What every workflow must have. What a line means is for actionlint and zizmor."""

import re
from pathlib import Path
from typing import Any

import pytest

from alerting.pulumi_cli import VERSION
from tests.shared.workflows import (
    ACTIONS,
    REPOSITORY,
    WORKFLOWS,
    jobs,
    load,
    local_action,
    steps,
    workflow,
)

pytestmark = pytest.mark.tools

JOBS = [pytest.param(job, id=name) for name, job in jobs()]
STEPS = [pytest.param(step, id=f"{name}-{number}") for number, (name, step) in enumerate(steps())]
FILES = [pytest.param(file, id=file.parent.name + "/" + file.name) for file in WORKFLOWS + ACTIONS]
# One command: nothing that makes it two, or takes another's output.
_SHELL = re.compile(r"[;|&<>`\n]|\$\(")


def test_all_five_workflows_are_there() -> None:
    assert [file.stem for file in WORKFLOWS] == ["deploy", "drift", "drill", "preview", "test"]


@pytest.mark.parametrize("file", FILES)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(file: Path) -> None:
    used = [line for line in file.read_text().splitlines() if re.search(r"\buses:", line)]
    for line in used:
        pinned = r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$"
        assert "uses: ./" in line or re.search(pinned, line), line


def test_an_action_is_pinned_to_one_commit_everywhere() -> None:
    used = {str(step["uses"]) for _, step in steps() if "uses" in step}
    remote = [uses.partition("@")[0] for uses in used if not uses.startswith("./")]
    assert len(remote) == len(set(remote))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_grants_nothing_by_itself_and_never_runs_for_a_fork_with_secrets(
    file: Path,
) -> None:
    document = load(file)
    assert document["permissions"] == {}
    assert not {"pull_request_target", "workflow_run"} & set(document["on"])


@pytest.mark.parametrize("job", JOBS)
def test_a_job_has_a_time_limit_a_fixed_system_and_few_permissions(job: dict[str, Any]) -> None:
    assert 0 < job["timeout-minutes"] <= 60
    assert job["runs-on"] == "ubuntu-24.04"
    assert job["permissions"]["contents"] == "read"
    written = {name for name, level in job["permissions"].items() if level == "write"}
    assert written <= {"id-token", "pull-requests", "issues"}
    # Who may assume a role says from which environment.
    assert ("id-token" in written) == ("environment" in job)


@pytest.mark.parametrize(
    ("name", "job"), [pytest.param(n, j, id=n) for n, j in jobs() if "environment" in j]
)
def test_a_job_of_a_stack_waits_for_its_like_and_a_deployment_is_never_cut_short(
    name: str, job: dict[str, Any]
) -> None:
    stack = job["environment"].removesuffix("-preview")
    assert stack in job["concurrency"]["group"]
    # A preview changes nothing: a newer one may take its place.
    assert job["concurrency"]["cancel-in-progress"] is name.startswith("preview/")


def test_the_stacks_are_deployed_one_after_another_each_in_its_own_environment() -> None:
    deployed = workflow("deploy")["jobs"]
    assert list(deployed) == ["dev", "staging", "prod"]
    assert [job.get("needs") for job in deployed.values()] == [None, "dev", "staging"]
    for stack, job in deployed.items():
        assert job["environment"] == stack
        assert job["steps"][-1]["with"]["stack"] == stack
    assert workflow("deploy")["on"] == {"push": {"branches": ["main"]}}


def test_what_is_read_only_by_intent_runs_in_the_environment_with_the_lesser_role() -> None:
    for name in ("preview", "drift", "drill"):
        found = [j["environment"] for j in workflow(name)["jobs"].values() if "environment" in j]
        assert all(environment.endswith("-preview") for environment in found), name
        assert found


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_one_command_that_also_runs_here(step: dict[str, Any]) -> None:
    if "run" not in step:
        return
    command = str(step["run"])
    assert not _SHELL.search(command), command
    assert "${{" not in command, "an expression in a command is code that others write"
    program, *arguments = command.split()
    if arguments[:1] == ["-m"]:
        module = arguments[1].replace(".", "/")
        assert (REPOSITORY / f"{module}.py").is_file(), command
    else:
        assert program in {"make", ".venv/bin/alertctl"}, command


@pytest.mark.parametrize("step", STEPS)
def test_a_checkout_leaves_no_token_behind(step: dict[str, Any]) -> None:
    if str(step.get("uses", "")).startswith("actions/checkout@"):
        assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("file", FILES)
def test_no_secret_is_kept_with_github(file: Path) -> None:
    assert "secrets." not in file.read_text().replace("outputs.secrets", "")


@pytest.mark.parametrize("step", STEPS)
def test_only_the_steps_that_talk_to_github_get_its_token(step: dict[str, Any]) -> None:
    talks = any(
        f"tools.ci.{module}" in str(step.get("run"))
        for module in ("comment", "drift_issue", "reviewed_plan")
    )
    assert ("GITHUB_TOKEN" in step.get("env", {})) == talks


def test_the_weekly_drill_publishes_what_is_seen_also_when_it_failed() -> None:
    *_, drill, report, upload = workflow("drill")["jobs"]["prod"]["steps"]
    assert drill["name"] == "Drill"
    assert report["run"].endswith(f"--html {upload['with']['path']}")
    assert report["if"] == upload["if"] == "${{ !cancelled() }}"


def test_every_supported_python_is_tested() -> None:
    matrix = workflow("test")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix == {"python": ["3.11", "3.12", "3.13"]}
    assert [s["run"] for s in workflow("test")["jobs"]["test"]["steps"] if "run" in s] == [
        "make check",
        "make test",
    ]


def test_the_cli_that_deploys_is_the_one_that_is_tested() -> None:
    [installed] = [
        step["with"]["pulumi-version"]
        for step in local_action("./.github/actions/stack")["runs"]["steps"]
        if str(step.get("uses", "")).startswith("pulumi/actions@")
    ]
    assert installed == str(VERSION)
