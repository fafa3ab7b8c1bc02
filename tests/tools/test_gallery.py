"""docs/messages.md shows each message that the acts take a picture of, and no other."""

import re
from pathlib import Path

import pytest

from sandbox.acts.playing import PERFORMANCES

pytestmark = pytest.mark.tools

DOCS = Path(__file__).resolve().parents[2] / "docs"
TAKEN = {
    shown.file_name
    for performance in PERFORMANCES
    for act in performance.acts
    for shown in act.shows
}


def test_every_picture_that_is_taken_is_shown() -> None:
    text = (DOCS / "messages.md").read_text(encoding="utf-8")
    assert set(re.findall(r"images/messages/([\w-]+\.png)", text)) == TAKEN


def test_every_picture_that_is_shown_is_there_and_no_other() -> None:
    assert {path.name for path in (DOCS / "images" / "messages").glob("*")} == TAKEN
