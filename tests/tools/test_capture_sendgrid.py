import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.capture import sendgrid
from sandbox.capture.channels import register_channels
from sandbox.capture.html_mail import readable_html
from sandbox.capture.messages import Service

pytestmark = pytest.mark.tools

KEY = "SG.fake-fake-fake-fake.fake_fake_fake_fake"
MAIL: dict[str, Any] = {
    "personalizations": [{"to": [{"email": "team@example.com"}]}],
    "from": {"email": "alerts@example.com"},
    "subject": "orders failed",
    "content": [{"type": "text/html", "value": "<b>No rows</b>"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    register_channels(tmp_path, {KEY: "mail"})
    return tmp_path


def body(**changes: object) -> bytes:
    return json.dumps({**MAIL, **changes}).encode()


def test_a_mail_is_accepted_and_recorded_under_its_channel(folder: Path) -> None:
    captured, answer = sendgrid.receive(folder, f"Bearer {KEY}", body())
    assert (answer.status_code, answer.body) == (202, "")
    assert (captured.service, captured.channel) == (Service.EMAIL, "mail")
    assert (captured.title, captured.text) == ("orders failed", "<b>No rows</b>")
    assert captured.payload == MAIL


def test_channels_that_share_a_key_are_told_apart_by_the_recipient(tmp_path: Path) -> None:
    own = sendgrid.address(KEY, "team@example.com")
    register_channels(tmp_path, {own: "team", KEY: "others"})
    other = [{"to": [{"email": "lead@example.com"}]}]
    mails = (body(), body(personalizations=other))
    channels = [sendgrid.receive(tmp_path, f"Bearer {KEY}", mail)[0].channel for mail in mails]
    assert channels == ["team", "others"]


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer SG.other", "Bearer team"])
def test_an_unknown_key_is_unauthorized(folder: Path, authorization: str) -> None:
    captured, answer = sendgrid.receive(folder, authorization, body())
    assert answer.status_code == 401
    assert captured.channel == "unknown"
    assert json.loads(answer.body)["errors"][0]["message"] == captured.answer


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "x"}]}]}, "personalizations.0.to.0.email"),
        ({"from": {"email": ""}}, "from.email"),
        ({"subject": " "}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/html", "value": ""}]}, "content.0.value"),
    ],
)
def test_a_wrong_field_is_named(folder: Path, changes: dict[str, Any], field: str) -> None:
    _, answer = sendgrid.receive(folder, f"Bearer {KEY}", body(**changes))
    assert answer.status_code == 400
    assert [error["field"] for error in json.loads(answer.body)["errors"]] == [field]


def test_a_body_that_is_no_mail_is_refused(folder: Path) -> None:
    captured, answer = sendgrid.receive(folder, f"Bearer {KEY}", b"nope")
    assert (answer.status_code, captured.payload) == (400, {})


def test_the_key_is_nowhere_in_the_record(folder: Path) -> None:
    for key in (KEY, KEY.replace("fake", "nope")):
        captured, answer = sendgrid.receive(
            folder, f"Bearer {key}", body(subject=key, content=[{"type": key, "value": f"x{key}"}])
        )
        assert key not in captured.model_dump_json() + answer.body


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("a\n  b", "a b"),
        ("a<br>b<p>c</p>d", "a<br>b<br>c<br>d"),
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ("<head><title>t</title></head><style>s</style>a<script>x()</script>", "a"),
        ("<img src=x onerror=alert(1)>a", "a"),
        ("<a href='javascript:alert(1)'>a</a>", "a (javascript:alert(1))"),
        ("a < b", "a &lt; b"),
    ],
)
def test_an_html_mail_is_read_as_a_mail_program_reads_it(html: str, shown: str) -> None:
    assert readable_html(html) == shown
