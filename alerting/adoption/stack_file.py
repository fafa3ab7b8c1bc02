"""Writing into a stack's file what its next deployment takes over."""

from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from alerting.adoption.matching import Match
from alerting.settings import PROJECT

KEY = f"{PROJECT}:adopt"


def write_adopted(file: Path, matches: Iterable[Match]) -> None:
    """Add ids to `data-alerts:adopt`; every other line stays as it is, comments included."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 2**16
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(file.read_text(encoding="utf-8"))
    adopted = document["config"].setdefault(KEY, CommentedMap())
    for match in matches:
        adopted.setdefault(f"{match.kind}s", CommentedMap())[match.key] = match.id
    text = StringIO()
    yaml.dump(document, text)
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text.getvalue(), encoding="utf-8")
    beside.replace(file)
