"""The real capture process, and what reaches it from real clients."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import requests

from sandbox.capture.address import CaptureAddress
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import Service, read_messages
from sandbox.environment import base_environment, captured

pytestmark = pytest.mark.contract

TOKEN = "T0FAKE/B0FAKE/fakefakefakefakefakefake"
WEBHOOK = f"https://hooks.slack.com/services/{TOKEN}"
KEY = "fake" * 8
ENQUEUE = "https://events.pagerduty.com/v2/enqueue"
TRIGGER = {
    "routing_key": KEY,
    "event_action": "trigger",
    "payload": {"summary": "orders failed", "source": "prefect", "severity": "critical"},
}


@pytest.fixture(autouse=True)
def channels(capture_folder: Path) -> None:
    register_channels(capture_folder, {WEBHOOK: "#alerts", KEY: "data platform"})


@pytest.fixture
def run_flow_code(capture: CaptureAddress, tmp_path: Path) -> Callable[[str], None]:
    """Run Python in a process with the environment that flows have in a sandbox."""

    def run(code: str) -> None:
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            timeout=60,
            env={
                **base_environment(),
                **captured(capture.proxy_url, capture.ca_file),
                "DO_NOT_TRACK": "1",
                "PREFECT_HOME": str(tmp_path / "prefect"),
            },
        )

    return run


def test_slack_and_pagerduty_answer_a_client_that_trusts_the_captures_authority(
    sender: httpx.Client, capture_folder: Path
) -> None:
    slack = sender.post(WEBHOOK, json={"text": "hello"})
    pagerduty = sender.post(ENQUEUE, json=TRIGGER)
    europe = sender.post(ENQUEUE.replace("events.", "events.eu."), json=TRIGGER)
    assert (slack.status_code, slack.text) == (200, "ok")
    assert (pagerduty.status_code, pagerduty.json()["status"]) == (202, "success")
    assert europe.status_code == 202
    assert [(m.service, m.host, m.channel) for m in read_messages(capture_folder)] == [
        (Service.SLACK, "hooks.slack.com", "#alerts"),
        (Service.PAGERDUTY, "events.pagerduty.com", "data platform"),
        (Service.PAGERDUTY, "events.eu.pagerduty.com", "data platform"),
    ]


def test_requests_is_answered_as_httpx_is(capture: CaptureAddress) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": capture.proxy_url}
        session.verify = str(capture.ca_file)
        assert session.post(WEBHOOK, json={"text": "hello"}, timeout=10).text == "ok"


def test_a_client_that_does_not_trust_the_authority_sends_nothing(
    capture: CaptureAddress, capture_folder: Path
) -> None:
    with (
        httpx.Client(proxy=capture.proxy_url, trust_env=False) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.post(WEBHOOK, json={"text": "hello"})
    assert read_messages(capture_folder) == []


def test_an_unknown_webhook_a_wrong_body_and_a_wrong_event_are_refused_as_the_services_do(
    sender: httpx.Client, capture_folder: Path
) -> None:
    unknown = sender.post(f"{WEBHOOK}x", json={"text": "hello"})
    wrong = sender.post(WEBHOOK, content=b"hello")
    corrupt = sender.post(WEBHOOK, content=b"hello", headers={"Content-Encoding": "gzip"})
    event = sender.post(ENQUEUE, json={**TRIGGER, "event_action": "close"})
    assert (unknown.status_code, unknown.text) == (404, "no_service")
    assert (wrong.status_code, wrong.text) == (400, "invalid_payload")
    assert (corrupt.status_code, corrupt.text) == (400, "invalid_payload")
    assert (event.status_code, event.json()["message"]) == (400, "Event object is invalid")
    recorded = [message.status_code for message in read_messages(capture_folder)]
    assert recorded == [404, 400, 400, 400]


def test_a_channel_registered_while_the_capture_runs_is_known_at_once(
    sender: httpx.Client, capture_folder: Path
) -> None:
    assert sender.post(f"{WEBHOOK}new", json={"text": "hello"}).status_code == 404
    register_channels(capture_folder, {f"{WEBHOOK}new": "#new"})
    assert sender.post(f"{WEBHOOK}new", json={"text": "hello"}).status_code == 200
    assert read_messages(capture_folder)[-1].channel == "#new"


def test_a_tunnel_to_any_other_host_is_refused(sender: httpx.Client, capture_folder: Path) -> None:
    for url in ("https://example.org/path", "https://hooks.slack.com:8443/path"):
        with pytest.raises(httpx.ProxyError, match="502"):
            sender.get(url)
    assert [(m.service, m.title) for m in read_messages(capture_folder)] == [
        (Service.REFUSED, "CONNECT example.org:443"),
        (Service.REFUSED, "CONNECT hooks.slack.com:8443"),
    ]


@pytest.mark.parametrize(
    ("method", "url", "title"),
    [
        ("GET", "http://example.org/path", "GET example.org:80"),
        ("POST", WEBHOOK.replace("https", "http"), "POST hooks.slack.com:80"),
        ("GET", WEBHOOK, "GET hooks.slack.com:443"),
        ("POST", "https://events.pagerduty.com/v2/other", "POST events.pagerduty.com:443"),
        ("POST", "https://api.sendgrid.com/v3/other", "POST api.sendgrid.com:443"),
        ("POST", "https://x.logic.azure.com/other?sig=x", "POST x.logic.azure.com:443"),
        ("GET", "https://hooks.example.com/path", "GET hooks.example.com:443"),
        ("POST", "http://hooks.example.com/path", "POST hooks.example.com:80"),
    ],
)
def test_any_other_request_is_refused_and_its_path_forgotten(
    sender: httpx.Client, capture_folder: Path, method: str, url: str, title: str
) -> None:
    assert sender.request(method, url, json={"text": "hello"}).status_code == 502
    (message,) = read_messages(capture_folder)
    assert (message.service, message.title, message.payload) == (Service.REFUSED, title, {})


def test_the_capture_connects_to_nobody_even_on_this_machine(
    sender: httpx.Client, capture: CaptureAddress
) -> None:
    # The page answers 200 to whoever reaches it.
    assert httpx.get(capture.page_url, trust_env=False).status_code == 200
    assert sender.get(capture.page_url).status_code == 502


def test_no_secret_is_stored_logged_or_shown(
    sender: httpx.Client, capture: CaptureAddress, capture_folder: Path
) -> None:
    other_token, other_key = "T0FAKE/B0FAKE/otherotherother", "other000" * 4
    for token in (TOKEN, other_token):
        body = {"text": f"to https://hooks.slack.com/services/{token}", "channel": token}
        sender.post(f"https://hooks.slack.com/services/{token}?a=1", json=body)
        sender.post(f"https://hooks.slack.com/services/{token}", content=token.encode())
        sender.get(f"https://hooks.slack.com/services/{token}")
    for key in (KEY, other_key):
        headers = {"Authorization": f"Token token={key}"}
        sender.post(ENQUEUE, json={**TRIGGER, "routing_key": key, "client": key}, headers=headers)
        sender.post(f"{ENQUEUE}?routing_key={key}", content=key.encode())
    assert len(read_messages(capture_folder)) == 10
    shown = [
        httpx.get(capture.page_url + path, trust_env=False).content
        for path in ("/", "/board", "/api/messages")
    ]
    stored = [file.read_bytes() for file in capture_folder.rglob("*") if file.is_file()]
    for secret in (TOKEN, KEY, other_token, other_key):
        assert not any(secret.encode() in text for text in (*shown, *stored))


def test_prefects_slack_block_is_shown_with_its_subject_as_the_title(
    run_flow_code: Callable[[str], None], capture_folder: Path
) -> None:
    run_flow_code(f"""
