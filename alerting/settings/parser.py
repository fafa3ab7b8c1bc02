"""The one parser of a stack's configuration, for the program and for `alertctl check`."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from alerting.settings.consistency import check_consistency
from alerting.settings.models import Settings
from alerting.settings.problems import KeyPath, ProblemCollector, SettingsError, problems_of


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
    if settings is not None:
        check_consistency(settings, raw, collector)
    if collector.problems or settings is None:
        raise SettingsError(source, collector.problems)
    return settings


def _validate(
    raw: Mapping[str, Any], collector: ProblemCollector, from_file: bool
) -> Settings | None:
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
    rest = _without(raw, [path for path, _ in problems])
    _stand_in_for_required(rest, {path[0] for path, _ in problems if path})
    try:
        return Settings.model_validate(rest, context=context)
    except ValidationError:
        return None


def _without(raw: Mapping[str, Any], paths: list[KeyPath]) -> dict[str, Any]:
    """A copy in which the entries that contain these paths are left out."""
    bad = {path[:2] for path in paths} | {path[:1] for path in paths if len(path) == 1}
    copy: dict[str, Any] = {}
    for key, section in raw.items():
        if (key,) in bad:
            continue
        if isinstance(section, Mapping):
            copy[key] = {k: v for k, v in section.items() if (key, k) not in bad}
        elif isinstance(section, list):
            copy[key] = [v for i, v in enumerate(section) if (key, i) not in bad]
        else:
            copy[key] = section
    return copy


def _stand_in_for_required(rest: dict[str, Any], bad: set[str | int]) -> None:
    """Fill what may not be absent, so that a mistake there does not hide those elsewhere."""
    if "prefect" in bad:
        rest["prefect"] = {"endpoint": "http://localhost/api"}
    tiers = rest.setdefault("tiers", {})
    if "tiers" in bad and isinstance(tiers, dict):
        tiers.setdefault("warning", {"notify": list(rest.get("channels", {}))[:1]})
