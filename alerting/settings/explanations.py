"""Pydantic's findings in the words of the reader: what was expected, and what to do."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from alerting.settings.models import Settings
from alerting.settings.problems import KeyPath

_MAPPING = "expected keys and values (a YAML mapping), indented below this key"
_KIND = "Expected slack, pagerduty, teams, email or webhook"


def problems_of(error: ValidationError, raw: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """Each finding of a validation as a path and a text."""
    return [
        (_path_of(details, raw), _explain(details))
        for details in error.errors(include_input=False, include_url=False)
    ]


def _path_of(error: ErrorDetails, raw: Mapping[str, Any]) -> KeyPath:
    """Where in the configuration an error is.

    Pydantic's locations also name the branch of a union; those parts are not keys and go.
    """
    path: list[str | int] = []
    here: Any = raw
    for index, part in enumerate(error["loc"]):
        if _has(here, part):
            here = here[part]
        elif index == len(error["loc"]) - 1 and error["type"] == "missing":
            here = None
        else:
            continue
        path.append(part)
    return tuple(path)


def _has(here: object, part: str | int) -> bool:
    if isinstance(here, Mapping):
        return part in here
    return isinstance(here, list) and isinstance(part, int)


def _explain(error: ErrorDetails) -> str:
    kind, location = error["type"], error["loc"]
    if kind == "extra_forbidden":
        return _unknown_key(location)
    if kind == "value_error":
        return str(error["ctx"]["error"])
    what = _settings_below(location[:-1]).get(str(location[-1]))
    expected = {
        "missing": f"is missing. Add it: {what}",
        "union_tag_not_found": f"kind is missing. {_KIND}",
        "union_tag_invalid": f"kind is unknown. {_KIND}",
        "too_short": f"is empty. Add at least one: {what}",
        "bool_type": f"expected true or false: {what}",
        "model_type": _MAPPING,
        "model_attributes_type": _MAPPING,
        "dict_type": _MAPPING,
        "tuple_type": "expected a list (- or [] in YAML)",
    }.get(kind)
    message = error["msg"].replace("Input should be", "expected")
    return expected or (f"{message}: {what}" if what else message)


def _unknown_key(location: tuple[str | int, ...]) -> str:
    known = sorted(_settings_below(location[:-1]))
    if ":" in str(location[-1]):
        return "is not a setting. Put a space after the colon that follows a key"
    close = get_close_matches(str(location[-1]), known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Remove it, or use one of {', '.join(known)}"
    return f"is not a setting. {hint}"


def _settings_below(location: tuple[str | int, ...]) -> dict[str, str | None]:
    """Keys that may stand below a location, with their descriptions."""
    models: list[type[BaseModel]] = [Settings]
    for part in location:
        models = (
            [
                inner
                for model in models
                for name, info in model.model_fields.items()
                if part in (info.alias, name)
                for inner in _models_in(info.annotation)
            ]
            or [model for model in models if _kind(model) == part]
            or models
        )
    return {
        info.alias or name: info.description
        for model in models
        for name, info in model.model_fields.items()
    }


def _kind(model: type[BaseModel]) -> str | None:
    """The `kind` by which a union knows its branch, which locations name."""
    field = model.model_fields.get("kind")
    return get_args(field.annotation)[0] if field else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
