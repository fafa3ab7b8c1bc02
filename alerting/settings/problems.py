"""What is wrong with a stack's configuration, said so that the reader can mend it.

No text here ever carries a value from the configuration: a webhook URL put under the wrong key
would end in a CI log. The key, and in files the line, says where to look.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import UnionType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from alerting.settings.models import Settings

KeyPath = tuple[str | int, ...]
PROJECT = "data-alerts"
_PLAIN_TEXT = "a short text without control characters"
_MAPPING = "expected keys and values (a YAML mapping), indented below this key"


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake: where it is, and what was expected and what to do about it."""

    line: int
    key: str
    text: str


class SettingsError(Exception):
    """Every problem of one stack's configuration; nothing was changed."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        """Collect the problems of `source`, the file as the reader knows it."""
        self.source = source
        self.problems = tuple(sorted(set(problems)))
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """One line a problem, as compilers write them: file:line: key: text."""
        return [
            f"{self.source}:{p.line}: {p.key}: {p.text}"
            if p.line
            else f"{self.source}: {p.key}: {p.text}"
            for p in self.problems
        ]


@dataclass(frozen=True)
class ProblemCollector:
    """Gathers problems by path, and knows the line of each path where there is a file."""

    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: KeyPath, text: str) -> None:
        """Note a problem at `path`, counted from below `data-alerts:`."""
        self.problems.append(Problem(self._line(path), key_of(path), text))

    def _line(self, path: KeyPath) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def key_of(path: KeyPath) -> str:
    """Write a path the way `pulumi config set --path` takes it."""
    head, *rest = path or ("",)
    text = f"{PROJECT}:{head}"
    for part in rest:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text


def path_of(error: ErrorDetails, raw: Mapping[str, Any]) -> KeyPath:
    """Where in the configuration an error is.

    Pydantic's locations also name the branch of a union; those parts are not keys and go.
    """
    path: list[str | int] = []
    here: Any = raw
    for part in error["loc"]:
        if _has(here, part):
            here = here[part]
        elif part is error["loc"][-1] and error["type"] == "missing":
            here = None
        else:
            continue
        path.append(part)
    return tuple(path)


def _has(here: object, part: str | int) -> bool:
    if isinstance(here, Mapping):
        return part in here
    return isinstance(here, list | tuple) and isinstance(part, int) and part < len(here)


def explain(error: ErrorDetails, path: KeyPath) -> str:
    """Say what was expected and what to do, for one of pydantic's findings."""
    kind, context, what = error["type"], error.get("ctx", {}), _description(path)
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "value_error":
        return str(context["error"])
    expected = {
        "missing": f"is missing. Add it: {what or 'see docs/settings.md'}",
        "union_tag_not_found": "kind is missing. Add kind: slack or kind: pagerduty",
        "union_tag_invalid": f"expected kind {context.get('expected_tags')}",
        "too_short": f"is empty. Name at least one: {what or 'an entry'}",
        "string_pattern_mismatch": f"expected {what or _PLAIN_TEXT}",
        "string_too_short": f"expected {what or _PLAIN_TEXT}",
        "string_too_long": f"expected {what or _PLAIN_TEXT}",
        "model_type": _MAPPING,
        "model_attributes_type": _MAPPING,
        "dict_type": _MAPPING,
        "tuple_type": "expected a list, such as [data-alerts]",
    }.get(kind)
    message = error["msg"].replace("Input should be", "expected")
    return expected or (f"{message}: {what}" if what else message)


def problems_of(error: ValidationError, raw: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """Each finding of a validation as a path and a text, once."""
    found: dict[tuple[KeyPath, str], None] = {}
    for details in error.errors(include_input=False, include_url=False):
        path = path_of(details, raw)
        found[path, explain(details, path)] = None
    return list(found)


def _unknown_key(path: KeyPath) -> str:
    known = sorted(_fields(path[:-1]))
    close = get_close_matches(str(path[-1]), known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Remove it, or use one of {', '.join(known)}"
    return f"is not a setting. {hint}"


def _description(path: KeyPath) -> str | None:
    return _fields(path[:-1]).get(str(path[-1])) if path else None


def _fields(path: KeyPath) -> dict[str, str | None]:
    """Keys that may stand below a path, with their descriptions."""
    models: list[Any] = [Settings]
    for part in path:
        models = [
            inner
            for model in models
            for name, info in model.model_fields.items()
            if part in (info.alias, name)
            for inner in _models_in(info.annotation)
        ] or models
    return {
        info.alias or name: info.description
        for model in models
        for name, info in model.model_fields.items()
    }


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation] if issubclass(annotation, BaseModel) else []
    inner = (
        get_args(annotation) if get_args(annotation) or isinstance(annotation, UnionType) else ()
    )
    return [model for part in inner for model in _models_in(part)]
