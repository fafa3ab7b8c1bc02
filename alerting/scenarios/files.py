"""Which files hold scenarios."""

from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDER = "scenarios"
"""Where a project keeps its scenarios, beside Pulumi.yaml."""


def is_scenario_file(path: Path) -> bool:
    """Whether a file among scenarios is one; stack files may stand beside them."""
    return path.suffix in {".yaml", ".yml"} and not path.name.startswith("Pulumi.")


def scenario_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that are named, and those at any depth in the folders that are, by name."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if is_scenario_file(each))
        else:
            yield path
