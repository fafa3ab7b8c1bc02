"""What `make bench` measures, each part also alone: `python -m sandbox bench --only truth`."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.table import Table

from sandbox import bench as deployments
from sandbox import live_load, throughput
from sandbox.lifecycle import passing_sandbox
from sandbox.observed import bench as observed
from sandbox.truth import bench as truth
from sandbox.truth import report as truth_report

Say = Callable[[str], object]
REPOSITORY = Path(__file__).resolve().parent.parent
_TOOK = re.compile(r"started in ([\d.]+) s, played in ([\d.]+) s")


class Part(StrEnum):
    """What can be measured alone."""

    SCENARIOS = "scenarios"
    JUDGING = "judging"
    LIVE = "live"
    TRUTH = "truth"
    OBSERVED = "observed"
    DEPLOYMENTS = "deployments"


@dataclass(frozen=True)
class Figures:
    """What a part found."""

    table: Table
    data: dict[str, Any]
    wrong: str | None = None
    """What must not be so; None when all is well."""


def measure(part: Part, folder: Path, say: Say) -> Figures:
    """Measure one part; `folder` is for a sandbox, where one is needed."""
    match part:
        case Part.SCENARIOS:
            return _scenarios()
        case Part.JUDGING:
            judged = throughput.measure(say)
            return Figures(throughput.as_table(judged), throughput.as_json(judged))
        case Part.LIVE:
            return _live(say)
        case Part.TRUTH:
            found = truth.measure(say)
            wrong = None if found.exact else "ours missed a page, or sent one that was not due"
            return Figures(truth_report.as_table(found), truth_report.as_json(found), wrong)
        case Part.OBSERVED:
            seen = observed.measure(say)
            return Figures(observed.as_table(seen), observed.as_json(seen), seen.wrong)
        case Part.DEPLOYMENTS:
            return _deployments(folder, say)


def _deployments(folder: Path, say: Say) -> Figures:
    with passing_sandbox(folder) as state:
        timings = deployments.measure(state, say)
    return Figures(deployments.as_table(timings), deployments.as_json(timings))


def _live(say: Say) -> Figures:
    load = live_load.measure(say)
    wrong = f"{load.missing} failures were not judged" if load.missing else None
    return Figures(live_load.as_table(load), live_load.as_json(load), wrong)


def _scenarios() -> Figures:
    """The shipped scenarios through `alertctl test`, as anybody runs them."""
    command = [sys.executable, "-m", "alerting.ctl", "test", "--json"]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S603 - this project's
    took = _TOOK.search(run.stderr)
    if took is None:
        return Figures(Table("scenarios were not played"), {}, "alertctl test played no scenario")
    found = json.loads(run.stdout)
    passed, failed = found["passed"], found["failed"]
    start, play = map(float, took.groups())
    table = Table("scenarios", "start", "all played", title="Scenarios", title_justify="left")
    table.add_row(f"{passed:,} passed, {failed:,} failed", f"{start:.1f} s", f"{play:.1f} s")
    data = {"passed": passed, "failed": failed, "start_seconds": start, "seconds": play}
    return Figures(table, data, f"{failed} scenarios failed" if failed else None)
