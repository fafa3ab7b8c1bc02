"""Plays scenarios, one after another, in one engine. Imports Prefect's server; see `engine`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Self

from prefect.settings import Settings

from alerting.plan import Plan
from alerting.plan.silences import Silence
from alerting.scenarios.comparison import Outcome, compare
from alerting.scenarios.engine import START, Engine, EngineError
from alerting.scenarios.rendering import RenderingError
from alerting.scenarios.run_events import RunEvent, any_event, load_event, made_id
from alerting.scenarios.simulation import Deployment, Simulation
from alerting.scenarios.timeline import (
    EventStep,
    LoadStep,
    RestartStep,
    RunStep,
    Scenario,
    SentinelStep,
    SilenceStep,
    Step,
)


class Player:
    """Plays scenarios. Each begins with a fresh server, on which its stack was just deployed."""

    def __init__(self, settings: Settings) -> None:
        """`settings` are Prefect's; see `fresh_settings`."""
        self._engine = Engine(settings)
        self._deployments: dict[int, Deployment] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()

    def play(self, scenario: Scenario, plan: Plan) -> Outcome:
        """Play a scenario through a stack's plan and compare."""
        deployment = self._deployments.get(id(plan))
        if deployment is None:
            deployment = self._deployments[id(plan)] = Deployment(plan)
        simulation = Simulation(deployment, self._engine, watched=scenario.is_watched)
        error = None
        try:
            _play(scenario, simulation, plan.published.tag)
        except (EngineError, RenderingError) as caught:
            error = str(caught)
        return compare(scenario, simulation.told, error)


def _play(scenario: Scenario, simulation: Simulation, tag: str) -> None:
    runs = dict(run_events(scenario, tag))
    with simulation.running(sentinel=not _is_down_at_first(scenario)):
        for run in runs.values():
            simulation.knows(run)
        for index, step in enumerate(scenario.timeline):
            simulation.advance(step.at)
            _take(step, simulation, runs.get(index))
        simulation.advance(scenario.timeline[-1].at, through=True)


def _take(step: Step, simulation: Simulation, run: RunEvent | None) -> None:
    match step:
        case RunStep() if run:
            simulation.happens(run)
        case EventStep():
            simulation.happens(
                any_event(
                    step.event,
                    START + step.at,
                    step.labels,
                    step.payload,
                    flow=step.flow,
                    deployment=step.deployment,
                    tags=step.tags,
                )
            )
        case LoadStep():
            tag = simulation.tag
            simulation.happens(
                load_event(step.flow, step.deployment, step.load, START + step.at, tag)
            )
        case SilenceStep():
            starts = START + step.at
            simulation.silence(
                Silence(
                    id=str(made_id("silence", str(step.at), *sorted(step.pipelines))),
                    pipelines=step.pipelines,
                    starts=starts,
                    ends=starts + step.silence,
                    reason=step.reason,
                    author="scenario",
                )
            )
        case RestartStep():
            simulation.restart(step.restart)
        case SentinelStep(sentinel="up"):
            simulation.start_sentinel()
        case SentinelStep():
            simulation.stop_sentinel()


def run_events(scenario: Scenario, tag: str) -> Iterator[tuple[int, RunEvent]]:
    """The runs' events, each with the place of its entry in the timeline.

    What an entry leaves out is taken from an earlier one of the same run, and the tags by default
    from the stack.
    """
    known: dict[str, RunStep] = {}
    for index, step in enumerate(scenario.timeline):
        if not isinstance(step, RunStep):
            continue
        name = step.run or f"unnamed-{index + 1}"
        first = known.setdefault(name, step)
        tags = step.tags if step.tags is not None else first.tags
        yield (
            index,
            RunEvent(
                flow=step.flow,
                state=step.state,
                at=START + step.at,
                run=name,
                message=step.message,
                state_type=step.type,
                deployment=step.deployment or first.deployment,
                parent=step.parent or first.parent,
                tags=(tag,) if tags is None else tags,
                labels=step.labels,
                payload=step.payload,
            ),
        )


def _is_down_at_first(scenario: Scenario) -> bool:
    """Whether the sentinel was never started: it is down before any time passes."""
    return any(
        isinstance(step, SentinelStep) and step.sentinel == "down"
        for step in scenario.timeline
        if step.at == timedelta(0)
    )
