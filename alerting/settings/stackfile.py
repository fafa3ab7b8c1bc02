"""Reads `Pulumi.<stack>.yaml` without Pulumi: encrypted values stay unread."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from alerting.settings.encrypted import Encrypted
from alerting.settings.models import Settings
from alerting.settings.parser import parse_settings
from alerting.settings.problems import PROJECT, KeyPath, Problem, SettingsError, shown

_PULUMI_KEYS = {"config", "encryptionsalt", "secretsprovider", "encryptedkey", "environment"}
# Other namespaces would be read by nobody: the program gives its providers explicitly.
_NAMESPACES = {PROJECT, "aws", "pulumi"}
_NO_CONFIG = Problem(
    1, "config", f"is missing or no mapping. Add it, with settings below it as {PROJECT}:<key>"
)


@dataclass(frozen=True)
class StackFile:
    """A stack's settings and what the file says beside them.

    `aws` are the `aws:` keys, without that before them.
    """

    stack: str
    settings: Settings
    aws: Mapping[str, Any] = field(default_factory=dict)


def project_root(*places: Path) -> Path:
    """The folder that holds Pulumi.yaml, at or above one of these; the first when none does."""
    above = (folder for place in places for folder in (place, *place.parents))
    return next((folder for folder in above if (folder / "Pulumi.yaml").is_file()), places[0])


def stack_files(root: Path) -> list[Path]:
    """Every stack's file below the project's root, by name.

    Raises:
        SettingsError: when there is none.
    """
    files = sorted(root.glob("Pulumi.*.yaml"))
    if not files:
        raise SettingsError(
            str(root / "Pulumi.<stack>.yaml"),
            [Problem(0, "stack", "there is no stack file. Run this in the project's folder")],
        )
    return files


def read_stack_file(path: Path) -> StackFile:
    """Read and check one stack's file.

    Raises:
        SettingsError: with every problem of the file and its line.
    """
    document = _load(path)
    config = document.get("config")
    if not isinstance(config, CommentedMap):
        raise SettingsError(path.name, [_NO_CONFIG])
    lines: dict[KeyPath, int] = {}
    raw: dict[str, Any] = {}
    for key in config:
        namespace, _, name = str(key).partition(":")
        if namespace == PROJECT:
            lines[name,] = _line(config, key)
            raw[name] = _plain(config[key], (name,), lines)
    problems = _problems_beside(document, config)
    try:
        settings = parse_settings(raw, path.name, lines=lines, from_file=True)
    except SettingsError as error:
        raise SettingsError(path.name, [*error.problems, *problems]) from None
    if problems:
        raise SettingsError(path.name, problems)
    aws = {
        str(key).removeprefix("aws:"): _plain(config[key], (str(key),), {})
        for key in config
        if str(key).startswith("aws:")
    }
    return StackFile(stack_name(path), settings, aws)


def stack_name(path: Path) -> str:
    """The stack that a file `Pulumi.<stack>.yaml` configures."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def _problems_beside(document: CommentedMap, config: CommentedMap) -> list[Problem]:
    """Problems outside the settings: keys that nobody reads, and the region."""
    problems = [
        Problem(
            _line(document, key),
            shown(str(key)),
            f"is not a key of a stack file. Settings stand below config: as {PROJECT}:<key>",
        )
        for key in document
        if key not in _PULUMI_KEYS
    ]
    for key in config:
        namespace, colon, _ = str(key).partition(":")
        if not colon or namespace not in _NAMESPACES:
            text = (
                f"is read by nobody. Settings are written {PROJECT}:<key>, those of AWS aws:<key>"
            )
            problems.append(Problem(_line(config, key), shown(namespace), text))
    region = config.get("aws:region")
    if not isinstance(region, str) or not region.strip():
        line = _line(config, "aws:region") if "aws:region" in config else 0
        text = "expected the region of the secrets. Add it, such as eu-west-1"
        problems.append(Problem(line, "aws:region", text))
    return problems


def _load(path: Path) -> CommentedMap:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            str(path),
            [Problem(0, "file", f"cannot be read: {reason}. Name an existing stack file")],
        ) from None
    try:
        document = YAML(typ="rt").load(text)
    except YAMLError as error:
        # The error's own text quotes lines of the file, and those may be secret.
        raise SettingsError(path.name, [_yaml_problem(error, text.splitlines())]) from None
    if not isinstance(document, CommentedMap):
        raise SettingsError(path.name, [_NO_CONFIG])
    return document


def _yaml_problem(error: YAMLError, lines: list[str]) -> Problem:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    if isinstance(error, DuplicateKeyError) and mark:
        key = re.match(r"""["']?([\w.:-]*\w)["']?\s*(?=:)""", lines[mark.line][mark.column :])
        text = "is given twice. Keep one; YAML drops the other"
        return Problem(mark.line + 1, shown(key[1]) if key else "<key>", text)
    # What is left open is noticed at the end of the file only.
    if isinstance(error, MarkedYAMLError) and mark and mark.line >= len(lines):
        mark = error.context_mark
    text = "is not valid here. Check indentation, quotes and brackets around this line"
    return Problem(mark.line + 1 if mark else 0, "YAML", text)


def _plain(node: Any, path: KeyPath, lines: dict[KeyPath, int]) -> Any:  # noqa: ANN401 - YAML is untyped
    """Plain values, with the line of each path noted and `{secure: ...}` as Encrypted."""
    if isinstance(node, CommentedMap):
        if set(node) == {"secure"}:
            return Encrypted()
        for key in node:
            lines[*path, str(key)] = _line(node, key)
        return {str(key): _plain(node[key], (*path, str(key)), lines) for key in node}
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            lines[*path, index] = node.lc.item(index)[0] + 1
        return [_plain(item, (*path, index), lines) for index, item in enumerate(node)]
    if isinstance(node, ScalarBoolean):  # a boolean with an anchor
        return bool(node)
    return dict(node) if isinstance(node, Mapping) else node


def _line(node: CommentedMap, key: object) -> int:
    """Line of a key, counted from 1. One that came by a merge (<<) has that of its mapping."""
    positions = node.lc.data or {}
    line: int = positions[key][0] if key in positions else node.lc.line
    return line + 1