from prefect.blocks.notifications import SlackWebhook
SlackWebhook(url="{WEBHOOK}").notify("*Flow:* orders & more", "orders failed")
""")
    (message,) = read_messages(capture_folder)
    assert (message.service, message.channel, message.status_code) == ("slack", "#alerts", 200)
    assert message.title == "orders failed"
    assert message.text == "*Flow:* orders &amp; more"


def test_prefects_pagerduty_block_is_shown_with_its_severity_and_body(
    run_flow_code: Callable[[str], None], capture_folder: Path
) -> None:
    run_flow_code(f"""
from prefect.blocks.notifications import PagerDutyWebHook
PagerDutyWebHook(
    integration_key="{KEY}", api_key="fake", region_name="eu", notify_type="failure"
).notify("orders failed three times", "orders failed")
""")
    (message,) = read_messages(capture_folder)
    assert (message.host, message.channel) == ("events.eu.pagerduty.com", "data platform")
    assert (message.status_code, message.event_action) == (202, "trigger")
    assert message.severity == "critical"
    assert "orders failed" in message.title
    assert "orders failed three times" in message.text


def test_prefects_custom_webhook_block_can_resolve_an_incident(
    run_flow_code: Callable[[str], None], capture_folder: Path
) -> None:
    run_flow_code(f"""
from prefect.blocks.notifications import CustomWebhookNotificationBlock
CustomWebhookNotificationBlock(
    name="resolve",
    url="{ENQUEUE}",
    json_data={{
        "routing_key": "{{{{key}}}}", "event_action": "resolve", "dedup_key": "{{{{subject}}}}"
    }},
    secrets={{"key": "{KEY}"}},
).notify("recovered", "orders")
""")
    (message,) = read_messages(capture_folder)
    assert (message.channel, message.status_code) == ("data platform", 202)
    assert (message.event_action, message.dedup_key) == ("resolve", "orders")
