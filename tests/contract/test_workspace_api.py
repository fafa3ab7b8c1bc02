"""Asking a Prefect API what it has: paging, patience, and errors that hold no secret."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from alerting.adoption import workspace as workspace_module
from alerting.adoption.workspace import PAGE, Workspace, WorkspaceError, found_blocks
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.contract

KEY = "pnu_FAKEFAKEFAKEFAKEFAKE"


@dataclass
class Api:
    """Answers with what it is given, one answer after the other, the last one again and again."""

    answers: list[tuple[int, object]]
    asked: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)
    url: str = ""

    def answer(self) -> tuple[int, bytes]:
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


@contextmanager
def serving(*answers: tuple[int, object]) -> Iterator[Api]:
    api = Api(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            api.asked.append((self.path, body, self.headers.get("Authorization")))
            status, content = api.answer()
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}/api"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace_module, "PAUSES", (0.0, 0.0))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")


def automation(name: str) -> dict[str, str]:
    return {"id": f"{name}-id", "name": name, "description": ""}


def test_every_page_is_read() -> None:
    full, rest = [automation(str(i)) for i in range(PAGE)], [automation("last")]
    with serving((200, full), (200, rest)) as api:
        found = Workspace(api.url).all_automations()
    assert len(found) == PAGE + 1
    assert [body["offset"] for _, body, _ in api.asked] == [0, PAGE]


def test_automations_are_asked_for_by_name_or_id() -> None:
    with serving((200, [])) as api:
        Workspace(api.url).automations(["b", "a"])
        Workspace(api.url).automations(["a"], ["an-id"])
    assert [body["automations"] for _, body, _ in api.asked] == [
        {"name": {"any_": ["a", "b"]}},
        {"operator": "or_", "name": {"any_": ["a"]}, "id": {"any_": ["an-id"]}},
    ]


def test_blocks_of_another_type_with_the_same_name_are_left_out() -> None:
    found = [
        {"id": slug, "name": "alerts", "block_type": {"slug": slug}, "data": {}}
        for slug in ("slack-webhook", "secret")
    ]
    with serving((200, found)) as api:
        blocks = Workspace(api.url).blocks(["slack-webhook/alerts"])
    assert [block["id"] for block in blocks] == ["slack-webhook"]


@pytest.mark.parametrize(
    ("workspace", "header"),
    [
        ({"api_key": KEY}, f"Bearer {KEY}"),
        ({"basic_auth_key": "admin:pass"}, "Basic YWRtaW46cGFzcw=="),
        ({}, None),
    ],
    ids=["key", "password", "none"],
)
def test_credentials_go_into_the_header(workspace: dict[str, str], header: str | None) -> None:
    with serving((200, [])) as api:
        Workspace(api.url, **workspace).all_automations()
    assert api.asked[0][2] == header


def test_a_server_that_is_busy_is_asked_again() -> None:
    with serving((503, {}), (429, {}), (200, [automation("a")])) as api:
        assert len(Workspace(api.url).all_automations()) == 1


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (503, {}, "is busy (HTTP 503). Check data-alerts:prefect.endpoint"),
        (401, {}, "refused the credentials (HTTP 401). Set data-alerts:prefect.apiKey"),
        (403, {}, "refused the credentials (HTTP 403)"),
        (404, {}, "refused to list what it has (HTTP 404)"),
        (302, {}, "refused to list what it has (HTTP 302)"),
        (422, {"secret": KEY}, "refused to list what it has (HTTP 422)"),
        (200, b"<html>", "is no Prefect API"),
        (200, {"detail": KEY}, "is no Prefect API"),
    ],
)
def test_a_refusal_is_one_line_without_a_secret(status: int, body: object, says: str) -> None:
    with serving((status, body)) as api, pytest.raises(WorkspaceError) as raised:
        Workspace(api.url, api_key=KEY).all_automations()
    text = str(raised.value)
    assert says in text
    assert text.startswith(f"Prefect at {api.url.removesuffix('/api')} ")
    assert "\n" not in text
    assert KEY not in text


def test_a_server_that_is_not_there_is_named() -> None:
    with serving((200, [])) as api:
        pass
    with pytest.raises(WorkspaceError, match="does not answer"):
        Workspace(api.url).all_automations()


def test_no_representation_shows_a_credential() -> None:
    assert KEY not in repr(Workspace("https://api.prefect.cloud/api", KEY, KEY))


def test_the_published_settings_tell_whose_blocks_are() -> None:
    def block(slug: str, data: object) -> dict[str, Any]:
        kind, _, name = slug.partition("/")
        return {"id": slug, "name": name, "block_type": {"slug": kind}, "data": data}

    value = (
        published_of()
        .model_copy(update={"stack": "prod", "blocks": ("slack-webhook/alerts",)})
        .packed()
    )
    there = [
        block("slack-webhook/alerts", {}),
        block("slack-webhook/other", {}),
        block("secret/data-alerts", {"value": value}),
    ]
    assert {f.name: f.stack for f in found_blocks(there, "secret/data-alerts")} == {
        "slack-webhook/alerts": "prod",
        "slack-webhook/other": None,
        "secret/data-alerts": "prod",
    }
    unreadable: tuple[object, ...] = ("text", {}, {"value": "text"}, {"value": {}})
    for data in unreadable:
        there[-1] = block("secret/data-alerts", data)
        assert {f.stack for f in found_blocks(there, "secret/data-alerts")} == {None}
