"""Reads `Pulumi.<stack>.yaml` without Pulumi: encrypted values stay unread."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from alerting.settings.encrypted import Encrypted
from alerting.settings.models import Settings
from alerting.settings.parser import parse_settings
from alerting.settings.problems import PROJECT, KeyPath, Problem, SettingsError, shown

_PULUMI_KEYS = {"config", "encryptionsalt", "secretsprovider", "encryptedkey", "environment"}
# Other namespaces would be read by nobody: the program gives its providers explicitly.
_NAMESPACES = {PROJECT, "aws", "pulumi"}
Config = dict[str, Any]
Lines = dict[KeyPath, int]
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
    document, lines = _load(path)
    config = document.get("config")
    if not isinstance(config, dict):
        raise SettingsError(path.name, [_NO_CONFIG])
    raw = {
        name: config[f"{PROJECT}:{name}"]
        for namespace, _, name in (str(key).partition(":") for key in config)
        if namespace == PROJECT
    }
    problems = _problems_beside(document, config, lines)
    try:
        settings = parse_settings(raw, path.name, lines=_of_settings(lines), from_file=True)
    except SettingsError as error:
        raise SettingsError(path.name, [*error.problems, *problems]) from None
    if problems:
        raise SettingsError(path.name, problems)
    aws = {
        key.removeprefix("aws:"): value for key, value in config.items() if key.startswith("aws:")
    }
    return StackFile(stack_name(path), settings, aws)


def stack_name(path: Path) -> str:
    """The stack that a file `Pulumi.<stack>.yaml` configures."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def _problems_beside(document: Config, config: Config, lines: Lines) -> list[Problem]:
    """Problems outside the settings: keys that nobody reads, and the region."""
    problems = [
        Problem(
            lines[key,],
            shown(key),
            f"is not a key of a stack file. Settings stand below config: as {PROJECT}:<key>",
        )
        for key in document
        if key not in _PULUMI_KEYS
    ]
    for key in config:
        namespace, colon, _ = key.partition(":")
        if not colon or namespace not in _NAMESPACES:
            text = (
                f"is read by nobody. Settings are written {PROJECT}:<key>, those of AWS aws:<key>"
            )
            problems.append(Problem(lines["config", key], shown(namespace), text))
    region = config.get("aws:region")
    if not isinstance(region, str) or not region.strip():
        text = "expected the region of the secrets. Add it, such as eu-west-1"
        problems.append(Problem(lines.get(("config", "aws:region"), 0), "aws:region", text))
    return problems


def _of_settings(lines: Lines) -> Lines:
    """The lines of the settings' keys, by their paths in the settings."""
    return {
        (str(path[1]).removeprefix(f"{PROJECT}:"), *path[2:]): line
        for path, line in lines.items()
        if len(path) > 1 and str(path[1]).startswith(f"{PROJECT}:")
    }


def _load(path: Path) -> tuple[Config, Lines]:
    """What the file says, and the line of every key and item, counted from 1."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            str(path),
            [Problem(0, "file", f"cannot be read: {reason}. Name an existing stack file")],
        ) from None
    try:
        node, document = _parsed(text)
    except YAMLError as error:
        # The error's own text quotes lines of the file, and those may be secret.
        raise SettingsError(path.name, [_yaml_problem(error, text.splitlines())]) from None
    if not isinstance(document, dict):
        raise SettingsError(path.name, [_NO_CONFIG])
    lines: Lines = {}
    _note_lines(node, (), lines)
    plain: Config = _plain(document)
    return plain, lines


def _parsed(text: str) -> tuple[Node | None, Any]:
    try:
        return _parsed_by(YAML(typ="safe"), text)
    except YAMLError:
        # The C parser, ten times as fast, takes no `{secure: v1:...}` and is vague in its errors.
        return _parsed_by(YAML(typ="safe", pure=True), text)


def _parsed_by(yaml: YAML, text: str) -> tuple[Node | None, Any]:
    node = yaml.compose(text)
    return node, yaml.constructor.construct_document(node) if node else None


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


def _note_lines(node: Node | None, path: KeyPath, lines: Lines) -> None:
    """Note the line of what is below a node; what came by a merge (<<) has that of its origin."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            lines[below] = key.start_mark.line + 1
            _note_lines(value, below, lines)
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            lines[*path, index] = item.start_mark.line + 1
            _note_lines(item, (*path, index), lines)


def _plain(value: Any) -> Any:  # noqa: ANN401 - YAML is untyped
    """The value with text for keys, and with `{secure: ...}` as Encrypted."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return Encrypted()
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
