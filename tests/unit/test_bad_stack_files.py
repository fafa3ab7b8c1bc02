"""Stack files that are wrong: one clear error for each mistake, and no secret in any of them."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerting.settings import Problem, SettingsError, parse_settings
from alerting.settings.stackfile import read_stack_file
from tests.shared.example_stack import SOURCE, raw_settings
from tests.shared.mistakes import BASE, CANARY, WEBHOOK, Mistake, mistakes, text_of

pytestmark = pytest.mark.unit

WRONG_TYPES: tuple[object, ...] = (-5, 1.5, [[]], [CANARY], [None])
WRONG_PLACES: tuple[object, ...] = (CANARY, f"{CANARY}\n", {"value": CANARY}, {CANARY: CANARY}, {})


def errors_of(folder: Path, text: str) -> list[str]:
    path = folder / SOURCE
    path.write_text(text, encoding="utf-8")
    try:
        read_stack_file(path)
    except SettingsError as error:
        assert_tells_no_secret(error)
        return error.lines()
    return []


def assert_tells_no_secret(error: SettingsError) -> None:
    assert CANARY not in str(error)
    assert CANARY not in "".join(traceback.format_exception(error))


def test_the_file_that_mistakes_are_made_in_is_right(tmp_path: Path) -> None:
    assert errors_of(tmp_path, BASE) == []


@pytest.mark.parametrize("mistake", mistakes())
def test_a_mistake_is_told_in_one_clear_error(tmp_path: Path, mistake: Mistake) -> None:
    assert errors_of(tmp_path, text_of(mistake)) == [f"{SOURCE}:{mistake['error']}"]


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order(tmp_path: Path) -> None:
    text = BASE
    for old, new in {
        "https://prefect.example.com/api": "prefect.example.com",
        "name: prefect/slack-url, from: env": "name: prefect/slack-url",
        "block: on-call": "block: On Call",
        "warning: {notify: [alerts]}": "warning: {notify: [alerts], also: [on-call]}",
        "consecutiveFailures: 3, notify: [on-call]": "consecutiveFailures: 3, notify: [oncall]",
        "after: 15m": "after: 15 minutes",
        "to: manager, notify: [on-call]": "to: manager, notify: [managers]",
        "owner: shop, ": "",
        "every: 1h": "every: hourly",
    }.items():
        assert old in text
        text = text.replace(old, new)
    text += (
        "    again: {owner: web, flow: orders}\n    more: {owner: web, flow: orders}\ntiers: {}\n"
    )
    assert [
        line.split(": ")[0] + ": " + line.split(": ")[1] for line in errors_of(tmp_path, text)
    ] == [
        f"{SOURCE}:4: data-alerts:prefect.endpoint",
        f"{SOURCE}:6: data-alerts:secrets.slack-url",
        f"{SOURCE}:10: data-alerts:channels.on-call.block",
        f"{SOURCE}:12: data-alerts:tiers.warning.also",
        f"{SOURCE}:13: data-alerts:tiers.critical.notify",
        f"{SOURCE}:16: data-alerts:escalation[0].after",
        f"{SOURCE}:17: data-alerts:escalation[1].notify",
        f"{SOURCE}:19: data-alerts:pipelines.orders.owner",
        f"{SOURCE}:20: data-alerts:pipelines.clicks.every",
        f"{SOURCE}:22: data-alerts:pipelines.more",
        f"{SOURCE}:23: tiers",
    ]


def test_a_missing_section_does_not_hide_mistakes_elsewhere(tmp_path: Path) -> None:
    start, rest = BASE.split("  data-alerts:channels:")
    text = start + "  data-alerts:tiers:" + rest.split("  data-alerts:tiers:")[1]
    text += "    orders-again: {owner: web, flow: orders}\n"
    assert [line.split(": ")[1] for line in errors_of(tmp_path, text)] == [
        "data-alerts:channels",
        "data-alerts:pipelines.orders-again",
    ]


@pytest.mark.parametrize("kind", ["missing", "folder", "not text"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "Pulumi.other.yaml"
    if kind == "folder":
        path.mkdir()
    if kind == "not text":
        path.write_bytes(b"config: \xff\xfe")
    with pytest.raises(SettingsError) as raised:
        read_stack_file(path)
    (line,) = raised.value.lines()
    assert line.startswith(f"{path}: file: cannot be read: ")
    assert line.endswith(". Name an existing stack file")


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place of a configuration that holds a value."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def everything() -> dict[str, Any]:
    """A configuration with every setting there is."""
    raw = raw_settings(
        prefect={
            "endpoint": "https://prefect.example.com/api",
            "basicAuthKey": "admin:fake",
            "uiUrl": "https://prefect.example.com",
        },
        environment="dev",
        namePrefix="team",
        tag="dlt",
        kmsKeyId="alias/alerts",
        evaluation="sentinel",
        sentinel={"silentFor": "5m", "notify": ["on-call"]},
    )
    raw["secrets"]["slack-url-critical"] = {"name": "critical", "value": WEBHOOK}
    raw["channels"]["on-call"] |= {"region": "eu", "apiKeySecret": "pagerduty-key"}
    raw["tiers"]["critical"]["within"] = "30d"
    raw["tiers"]["p1"]["within"] = "24h"
    raw["tiers"] |= {tier: {"notify": ["alerts"]} for tier in ("recovery", "late", "success")}
    raw["pipelines"]["orders"] |= {"flow": "load-orders", "announceSuccess": True}
    return raw


def problems_of(path: tuple[str | int, ...], value: object) -> tuple[Problem, ...]:
    """What is told of everything there is, with one value of it changed."""
    raw = everything()
    here: Any = raw
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    try:
        parse_settings(raw, SOURCE)
    except SettingsError as error:
        assert_tells_no_secret(error)
        return error.problems
    return ()


@pytest.mark.parametrize("path", list(places(everything())), ids=str)
def test_a_value_of_a_wrong_type_is_told_once_and_where_it_is(path: tuple[str | int, ...]) -> None:
    for value in WRONG_TYPES:
        (problem,) = problems_of(path, value)
        assert problem.key.startswith(f"data-alerts:{path[0]}")


@pytest.mark.parametrize("section", everything())
def test_whatever_stands_in_a_wrong_place_no_secret_is_told(section: str) -> None:
    for path in places({section: everything()[section]}):
        for value in WRONG_PLACES:
            problems_of(path, value)


SHORT = """\
config:
  data-alerts:secrets:
    slack-url: {name: prefect/slack-url, from: env}
    more:
      name: prefect/more
      from: env
  data-alerts:escalation:
    - {after: 15m, notify: [on-call]}
"""


@pytest.mark.parametrize("line", range(len(SHORT.splitlines())))
def test_a_secret_in_a_broken_line_is_told_by_no_error(tmp_path: Path, line: int) -> None:
    lines = SHORT.splitlines()
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    for broken in (
        f"{lines[line]} {WEBHOOK}",
        f"{indent}{CANARY}: {CANARY}\n{indent}{CANARY}: {WEBHOOK}",
        f'{indent}"{CANARY}',
        f"{indent}value:{WEBHOOK}",
        f"{indent}{{value: {CANARY}, value: {CANARY}}}: {CANARY}",
        f"{indent}!{CANARY} {CANARY}: *{CANARY}",
    ):
        errors_of(tmp_path, "\n".join([*lines[:line], broken, *lines[line + 1 :]]) + "\n")
