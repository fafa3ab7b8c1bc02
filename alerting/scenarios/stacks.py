"""Which stack a scenario is for, and what it says of that stack's channels."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from alerting.plan import Plan, build_plan
from alerting.scenarios.timeline import Scenario, SentinelStep
from alerting.settings.problems import Problem, SettingsError
from alerting.settings.stackfile import project_root, read_stack_file


@dataclass
class Stacks:
    """The stacks that scenarios are played through."""

    stack: str | None = None
    """The stack of scenarios that name none."""
    file: Path | None = None
    """Takes the place of the file of whichever stack a scenario names."""
    _plans: dict[Path, Plan] = field(default_factory=dict)

    def plan_of(self, scenario: Scenario) -> Plan:
        """The plan that a scenario is about.

        Raises:
            SettingsError: with what is wrong with the stack's file, or with the scenario for it.
        """
        path = self._file_of(scenario)
        if path not in self._plans:
            found = read_stack_file(path)
            self._plans[path] = build_plan(found.settings, found.stack)
        plan = self._plans[path]
        if problems := list(_problems(scenario, plan)):
            raise SettingsError(str(scenario.path), problems)
        return plan

    def _file_of(self, scenario: Scenario) -> Path:
        own = scenario.heading
        if own.file:
            return _existing(scenario, "file", scenario.path.parent / own.file)
        if self.file:
            return self.file
        stack = own.stack or self.stack
        if stack is None:
            text = "is missing. Add it, or name one with --stack or --file"
            raise SettingsError(str(scenario.path), [Problem(scenario.line, "stack", text)])
        path = project_root(Path.cwd(), scenario.path.parent.resolve()) / f"Pulumi.{stack}.yaml"
        return _existing(scenario, "stack", path) if own.stack else path


def _existing(scenario: Scenario, key: str, path: Path) -> Path:
    if not path.is_file():
        text = f"there is no {path}. Name an existing stack"
        raise SettingsError(str(scenario.path), [Problem(scenario.lines[key,], key, text)])
    return path


def _problems(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    """What of the scenario cannot be about this stack."""
    channels = {n.channel for rule in plan.automations for n in rule.notifications}
    for index, expected in enumerate(scenario.expect):
        for channel in sorted(set(expected.to) - channels):
            yield Problem(
                scenario.lines["expect", index, "to"],
                f"expect[{index}].to",
                f"{channel} is no channel that stack {plan.stack} tells. "
                f"Expected some of {', '.join(sorted(channels))}",
            )
    if plan.published.sentinel is None:
        for index, step in enumerate(scenario.timeline):
            if isinstance(step, SentinelStep):
                yield Problem(
                    scenario.lines["timeline", index],
                    f"timeline[{index}].sentinel",
                    f"stack {plan.stack} has none: triggers judge it. Remove the entry",
                )
