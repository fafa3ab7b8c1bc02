"""Stack files with one mistake each, from bad_stacks/.

base.yaml is right. The other files say, by topic, what is changed in it and the one error that is
then expected, as `line: key: text`. CANARY and WEBHOOK stand for values that no error may tell.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

FOLDER = Path(__file__).parent / "bad_stacks"
BASE = (FOLDER / "base.yaml").read_text(encoding="utf-8")
CANARY = "c4nary0fake1secret2value3"
WEBHOOK = f"https://hooks.slack.com/services/T0CANARY/B0CANARY/{CANARY}"

Mistake = Mapping[str, str]


def mistakes() -> Iterator[Any]:
    """Every mistake as a parameter with a readable id."""
    for topic in sorted(FOLDER.glob("*.yaml")):
        if topic.name != "base.yaml":
            for entry in YAML(typ="safe").load(topic):
                yield pytest.param(entry, id=f"{topic.stem}: {entry['name']}")


def text_of(mistake: Mistake) -> str:
    """The stack file that has the mistake."""
    text = mistake.get("text", BASE)
    if "replace" in mistake:
        assert text.count(mistake["replace"]) == 1, "the mistake is made in one place"
        text = text.replace(mistake["replace"], mistake["with"])
    text += mistake.get("add", "")
    return text.replace("WEBHOOK", WEBHOOK).replace("CANARY", CANARY)
