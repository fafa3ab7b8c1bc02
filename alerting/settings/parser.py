"""The one parser of a stack's configuration, for the program and for `alertctl check`."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from alerting.settings.consistency import check_consistency
from alerting.settings.explanations import problems_of
from alerting.settings.models import Settings
from alerting.settings.problems import KeyPath, ProblemCollector, SettingsError

_STAND_IN = "stand-in"


def parse_settings(
    raw: Mapping[str, Any],
    source: str,
    *,
    lines: Mapping[KeyPath, int] | None = None,
    from_file: bool = False,
) -> Settings:
    """Read the `data-alerts:` part of a stack's configuration.

    Args:
        raw: values by key, without the `data-alerts:` before it.
        source: the file's name, for errors.
        lines: line of each path in that file, when there is one.
        from_file: whether secrets are expected to be still encrypted.

    Raises:
        SettingsError: with every problem, before anything was changed.
    """
    collector = ProblemCollector(lines or {})
    settings = _validate(raw, collector, from_file)
    check_consistency(settings, raw, collector)
    if collector.problems:
        raise SettingsError(source, collector.problems)
    return settings


def _validate(raw: Mapping[str, Any], collector: ProblemCollector, from_file: bool) -> Settings:
    """Validate, and where entries are wrong, what is left when those are taken out.

    So the checks between entries still run, and all mistakes are told at once.
    """
    context = {"from_file": from_file}
    try:
        return Settings.model_validate(raw, context=context)
    except ValidationError as error:
        problems = problems_of(error, raw)
    for path, text in problems:
        collector.add(path, text)
    collector.wrong.update(path for path, _ in problems)
    rest = _without(raw, collector)
    _stand_in_for_required(rest)
    return Settings.model_validate(rest, context=context)


def _without(raw: Mapping[str, Any], collector: ProblemCollector) -> dict[str, Any]:
    """A copy without the entries in which something is wrong."""
    copy: dict[str, Any] = {}
    for key, section in raw.items():
        if collector.is_wrong((key,)):
            continue
        if isinstance(section, Mapping):
            copy[key] = {k: v for k, v in section.items() if collector.is_sound((key, k))}
        elif isinstance(section, list):
            copy[key] = [v for i, v in enumerate(section) if collector.is_sound((key, i))]
        else:
            copy[key] = section
    return copy


def _stand_in_for_required(rest: dict[str, Any]) -> None:
    """Fill what may not be absent. Nothing is told about these: their own mistake was."""
    rest.setdefault("prefect", {}).setdefault("endpoint", "http://localhost/api")
    channels = rest.setdefault("channels", {})
    if not channels:
        channels[_STAND_IN] = {"kind": "slack", "block": _STAND_IN, "secret": _STAND_IN}
    rest.setdefault("tiers", {}).setdefault("warning", {"notify": list(channels)})
