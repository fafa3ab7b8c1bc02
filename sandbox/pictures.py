"""Pictures of captured messages, for the documentation."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Browser

from sandbox.capture.board import board
from sandbox.capture.messages import CapturedMessage, read_messages
from sandbox.chromium import chromium
from sandbox.state import SandboxError, SandboxState

# A column of the page, at the resolution of a phone.
_WIDTH, _HEIGHT, _SCALE = 560, 800, 2


def take_pictures(page_url: str, files: Mapping[Path, str]) -> None:
    """Write the card of each message, by its id, as PNG, an incident's with all its events.

    Raises SandboxError when the page at `page_url` does not show a message, or this machine
    has no Chromium.
    """
    with chromium() as browser:
        for file, message_id in files.items():
            _picture(browser, page_url, message_id, file)


def pictures(state: SandboxState, out: Path, channel: str, title: str) -> Sequence[Path]:
    """Write the card of each message that was delivered, and return the files.

    Only of `channel`, and only where the title contains `title`; an empty one is any. Of cards
    with the same channel and title the newest is kept.
    """
    chosen: dict[str, CapturedMessage] = {}
    for column in board(read_messages(state.folder)):
        for card in column.cards:
            name = card.incident.summary if card.incident else card.message.title
            if card.message.accepted and channel in {"", column.name} and title in name:
                chosen.setdefault(slug(f"{column.name} {name}"), card.message)
    if not chosen:
        raise SandboxError(f"no message was delivered to {channel or 'any channel'} with {title!r}")
    out.mkdir(parents=True, exist_ok=True)
    files = {out / f"{name}.png": message.id for name, message in sorted(chosen.items())}
    take_pictures(state.page_url, files)
    return list(files)


def _picture(browser: Browser, page_url: str, message_id: str, file: Path) -> None:
    with browser.new_context(
        viewport={"width": _WIDTH, "height": _HEIGHT},
        device_scale_factor=_SCALE,
        color_scheme="light",
        java_script_enabled=False,  # else the card might be replaced while its picture is taken
    ) as context:
        tab = context.new_page()
        tab.goto(page_url)
        card = tab.locator(f"article#m-{message_id}, article:has(#m-{message_id})")
        if not card.count():
            raise SandboxError(f"the page does not show the message {message_id}")
        card.screenshot(path=file)


def slug(text: str) -> str:
    """A text as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
