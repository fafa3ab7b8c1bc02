"""The truth bench: random histories through each rule set, on every core."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from time import monotonic
from typing import TYPE_CHECKING

from alerting.plan import Tier
from alerting.sentinel.judging import rules_of
from sandbox.fleet import fleet_plan
from sandbox.truth.due import Rules, pages_due
from sandbox.truth.matching import Tally, compare
from sandbox.truth.random_history import EVERY, Extent, random_history
from sandbox.truth.rule_sets import rule_sets

if TYPE_CHECKING:
    from alerting.scenarios.engine import Engine

SEEDS = range(10)
TWO_WEEKS = Extent(flows=20, days=14)
_AFTERWARDS = 2 * EVERY
"""What is let pass after the last run, so that every escalation step falls due."""

Tallies = dict[Tier, Tally]
_engines: list["Engine"] = []
"""This process's, once it has one: making it takes seconds."""


@dataclass(frozen=True)
class Measured:
    """How each rule set did over all histories."""

    extent: Extent
    seeds: int
    tallies: dict[str, Tallies]
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether ours sent what was due and nothing else."""
        return all(tally.is_exact for tally in self.tallies["ours"].values())


def measure(
    say: Callable[[str], object], *, extent: Extent = TWO_WEEKS, seeds: Sequence[int] = SEEDS
) -> Measured:
    """Play each seed's history through every rule set."""
    start = monotonic()
    total: dict[str, Tallies] = {}
    # The engine stops its process's clock, so it gets processes of its own.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        playing = [pool.submit(play_seed, seed, extent) for seed in seeds]
        for number, played in enumerate(as_completed(playing), start=1):
            for name, tallies in played.result().items():
                known = total.setdefault(name, dict.fromkeys(tallies, Tally()))
                total[name] = {tier: known[tier] + tally for tier, tally in tallies.items()}
            say(f"{number} of {len(seeds)} histories, {monotonic() - start:.0f} s")
    return Measured(extent, len(seeds), total, monotonic() - start)


def play_seed(seed: int, extent: Extent) -> dict[str, Tallies]:
    """How each rule set does in one history."""
    from sandbox.truth.player import play  # noqa: PLC0415 - imports Prefect's server: seconds

    history = random_history(seed, extent)
    until = history[-1].at + _AFTERWARDS
    due = pages_due(history, _rules(extent), until)
    return {
        rule_set.name: compare(due, play(_engine(), rule_set, history, until))
        for rule_set in rule_sets(extent.flows)
    }


def _rules(extent: Extent) -> Rules:
    asked = rules_of(fleet_plan(extent.flows).published)
    if asked.consecutive_failures is None:
        raise ValueError("the made-up stack has no critical tier")
    return Rules(asked.consecutive_failures, tuple((s.label, s.after) for s in asked.steps))


def _engine() -> "Engine":
    from alerting.scenarios.engine import Engine  # noqa: PLC0415 - as above
    from alerting.scenarios.isolation import fresh_settings  # noqa: PLC0415

    if not _engines:
        _engines.append(Engine(fresh_settings()))
    return _engines[0]
