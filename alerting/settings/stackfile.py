"""Reads `Pulumi.<stack>.yaml` without Pulumi: encrypted values stay unread."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from alerting.settings.models import Encrypted, Settings
from alerting.settings.parser import parse_settings
from alerting.settings.problems import PROJECT, KeyPath, Problem, SettingsError

_PULUMI_KEYS = {"config", "encryptionsalt", "secretsprovider", "encryptedkey", "environment"}


@dataclass(frozen=True)
class StackFile:
    """A stack's settings and what the file says beside them."""

    stack: str
    settings: Settings


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
        raise SettingsError(
            path.name, [Problem(1, "config", "is missing. A stack's settings stand below config:")]
        )
    lines: dict[KeyPath, int] = {}
    raw: dict[str, Any] = {}
    for key in config:
        namespace, _, name = str(key).partition(":")
        if namespace == PROJECT:
            lines[name,] = config.lc.key(key)[0] + 1
            raw[name] = _plain(config[key], (name,), lines)
    problems = _problems_beside(document, config)
    try:
        settings = parse_settings(raw, path.name, lines=lines, from_file=True)
    except SettingsError as error:
        raise SettingsError(path.name, [*error.problems, *problems]) from None
    if problems:
        raise SettingsError(path.name, problems)
    return StackFile(stack_name(path), settings)


def stack_name(path: Path) -> str:
    """The stack that a file `Pulumi.<stack>.yaml` configures."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def _problems_beside(document: CommentedMap, config: CommentedMap) -> list[Problem]:
    problems = [
        Problem(
            document.lc.key(key)[0] + 1,
            str(key),
            f"is not a key of a stack file. Settings stand below config: as {PROJECT}:<key>",
        )
        for key in document
        if key not in _PULUMI_KEYS
    ]
    if not config.get("aws:region"):
        problems.append(
            Problem(0, "aws:region", "is missing. Add the region of the secrets, such as eu-west-1")
        )
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
    except DuplicateKeyError as error:
        # The error's own text quotes both values, and those may be secret.
        line = error.problem_mark.line if error.problem_mark else 0
        key = text.splitlines()[line].split(":")[0].strip() if line else "key"
        raise SettingsError(
            path.name, [Problem(line + 1, key, "is given twice. Keep one; YAML drops the other")]
        ) from None
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        raise SettingsError(
            path.name,
            [
                Problem(
                    mark.line + 1 if mark else 0,
                    "YAML",
                    "cannot be read here. Check indentation, quotes and brackets around this line",
                )
            ],
        ) from None
    if not isinstance(document, CommentedMap):
        raise SettingsError(
            path.name, [Problem(1, "config", "is missing. A stack's settings stand below config:")]
        )
    return document


def _plain(node: Any, path: KeyPath, lines: dict[KeyPath, int]) -> Any:  # noqa: ANN401 - YAML is untyped
    """Plain values, with the line of each path noted and `{secure: ...}` as Encrypted."""
    if isinstance(node, CommentedMap):
        if set(node) == {"secure"}:
            return Encrypted()
        return {str(key): _child(node, key, (*path, str(key)), lines) for key in node}
    if isinstance(node, CommentedSeq):
        return [_child(node, index, (*path, index), lines) for index in range(len(node))]
    if isinstance(node, Mapping):
        return dict(node)
    return node


def _child(
    node: CommentedMap | CommentedSeq,
    key: Any,  # noqa: ANN401 - YAML is untyped
    path: KeyPath,
    lines: dict[KeyPath, int],
) -> Any:  # noqa: ANN401 - YAML is untyped
    position = node.lc.key(key) if isinstance(node, CommentedMap) else node.lc.item(key)
    lines[path] = position[0] + 1
    return _plain(node[key], path, lines)
