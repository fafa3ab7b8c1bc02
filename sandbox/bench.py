"""Times deployments of few and of many pipelines, in turn, on the same sandbox."""

import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

from rich.table import Table

from sandbox.stack import SandboxStack
from sandbox.state import SandboxState

ROUNDS = 3
MANY = 1_000
OPERATIONS = ("create", "no change", "preview", "destroy")
Timings = dict[tuple[str, bool], list[float]]


def measure(state: SandboxState, say: Callable[[str], object]) -> Timings:
    """Deploy and destroy the stack with its own pipelines and with a thousand, in turn."""
    timings: Timings = defaultdict(list)
    for number in range(1, ROUNDS + 1):
        for many in (False, True):
            say(f"round {number} of {ROUNDS}, {MANY if many else 'few'} pipelines")
            stack = SandboxStack(state, configure=with_many_pipelines if many else None)
            actions: list[Callable[[], object]] = [stack.up, stack.up, stack.preview, stack.destroy]
            for operation, action in zip(OPERATIONS, actions, strict=True):
                start = time.monotonic()
                action()
                timings[operation, many].append(time.monotonic() - start)
    return timings


def with_many_pipelines(config: dict[str, Any]) -> None:
    """Fill the configuration up to a thousand pipelines."""
    pipelines = config["data-alerts:pipelines"]
    for index in range(MANY - len(pipelines)):
        pipelines[f"pipeline-{index:04}"] = {
            "owner": f"team-{index % 7}",
            "runbook": f"https://wiki.example.com/runbooks/pipeline-{index:04}",
            "every": "24h",
            "escalate": index % 2 == 0,
        }


def as_table(timings: Timings) -> Table:
    """The medians, and how much longer many pipelines take."""
    table = Table(title=f"Deployments: seconds, median of {ROUNDS}", title_justify="left")
    for heading in ("", "3 pipelines", f"{MANY:,} pipelines", "ratio"):
        table.add_column(heading, justify="right" if heading else "left")
    for operation in OPERATIONS:
        few, many = median(timings[operation, False]), median(timings[operation, True])
        table.add_row(operation, f"{few:.2f}", f"{many:.2f}", f"{many / few:.2f}")
    return table


def as_json(timings: Timings) -> dict[str, dict[str, float]]:
    """The medians as data."""
    return {
        operation: {
            "few": median(timings[operation, False]),
            "many": median(timings[operation, True]),
        }
        for operation in OPERATIONS
    }
