"""Messages in the form of each service, as a person sees them on the page."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.capture.address import CaptureAddress
from sandbox.capture.channels import register_channels
from tests.page.contrast import Scheme, low_contrasts

pytestmark = pytest.mark.page

SLACK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/fakefakefakefakefakefake"
TEAMS = (
    "https://prod-01.westeurope.logic.azure.com/workflows/0123abcdef/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=fakefakefakefake"
)
MAIL_KEY = "SG.fake-fake-fake-fake.fake-fake-fake-fake"
HOOK = "https://hooks.example.com/alerts/fakefakefakefake"
KEY = "fake" * 8
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
UNBROKEN = "x" * 150


@pytest.fixture(autouse=True)
def channels(capture_folder: Path) -> None:
    register_channels(
        capture_folder,
        {SLACK: "#alerts", TEAMS: "Data team", MAIL_KEY: "mail", HOOK: "hook", KEY: "pager"},
    )


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def button(text: str, url: str, **more: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "url": url, **more}


def rich(title: str, text: str) -> dict[str, Any]:
    return {
        "text": title,
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title}},
            {
                "type": "section",
                "text": mrkdwn(text),
                "fields": [mrkdwn("*Owner*\ndata-platform"), mrkdwn("*Failures*\n3")],
            },
            {"type": "divider"},
            {
                "type": "actions",
                "elements": [
                    button("Open run", "https://example.org/run?a=1&b=2", style="primary"),
                    button("Runbook", "https://example.org/runbook"),
                ],
            },
            {"type": "context", "elements": [mrkdwn("prod · `orders`"), mrkdwn("6th failure")]},
        ],
    }


def card(title: str, text: str) -> dict[str, Any]:
    body = [
        {"type": "TextBlock", "text": title, "style": "heading"},
        {"type": "TextBlock", "text": text},
        {"type": "FactSet", "facts": [{"title": "Owner", "value": "data-platform"}]},
    ]
    actions = [
        {"type": "Action.OpenUrl", "title": "Open run", "url": "https://example.org/run"},
        {"type": "Action.OpenUrl", "title": "Trick", "url": "javascript:alert(1)"},
    ]
    content = {"type": "AdaptiveCard", "version": "1.4", "body": body, "actions": actions}
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}


def mail(subject: str, html: str) -> dict[str, Any]:
    return {
        "personalizations": [{"to": [{"email": "team@example.com"}]}],
        "from": {"email": "alerts@example.com"},
        "subject": subject,
        "content": [{"type": "text/html", "value": html}],
    }


def send_one_of_each(sender: httpx.Client, title: str, text: str) -> None:
    sender.post(SLACK, json=rich(title, text)).raise_for_status()
    sender.post(TEAMS, json=card(title, text)).raise_for_status()
    send_mail(sender, title, text)
    sender.post(HOOK, json={"title": title, "text": text}).raise_for_status()
    send_event(sender, title, {"text": text})


def send_mail(sender: httpx.Client, subject: str, html: str) -> None:
    sender.post(
        "https://api.sendgrid.com/v3/mail/send",
        json=mail(subject, html),
        headers={"Authorization": f"Bearer {MAIL_KEY}"},
    ).raise_for_status()


def send_event(sender: httpx.Client, summary: str, details: dict[str, str]) -> None:
    event = {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "orders",
        "client": "data-alerts",
        "client_url": "https://example.org/prefect",
        "links": [{"href": "https://example.org/runbook", "text": "Runbook"}],
        "payload": {
            "summary": summary,
            "source": "prod",
            "severity": "critical",
            "component": "orders",
            "group": "sales",
            "class": "pipeline failure",
            "custom_details": details,
        },
    }
    sender.post("https://events.pagerduty.com/v2/enqueue", json=event).raise_for_status()


def test_block_kit_is_shown_as_slack_shows_it(tab: Page, sender: httpx.Client) -> None:
    sender.post(SLACK, json=rich("orders failed", "No rows <!channel> <@U123>")).raise_for_status()
    card = tab.get_by_role("article", name="orders failed")
    expect(card.get_by_role("heading")).to_have_text("orders failed")
    expect(card.locator(".mention")).to_have_text(["@channel", "@U123"])
    left, right = card.locator(".fields li").all()
    place, beside = left.bounding_box(), right.bounding_box()
    assert place
    assert beside
    assert place["y"] == beside["y"]
    assert place["x"] < beside["x"]
    run = card.get_by_role("link", name="Open run")
    expect(run).to_have_attribute("href", "https://example.org/run?a=1&b=2")
    expect(card.get_by_role("link", name="Runbook")).to_be_visible()
    small = "parseFloat(getComputedStyle(document.querySelector('%s')).fontSize)"
    assert tab.evaluate(small % ".context") < tab.evaluate(small % ".fields")


def test_a_teams_card_has_its_heading_facts_and_web_links(tab: Page, sender: httpx.Client) -> None:
    sender.post(TEAMS, json=card("orders failed", "No rows\nsince 06:00")).raise_for_status()
    shown = tab.get_by_role("region", name="Data team").get_by_role("article")
    expect(shown.get_by_role("heading")).to_have_text("orders failed")
    expect(shown.get_by_role("definition")).to_have_text("data-platform")
    expect(shown.get_by_role("link", name="Open run")).to_be_visible()
    expect(shown.get_by_text("Trick", exact=True)).to_have_count(0)


def test_a_mail_is_shown_as_a_mail_program_reads_its_html(tab: Page, sender: httpx.Client) -> None:
    html = "<p>No\nrows</p><style>p {}</style><a href='https://example.org/run'>the run</a>"
    send_mail(sender, "orders failed", html)
    card = tab.get_by_role("region", name="mail").get_by_role("article", name="orders failed")
    expect(card.get_by_text("From alerts@example.com to team@example.com")).to_be_visible()
    assert card.locator(".letter").inner_text() == "No rows\nthe run (https://example.org/run)"
    expect(card.get_by_role("link", name="https://example.org/run")).to_be_visible()


def test_a_webhooks_message_is_shown_with_its_title_and_text(
    tab: Page, sender: httpx.Client
) -> None:
    sender.post(HOOK, json={"subject": "orders failed", "message": "No rows"}).raise_for_status()
    card = tab.get_by_role("region", name="hook").get_by_role("article", name="orders failed")
    expect(card.get_by_text("No rows", exact=True)).to_be_visible()


def test_an_incident_says_where_it_came_from(tab: Page, sender: httpx.Client) -> None:
    send_event(sender, "orders failed", {"owner": "data-platform"})
    card = tab.get_by_role("article", name="orders failed")
    expect(card.get_by_text("prod · orders · sales · pipeline failure")).to_be_visible()
    link = card.get_by_role("link", name="data-alerts")
    expect(link).to_have_attribute("href", "https://example.org/prefect")
    expect(card.get_by_role("link", name="Runbook")).to_be_visible()


def test_hostile_text_does_nothing_in_any_card(tab: Page, sender: httpx.Client) -> None:
    send_one_of_each(sender, HOSTILE, f"*{HOSTILE}* `{HOSTILE}`")
    expect(tab.get_by_role("article")).to_have_count(5)
    expect(tab.get_by_role("heading", level=3, name=HOSTILE)).to_have_count(5)
    assert tab.evaluate("window.hacked") is None
    assert tab.locator("main img, main script").count() == 0


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_card_is_wider_than_the_window(tab: Page, sender: httpx.Client, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    send_one_of_each(sender, UNBROKEN, f"{UNBROKEN} https://example.org/{UNBROKEN}")
    expect(tab.get_by_role("article")).to_have_count(5)
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_every_card_can_be_read_in_light_and_dark(
    browser: Browser, capture: CaptureAddress, sender: httpx.Client, scheme: Scheme
) -> None:
    send_one_of_each(sender, "orders failed", "<!channel> `orders` https://example.org")
    assert low_contrasts(browser, capture.page_url, scheme) == {}


def test_a_megabyte_of_text_is_cut_on_the_page(tab: Page, sender: httpx.Client) -> None:
    sender.post(HOOK, content=b"`" * 1_000_000).raise_for_status()
    expect(tab.get_by_text("… 990,000 more characters")).to_be_visible()
    sender.post(HOOK, json={"text": "`" * 1_000_000}).raise_for_status()
    expect(tab.get_by_role("article")).to_have_count(2)
    assert len(tab.content()) < 100_000
