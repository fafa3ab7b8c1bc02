"""Collects scenarios as tests: `pytest -p alerting.scenarios.pytest_plugin scenarios`.

A project says so once, in the `addopts` of its pytest settings. Files below the folders that the
setting `data_alerts_scenarios` names are collected, by default below `scenarios`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alerting.scenarios.comparison import Outcome
from alerting.scenarios.files import FOLDER, is_scenario_file
from alerting.scenarios.isolation import fresh_settings
from alerting.scenarios.parsing import read_scenarios
from alerting.scenarios.stacks import Stacks
from alerting.scenarios.timeline import Scenario
from alerting.settings import SettingsError

if TYPE_CHECKING:
    from alerting.scenarios.playing import Player

_SETTING = "data_alerts_scenarios"
_MARKER = "scenarios"
_PLAYER = pytest.StashKey["Player"]()
_STACKS = pytest.StashKey[Stacks]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which folders hold scenarios, and the stack of those that name none."""
    parser.addini(_SETTING, "folders that hold scenarios", type="args", default=[FOLDER])
    parser.addini("data_alerts_stack", "stack of the scenarios that name none", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that every scenario has."""
    config.addinivalue_line("markers", f"{_MARKER}: who is told what, in Prefect's own engine")
    config.stash[_STACKS] = Stacks(config.getini("data_alerts_stack") or None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the engine."""
    if player := config.stash.get(_PLAYER, None):
        player.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """A file below one of the folders."""
    root = parent.config.rootpath
    folders = [root / folder for folder in parent.config.getini(_SETTING)]
    if is_scenario_file(file_path) and any(folder in file_path.parents for folder in folders):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A file of scenarios."""

    def collect(self) -> Iterable["ScenarioItem"]:
        """Its scenarios, each a test."""
        try:
            scenarios = read_scenarios(self.path)
        except SettingsError as error:
            raise self.CollectError(str(error)) from None
        for scenario in scenarios:
            yield ScenarioItem.from_parent(self, name=scenario.name, scenario=scenario)


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, scenario: Scenario, **arguments: object) -> None:
        """A scenario, by its name."""
        super().__init__(**arguments)  # type: ignore[arg-type] # pytest's own
        self._scenario = scenario
        self.add_marker(_MARKER)

    def runtest(self) -> None:
        """Play it."""
        plan = self.config.stash[_STACKS].plan_of(self._scenario)
        outcome = _player(self.config).play(self._scenario, plan)
        if not outcome.passed:
            raise ScenarioFailed(outcome)

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: object = None,  # noqa: ARG002 - pytest's argument
    ) -> str:
        """Expected and sent, or what is wrong with a file."""
        if isinstance(excinfo.value, ScenarioFailed):
            return "\n".join(excinfo.value.outcome.diff())
        if isinstance(excinfo.value, SettingsError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, self._scenario.line - 1, self.name


class ScenarioFailed(Exception):  # noqa: N818 - a finding, as pytest's own are
    """Something else was sent than was expected."""

    def __init__(self, outcome: Outcome) -> None:
        """Keep what is to be shown."""
        super().__init__(outcome.scenario.name)
        self.outcome = outcome


def _player(config: pytest.Config) -> "Player":
    """One for all: it takes seconds to import what it needs."""
    if _PLAYER not in config.stash:
        # Under the settings that other tests of this process are going to need.
        import prefect  # noqa: F401, PLC0415

        settings = fresh_settings()
        from alerting.scenarios.playing import Player  # noqa: PLC0415

        config.stash[_PLAYER] = Player(settings)
    return config.stash[_PLAYER]
