"""The settings page is written from the models, and committed."""

from pathlib import Path

import pytest

from alerting.settings.reference import reference

pytestmark = pytest.mark.unit


def test_the_committed_page_is_what_the_models_say() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
    assert page.read_text() == reference(), "run `make docs`"
