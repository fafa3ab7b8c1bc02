"""Reads scenario files: every mistake with its line, key and remedy."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from alerting.plan import Tier
from alerting.scenarios.run_events import STATE_TYPES
from alerting.scenarios.timeline import (
    EventStep,
    Expected,
    Heading,
    LoadStep,
    RestartStep,
    RunStep,
    Scenario,
    SentinelStep,
    SilenceStep,
    Step,
    UntilStep,
)
from alerting.settings.problems import KeyPath, Problem, SettingsError

_KINDS: dict[str, type[Step]] = {
    "event": EventStep,
    "flow": RunStep,
    "load": LoadStep,
    "restart": RestartStep,
    "sentinel": SentinelStep,
    "silence": SilenceStep,
    "until": UntilStep,
}
_LISTS = ("timeline", "expect")
_MAPPING = "expected keys and values (a YAML mapping)"
Model = TypeVar("Model", bound=BaseModel)
Steps = Sequence[tuple[int, Step]]


def read_scenarios(path: Path) -> list[Scenario]:
    """The scenarios of a file, which may hold several YAML documents.

    Raises:
        SettingsError: with every problem of the file and its line.
    """
    documents = list(_documents(path))
    readers = [_Reader(value, lines) for value, lines in documents]
    scenarios = [reader.read(path) for reader in readers]
    problems = [problem for reader in readers for problem in reader.problems]
    if not documents:
        text = "holds no scenario. Add one, with name, timeline and expect"
        problems = [Problem(1, "scenario", text)]
    if problems:
        raise SettingsError(str(path), problems)
    return [scenario for scenario in scenarios if scenario]


@dataclass
class _Reader:
    """Reads one document."""

    raw: Any
    lines: dict[KeyPath, int]
    problems: list[Problem] = field(default_factory=list)

    def read(self, path: Path) -> Scenario | None:
        """The scenario; None when there are problems."""
        if not isinstance(self.raw, dict):
            self._add((), f"{_MAPPING} with name, timeline and expect")
            return None
        own = {key: value for key, value in self.raw.items() if key not in _LISTS}
        heading = self._validated(Heading, own, (), also=_LISTS)
        timeline = [
            self._step(entry, ("timeline", index))
            for index, entry in enumerate(self._list("timeline"))
        ]
        expect = [
            self._validated(Expected, entry, ("expect", index))
            for index, entry in enumerate(self._list("expect"))
        ]
        self._check(heading, timeline)
        if heading is None or self.problems:
            return None
        return Scenario(
            path,
            self.lines[()],
            heading,
            tuple(step for step in timeline if step),
            tuple(each for each in expect if each),
            self.lines,
        )

    def _list(self, key: str) -> Sequence[Any]:
        value = self.raw.get(key)
        if isinstance(value, list) and (value or key == "expect"):
            return value
        what = "of what happens" if key == "timeline" else "of who is told, [] for nobody"
        state = "expected" if value else "is missing. Add"
        self._add((key,), f"{state} a list {what}")
        return ()

    def _step(self, entry: Any, path: KeyPath) -> Step | None:  # noqa: ANN401 - YAML is untyped
        if not isinstance(entry, dict):
            self._add(path, f"{_MAPPING}, such as {{at: 0m, flow: ..., state: Failed}}")
            return None
        kinds = [kind for kind in _KINDS if kind in entry]
        if len(kinds) > 1 and "flow" in kinds:
            kinds.remove("flow")  # which says whose event or load it is
        if len(kinds) != 1:
            what = " and ".join(kinds) or "nothing"
            self._add(path, f"says {what}. Expected one of {', '.join(sorted(_KINDS))}")
            return None
        return self._validated(_KINDS[kinds[0]], entry, path)

    def _validated(
        self,
        model: type[Model],
        entry: Any,  # noqa: ANN401 - YAML is untyped
        path: KeyPath,
        also: Sequence[str] = (),
    ) -> Model | None:
        try:
            return model.model_validate(entry)
        except ValidationError as error:
            for details in error.errors(include_url=False, include_input=False):
                text = _explained(details, model, also)
                self._add((*path, *details["loc"]), text)
            return None

    def _check(self, heading: Heading | None, timeline: Sequence[Step | None]) -> None:
        """What no entry shows alone, as far as entries could be read."""
        steps = [(index, step) for index, step in enumerate(timeline) if step]
        for path, text in (*_in_order(steps), *_runs(steps), *_comings_and_goings(steps)):
            self._add(("timeline", *path), text)
        if None not in timeline:
            for path, text in _parents(steps):
                self._add(("timeline", *path), text)
        if heading and heading.stack and heading.file:
            self._add(("file",), "stack is given as well. Keep one of them")
        if heading and heading.live:
            for index, step in steps:
                if not isinstance(step, RunStep | UntilStep):
                    text = "cannot be played on a live server. Remove it, or live: true"
                    self._add(("timeline", index), text)

    def _add(self, path: KeyPath, text: str) -> None:
        where = path
        while where not in self.lines:
            where = where[:-1]
        self.problems.append(Problem(self.lines[where], _key(path), text))


def _in_order(steps: Steps) -> Iterator[tuple[KeyPath, str]]:
    latest = timedelta(0)
    for index, step in steps:
        if step.at < latest:
            yield (index, "at"), "is earlier than the entry before it. Order entries by time"
        latest = max(latest, step.at)


def _runs(steps: Steps) -> Iterator[tuple[KeyPath, str]]:
    """Runs of two flows, and states that are none."""
    flows: dict[str, str] = {}
    for index, step in steps:
        if not isinstance(step, RunStep):
            continue
        if step.run and flows.setdefault(step.run, step.flow) != step.flow:
            text = f"is a run of {flows[step.run]} above. Give this one another name"
            yield (index, "run"), text
        if step.type is None and step.state not in STATE_TYPES:
            hint = _did_you_mean(step.state, STATE_TYPES)
            text = f"is not a state of Prefect's. {hint} One of your own needs type: FAILED"
            yield (index, "state"), text


def _parents(steps: Steps) -> Iterator[tuple[KeyPath, str]]:
    """Parents that are no run."""
    runs = {step.run: index for index, step in steps if isinstance(step, RunStep) and step.run}
    for index, step in steps:
        if isinstance(step, RunStep) and step.parent:
            others = [run for run in runs if run != step.run]
            if step.parent not in others:
                hint = _did_you_mean(step.parent, others)
                yield (index, "parent"), f"is the name of no other run. {hint}"


def _comings_and_goings(steps: Steps) -> Iterator[tuple[KeyPath, str]]:
    """A server that restarts while it is away, a sentinel that is already what it becomes."""
    back, sentinel = timedelta(0), "up"
    for index, step in steps:
        if isinstance(step, RestartStep):
            if step.at < back:
                yield (index, "at"), "the server is still away then. Wait until it is back"
            back = step.at + step.restart
        if isinstance(step, SentinelStep):
            if step.sentinel == sentinel:
                yield (index, "sentinel"), f"is {sentinel} already. Remove the entry"
            sentinel = step.sentinel


def _explained(error: ErrorDetails, model: type[BaseModel], also: Sequence[str]) -> str:
    kind, key = error["type"], str(error["loc"][0]) if error["loc"] else ""
    if kind == "extra_forbidden":
        hint = _did_you_mean(key, [*model.model_fields, *also])
        return f"is not a key here. {hint}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    known = model.model_fields.get(key)
    what = f": {known.description}" if known and known.description else ""
    if kind == "enum":
        return f"is not a tier. Expected one of {', '.join(Tier)}"
    if kind == "literal_error":
        return error["msg"].replace("Input should be", "expected")
    return {
        "missing": f"is missing. Add it{what}",
        "model_type": _MAPPING,
        "dict_type": _MAPPING,
        "string_type": f"expected text{what}. Quote what YAML takes for something else",
        "bool_type": f"expected true or false{what}",
        "tuple_type": f"expected a list (- or [] in YAML){what}",
    }.get(kind, f"{error['msg']}{what}")


def _did_you_mean(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if not close and not known:
        return "There is none."
    return f"Did you mean {close[0]}?" if close else f"Expected one of {', '.join(sorted(known))}."


def _key(path: KeyPath) -> str:
    head, *rest = path or ("scenario",)
    return str(head) + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in rest)


def _documents(path: Path) -> Iterator[tuple[Any, dict[KeyPath, int]]]:
    """Each document's plain value, with the line of each of its parts."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        problem = Problem(0, "file", f"cannot be read: {reason}. Name an existing scenario file")
        raise SettingsError(str(path), [problem]) from None
    try:
        yaml = YAML(typ="safe")
        for node in filter(None, yaml.compose_all(text)):
            lines: dict[KeyPath, int] = {}
            _note_lines(node, (), lines)
            yield yaml.constructor.construct_document(node), lines
    except (YAMLError, RecursionError) as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        problem = Problem(
            mark.line + 1 if mark else 0,
            "YAML",
            "is not valid here. Check indentation, quotes, brackets and keys that are given twice",
        )
        raise SettingsError(str(path), [problem]) from None


def _note_lines(node: Node, path: KeyPath, lines: dict[KeyPath, int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        for key, value in node.value:
            # A key that is no text is found wrong where the values are made.
            lines[*path, str(key.value)] = key.start_mark.line + 1
            _note_lines(value, (*path, str(key.value)), lines)
    if isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines)
