"""A real browser for pages, and the page of captured messages in it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.capture.address import CaptureAddress
from sandbox.chromium import chromium
from tests.page.contrast import Scheme


# Not for the whole session: Playwright keeps a running event loop in the thread of the tests.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine."""
    with chromium() as browser:
        yield browser


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    chosen: Scheme = request.param
    return chosen


@pytest.fixture
def tab(browser: Browser, capture: CaptureAddress) -> Iterator[Page]:
    """An open page; at the end it has asked no other host and reported no fault."""
    with browser.new_context(base_url=capture.page_url) as context:
        tab = context.new_page()
        asked: set[str] = set()
        faults: list[str] = []
        tab.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        tab.on("console", lambda message: faults.append(message.text))
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.goto("/")
        expect(tab.get_by_text("Live")).to_be_visible()
        yield tab
        assert asked == {urlsplit(capture.page_url).netloc}
        assert [fault for fault in faults if "ERR_CONNECTION_REFUSED" not in fault] == []
