"""The page of captured messages, as a person sees it."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.capture.address import CaptureAddress
from sandbox.capture.channels import register_channels
from sandbox.processes import end_processes
from sandbox.state import SandboxState
from tests.page.contrast import Scheme, low_contrasts

pytestmark = pytest.mark.page

WEBHOOK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/fakefakefakefakefakefake"
OTHER_WEBHOOK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/otherotherotherother"
KEY = "fake" * 8
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
UNBROKEN = "x" * 400

SlackSender = Callable[[str, str], None]
EventSender = Callable[..., None]


@pytest.fixture(autouse=True)
def channels(capture_folder: Path) -> None:
    register_channels(capture_folder, {WEBHOOK: "#alerts", OTHER_WEBHOOK: "#other", KEY: "pager"})


@pytest.fixture
def slack(sender: httpx.Client) -> SlackSender:
    def send(title: str, text: str, webhook: str = WEBHOOK) -> None:
        attachment = {"title": title, "text": text, "color": "#A32037", "footer": "a footer"}
        sender.post(webhook, json={"attachments": [attachment]}).raise_for_status()

    return send


@pytest.fixture
def event(sender: httpx.Client) -> EventSender:
    def send(action: str, summary: str = "", severity: str = "critical", **details: object) -> None:
        payload = {"summary": summary, "source": "prefect", "severity": severity}
        body = {
            "routing_key": KEY,
            "event_action": action,
            "dedup_key": "the-incident",
            "payload": {**payload, "custom_details": details},
        }
        sender.post("https://events.pagerduty.com/v2/enqueue", json=body).raise_for_status()

    return send


def test_a_page_without_messages_says_so(tab: Page) -> None:
    expect(tab.get_by_text("No message yet")).to_be_visible()


def test_messages_appear_without_a_reload_the_newest_first(tab: Page, slack: SlackSender) -> None:
    tab.evaluate("window.loadedOnce = true")
    slack("first", "hello")
    expect(tab.get_by_role("article", name="first")).to_be_visible()
    expect(tab.get_by_role("status").get_by_text("1 new message")).to_be_attached()
    slack("second", "hello")
    expect(tab.get_by_role("heading", level=3)).to_have_text(["second", "first"])
    assert tab.evaluate("window.loadedOnce")


def test_a_slack_message_is_shown_as_slack_shows_it(tab: Page, slack: SlackSender) -> None:
    slack(":x: orders failed", "*Flow:* `orders`\nOpen https://example.org/run?a=1&amp;b=2")
    channel = tab.get_by_role("region", name="#alerts")
    card = channel.get_by_role("article")
    expect(card.get_by_role("heading")).to_have_text("❌ orders failed")
    expect(card.locator("strong")).to_have_text("Flow:")
    expect(card.locator(".mrkdwn code")).to_have_text("orders")
    link = card.get_by_role("link", name="https://example.org/run")
    expect(link).to_have_attribute("href", "https://example.org/run?a=1&b=2")
    expect(card.locator("svg.bar rect")).to_have_attribute("fill", "#A32037")
    expect(card.get_by_text("a footer", exact=True)).to_be_visible()


def test_an_incident_is_shown_as_pagerduty_shows_it(tab: Page, event: EventSender) -> None:
    event("trigger", "orders failed", flow="orders", run="https://example.org/run")
    card = tab.get_by_role("region", name="pager").get_by_role("article", name="orders failed")
    expect(card.get_by_text("Triggered", exact=True)).to_be_visible()
    expect(card.get_by_text("critical", exact=True)).to_be_visible()
    expect(card.get_by_role("row", name="flow orders")).to_be_visible()
    expect(card.get_by_role("link", name="https://example.org/run")).to_be_visible()
    expect(card.get_by_text("the-incident", exact=True)).to_be_visible()


def test_an_incident_is_one_card_from_its_opening_to_its_end(tab: Page, event: EventSender) -> None:
    event("trigger", "orders failed", severity="warning")
    event("trigger", "orders failed again")
    event("resolve")
    card = tab.get_by_role("article")
    expect(card).to_have_count(1)
    expect(card.get_by_role("heading")).to_have_text("orders failed")
    expect(card.locator("header").get_by_text("Resolved", exact=True)).to_be_visible()
    steps = card.get_by_role("list", name="Timeline").get_by_role("listitem")
    expect(steps).to_have_text(
        [
            re.compile(r"Opened\s+warning\s+\S+\s+orders failed\s*$"),
            re.compile(r"Triggered again\s+critical\s+\S+\s+orders failed again\s*$"),
            re.compile(r"Resolved\s+\S+\s*$"),
        ]
    )


def test_a_trigger_after_the_resolve_is_an_incident_of_its_own(
    tab: Page, event: EventSender
) -> None:
    for action in ("trigger", "resolve", "trigger"):
        event(action, "orders failed")
    pills = tab.get_by_role("article").locator("header .pill:first-child")
    expect(pills).to_have_text(["Triggered", "Resolved"])


def test_an_incident_that_changes_is_brought_up_to_date_and_stays_open(
    tab: Page, event: EventSender
) -> None:
    event("trigger", "orders failed")
    card = tab.get_by_role("article")
    card.locator("summary").focus()
    tab.keyboard.press("Enter")
    event("acknowledge")
    expect(card.locator("header").get_by_text("Acknowledged", exact=True)).to_be_visible()
    expect(card.locator("summary")).to_be_focused()
    expect(card.get_by_text('"summary": "orders failed"')).to_be_visible()


def test_an_event_without_an_open_incident_says_so(tab: Page, event: EventSender) -> None:
    event("resolve")
    expect(tab.get_by_role("heading", name="No incident was open")).to_be_visible()


def test_what_was_not_delivered_says_why(tab: Page, sender: httpx.Client) -> None:
    sender.post(f"{WEBHOOK}x", json={"text": "hello"})
    card = tab.get_by_role("region", name="unknown").get_by_role("article")
    expect(card.get_by_text("Not delivered")).to_be_visible()
    expect(card.get_by_text("hooks.slack.com answered 404: no_service")).to_be_visible()


def test_a_channel_can_be_shown_alone_and_stays_so(tab: Page, sender: httpx.Client) -> None:
    for webhook in (WEBHOOK, OTHER_WEBHOOK):
        sender.post(webhook, json={"text": f"to {webhook[-3:]}"}).raise_for_status()
    tab.get_by_role("link", name="#other").click()
    expect(tab.get_by_role("region")).to_have_count(1)
    expect(tab.get_by_role("link", name="#other")).to_have_attribute("aria-current", "page")
    sender.post(WEBHOOK, json={"text": "more"}).raise_for_status()
    expect(tab.get_by_role("link", name="All")).to_contain_text("3")
    expect(tab.get_by_role("region")).to_have_count(1)
    tab.get_by_role("link", name="All").click()
    expect(tab.get_by_role("region")).to_have_count(2)


def test_what_is_open_and_focused_stays_so_when_a_message_arrives(
    tab: Page, slack: SlackSender
) -> None:
    slack("first", "hello")
    first = tab.get_by_role("article", name="first")
    first.locator("summary").focus()
    tab.keyboard.press("Enter")
    slack("second", "hello")
    expect(tab.get_by_role("article")).to_have_count(2)
    expect(first.locator("summary")).to_be_focused()
    expect(first.get_by_text('"footer": "a footer"')).to_be_visible()


def test_hostile_text_is_shown_and_does_nothing(
    tab: Page, slack: SlackSender, event: EventSender, capture_folder: Path
) -> None:
    register_channels(capture_folder, {WEBHOOK: HOSTILE, KEY: HOSTILE})
    slack(HOSTILE, f"*{HOSTILE}* `{HOSTILE}`")
    event("trigger", HOSTILE, **{HOSTILE: HOSTILE})
    expect(tab.get_by_role("article")).to_have_count(2)
    expect(tab.get_by_role("heading", level=3)).to_have_text([HOSTILE, HOSTILE])
    expect(tab.get_by_role("heading", level=2)).to_have_text(HOSTILE)
    tab.get_by_role("link", name=HOSTILE).click()
    expect(tab.get_by_role("article")).to_have_count(2)
    assert tab.evaluate("window.hacked") is None
    assert tab.locator("main img, main script").count() == 0


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_window(
    tab: Page, slack: SlackSender, event: EventSender, width: int
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    slack(UNBROKEN, f"{UNBROKEN} `{UNBROKEN}` ```{UNBROKEN}``` https://example.org/{UNBROKEN}")
    event("trigger", UNBROKEN, **{UNBROKEN: UNBROKEN})
    expect(tab.get_by_role("article")).to_have_count(2)
    for summary in tab.locator("summary").all():
        summary.click()
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_text_has_enough_contrast_in_light_and_dark(
    browser: Browser,
    capture: CaptureAddress,
    slack: SlackSender,
    event: EventSender,
    scheme: Scheme,
) -> None:
    slack("orders failed", "`orders` https://example.org")
    event("trigger", "orders failed", flow="orders")
    event("resolve")
    assert low_contrasts(browser, capture.page_url, scheme) == {}


def test_the_prefect_ui_is_linked_once_the_sandbox_is_up(
    tab: Page, capture: CaptureAddress, capture_folder: Path
) -> None:
    expect(tab.get_by_role("link", name="Prefect UI")).to_have_count(0)
    SandboxState(
        folder=capture_folder,
        prefect_api_url="http://127.0.0.1:1/api",
        prefect_ui_url="http://127.0.0.1:1",
        moto_url="http://127.0.0.1:2",
        proxy_url=capture.proxy_url,
        ca_file=capture.ca_file,
        page_url=capture.page_url,
    ).save()
    tab.reload()
    link = tab.get_by_role("link", name="Prefect UI")
    expect(link).to_have_attribute("href", "http://127.0.0.1:1")


def test_a_page_whose_sandbox_is_gone_says_so(tab: Page, capture_folder: Path) -> None:
    end_processes(capture_folder)
    expect(tab.get_by_text("The sandbox no longer answers")).to_be_visible()


def test_the_page_needs_no_javascript(
    browser: Browser, capture: CaptureAddress, slack: SlackSender
) -> None:
    slack("orders failed", "hello")
    with browser.new_context(java_script_enabled=False) as context:
        tab = context.new_page()
        tab.goto(capture.page_url)
        expect(tab.get_by_role("article", name="orders failed")).to_be_visible()
        expect(tab.get_by_text("Reload to see new messages")).to_be_visible()


def test_only_the_newest_hundred_of_a_channel_are_shown(tab: Page, sender: httpx.Client) -> None:
    for number in range(102):
        sender.post(WEBHOOK, json={"text": f"message {number}"}).raise_for_status()
    expect(tab.get_by_role("article")).to_have_count(100)
    expect(tab.get_by_text("2 older messages are only in")).to_be_visible()
    expect(tab.get_by_text("message 101", exact=True)).to_be_visible()


def test_the_api_lists_messages_and_can_be_filtered(
    capture: CaptureAddress, sender: httpx.Client
) -> None:
    for webhook in (WEBHOOK, OTHER_WEBHOOK):
        sender.post(webhook, json={"text": "hello"}).raise_for_status()
    with httpx.Client(base_url=capture.page_url, trust_env=False) as client:
        everything = client.get("/api/messages").json()
        other = client.get("/api/messages", params={"channel": "#other"}).json()
    assert [message["channel"] for message in everything] == ["#alerts", "#other"]
    assert other == everything[1:]


def test_a_page_asked_for_under_another_name_is_refused(capture: CaptureAddress) -> None:
    answer = httpx.get(capture.page_url, headers={"Host": "rebound.example"}, trust_env=False)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/", "/board", "/api/messages", "/static/page.js"])
def test_every_answer_allows_nothing_but_the_pages_own_files(
    capture: CaptureAddress, path: str
) -> None:
    policy = httpx.get(capture.page_url + path, trust_env=False).headers["Content-Security-Policy"]
    sources = {source for rule in policy.split(";") for source in rule.split()[1:]}
    assert "default-src 'none'" in policy
    assert sources == {"'none'", "'self'"}
