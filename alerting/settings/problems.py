"""What is wrong with a stack's configuration, said so that the reader can mend it.

No text here ever carries a value from the configuration: a webhook URL put under the wrong key
would end in a CI log. The key, and in files the line, says where to look.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]
PROJECT = "data-alerts"
# `value:https://...` without a space is a key to YAML. So is a secret that slipped to the left.
_LIKE_A_VALUE = re.compile(r"[:/?=]|(?=\w*\d)\w{20}")


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
    """Gathers problems by path, and knows the line of each path where there is a file.

    `wrong` are paths whose value could not be read: what follows from that is no problem of its
    own, so nothing more is told at them and below.
    """

    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    wrong: set[KeyPath] = field(default_factory=set)

    def add(self, path: KeyPath, text: str) -> None:
        """Note a problem at `path`, counted from below `data-alerts:`."""
        if not self.is_wrong(path):
            self.problems.append(Problem(self._line(path), key_of(path), text))

    def is_wrong(self, path: KeyPath) -> bool:
        """Whether the value at `path`, or one that contains it, could not be read."""
        return any(path[:length] in self.wrong for length in range(1, len(path) + 1))

    def is_sound(self, path: KeyPath) -> bool:
        """Whether the value at `path` could be read, with all that it contains."""
        return not self.is_wrong(path) and all(p[: len(path)] != path for p in self.wrong)

    def _line(self, path: KeyPath) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def key_of(path: KeyPath) -> str:
    """Write a path the way `pulumi config set --path` takes it."""
    head, *rest = path
    text = f"{PROJECT}:{shown(str(head))}"
    for part in rest:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}"
    return text


def shown(key: str) -> str:
    """The key, unless it looks like a value that went astray and may be secret."""
    return "<key>" if _LIKE_A_VALUE.search(key.removeprefix(f"{PROJECT}:")) else key
