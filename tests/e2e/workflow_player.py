"""Plays jobs of the workflows on this machine: their steps, in order, as GitHub's runner would.

The `run` of a step runs as it stands. What other people's actions do is given by the test.
"""

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from json import loads
from pathlib import Path
from typing import Any

from tests.shared.workflows import local_action, workflow

Action = Callable[["Job", Mapping[str, str]], None]
"""What stands for somebody else's action: told the job, and what its step has below `with`."""
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_STATUS = re.compile(r"\b(always|cancelled|failure)\(\)")


@dataclass
class Runner:
    """What all jobs of a workflow's run share."""

    checkout: Path
    environment: Mapping[str, str]
    actions: Mapping[str, Action]
    github: dict[str, Any]
    variables: Callable[[str], dict[str, str]]
    """The variables of a GitHub environment, the repository's among them."""
    scratch: Path
    say: Callable[[str], None] = print

    def play(self, file: str, name: str, **context: Any) -> "Job":  # noqa: ANN401 - JSON
        """Play one job. `matrix` and `needs` are given by the caller."""
        document = workflow(file)
        declared = document["jobs"][name]
        job = Job(self, {"github": self.github, "matrix": {}, "needs": {}} | context)
        job.context["vars"] = self.variables(job.text(declared.get("environment", "")))
        for variables in (document.get("env", {}), declared.get("env", {})):
            job.environment |= {k: job.text(v) for k, v in variables.items()}
        condition = declared.get("if")
        if condition is None or job.value(str(condition)):
            self.say(f"\n== {file}: {job.text(str(declared.get('name', name)))}")
            job.play_steps(declared["steps"], job.context)
        return job


@dataclass
class Job:
    """One job. `ran` are the names of the steps that ran, `log` is all that they printed."""

    runner: Runner
    context: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    log: str = ""
    failed: str | None = None
    """The step that failed."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each step with an id has put out."""
    _context: dict[str, Any] = field(default_factory=dict)

    def play_steps(self, steps: list[dict[str, Any]], context: dict[str, Any]) -> None:
        """Play the steps of a job, or of an action of our own, with its own inputs."""
        outer, self._context = self._context, context | {"steps": {}}
        for step in steps:
            outcome = self._play(step) if self._wanted(step) else "skipped"
            if "id" in step:
                known = self._context["steps"].setdefault(step["id"], {"outputs": {}})
                known["outcome"] = outcome
        self._context = outer

    def _wanted(self, step: Mapping[str, Any]) -> bool:
        condition = str(step.get("if", ""))
        if self.failed and not _STATUS.search(condition):
            return False
        return not condition or bool(self.value(condition))

    def _play(self, step: dict[str, Any]) -> str:
        uses = str(step.get("uses", ""))
        given = step.get("with", {})
        if uses.startswith("./"):
            inputs = {name: self.text(str(value)) for name, value in given.items()}
            self.play_steps(local_action(uses)["runs"]["steps"], self._context | {"inputs": inputs})
            return "failure" if self.failed else "success"
        if uses:
            action = self.runner.actions[uses.partition("@")[0]]
            action(self, {name: self.text(str(value)) for name, value in given.items()})
            return "success"
        return self._run(step)

    def _run(self, step: dict[str, Any]) -> str:
        name = step.get("name", step["run"])
        self.runner.say(f"-- {name}: {step['run']}")
        output_file, summary = self.runner.scratch / "output", self.runner.scratch / "summary"
        output_file.write_text("")
        answer = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.runner.checkout,
            env={
                **self.runner.environment,
                **self.environment,
                **{k: self.text(str(v)) for k, v in step.get("env", {}).items()},
                "GITHUB_ACTIONS": "true",
                "GITHUB_OUTPUT": str(output_file),
                "GITHUB_STEP_SUMMARY": str(summary),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.ran.append(name)
        self.log += answer.stdout
        for line in answer.stdout.splitlines()[-12:]:
            self.runner.say(f"   {line}")
        if "id" in step:
            self.outputs[step["id"]] = _outputs(output_file.read_text())
            self._context["steps"][step["id"]] = {"outputs": self.outputs[step["id"]]}
        if answer.returncode:
            self.failed = self.failed or name
            return "failure"
        return "success"

    def text(self, template: str) -> str:
        """A value of the file, its expressions filled in."""
        return _EXPRESSION.sub(lambda found: str(self.value(found[1])), template)

    def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever the file holds
        """An expression's value: the few operators and functions that the workflows use."""
        text = expression.strip().removeprefix("${{").removesuffix("}}").strip()
        if "&&" in text:
            return all(self.value(part) for part in text.split("&&"))
        for operator, wanted in (("!=", False), ("==", True)):
            left, found, right = text.partition(operator)
            if found:
                return (self.value(left) == self.value(right)) is wanted
        if text.startswith("!"):
            return not self.value(text[1:])
        if text.startswith("'"):
            return text.strip("'")
        if call := re.fullmatch(r"(\w+)\((.*)\)", text):
            return self._call(call[1], call[2])
        value: Any = self._context or self.context
        for part in text.split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        return value

    def _call(self, function: str, argument: str) -> Any:  # noqa: ANN401
        if function == "fromJSON":
            return loads(self.value(argument))
        # A job that plays is not cancelled; of a cache's key nothing depends here.
        return {"always": True, "cancelled": False, "hashFiles": "hash"}[function]


def _outputs(text: str) -> dict[str, str]:
    found = re.finditer(r"^(\w+)<<(\w+)\n(.*?)\n\2$", text, re.MULTILINE | re.DOTALL)
    return {each[1]: each[3] for each in found}
