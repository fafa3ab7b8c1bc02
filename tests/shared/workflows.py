"""The workflow files, as tests read them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

REPOSITORY = Path(__file__).resolve().parents[2]
GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))


def load(file: Path) -> dict[str, Any]:
    """A workflow's or an action's document. In YAML 1.2 the key `on` is a text."""
    document: dict[str, Any] = YAML(typ="safe").load(file)
    return document


def workflow(name: str) -> dict[str, Any]:
    return load(GITHUB / "workflows" / f"{name}.yml")


def local_action(uses: str) -> dict[str, Any]:
    """The action that `./.github/actions/NAME` names."""
    return load(REPOSITORY / uses / "action.yml")


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every job of every workflow, with a name for it."""
    for file in WORKFLOWS:
        for name, job in load(file)["jobs"].items():
            yield f"{file.stem}/{name}", job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step of every workflow and of every action of our own."""
    for name, job in jobs():
        yield from ((name, step) for step in job["steps"])
    for file in ACTIONS:
        yield from ((file.parent.name, step) for step in load(file)["runs"]["steps"])
