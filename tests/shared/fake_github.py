"""GitHub's REST API, as far as the workflows use it, in memory."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

REPOSITORY = "example/data-alerts"
REPOSITORY_ID = 1
TOKEN = "token-of-this-run"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
_ROOT = f"/repos/{REPOSITORY}"
Answer = Callable[[httpx.Request, re.Match[str]], httpx.Response]


class FakeGitHub:
    """One repository. `writes` are the requests that changed something, in order."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.merged: dict[str, dict[str, Any]] = {}
        self.artifacts: list[dict[str, Any]] = []
        self.archives: dict[int, bytes] = {}
        self.writes: list[str] = []
        self.blobs = "https://blobs.example.com"
        """Where archives are kept: another host, which takes no token of GitHub's."""

    def client(self) -> httpx.Client:
        """A client without a network, with the headers of a workflow."""
        return httpx.Client(
            base_url="https://api.github.com",
            headers={"Authorization": f"Bearer {TOKEN}"},
            transport=httpx.MockTransport(self.answer),
        )

    def add_comment(self, number: int, body: str, by: str = "somebody") -> dict[str, Any]:
        made = {"id": len(self.comments) + 1, "issue": number, "body": body}
        self.comments.append(made | {"user": BOT if by == "bot" else {"login": by}})
        return self.comments[-1]

    def add_issue(self, body: str, by: str = "somebody", **more: object) -> dict[str, Any]:
        made = {"number": len(self.issues) + 1, "title": "", "body": body, "state": "open"}
        made["user"] = BOT if by == "bot" else {"login": by}
        self.issues.append(made | more)
        return self.issues[-1]

    def add_artifact(self, name: str, head: str, files: dict[str, bytes], **more: object) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            for file, content in files.items():
                zipped.writestr(file, content)
        run = {"head_sha": head, "repository_id": REPOSITORY_ID}
        run["head_repository_id"] = more.pop("head_repository_id", REPOSITORY_ID)
        number = len(self.artifacts) + 1
        made = {"id": number, "name": name, "expired": False, "workflow_run": run}
        self.artifacts.append(made | {"created_at": f"2026-01-01T00:00:{number:02}Z"} | more)
        self.archives[number] = archive.getvalue()

    def merge(self, commit: str, head: str) -> None:
        pull = {"merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": commit}
        self.merged[commit] = pull | {"head": {"sha": head}}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What GitHub would answer."""
        has_token = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        if found := re.fullmatch(r"/blob/(\d+)", request.url.path):
            # As the store behind GitHub: it refuses a request that is authorised twice.
            return httpx.Response(400 if has_token else 200, content=self.archives[int(found[1])])
        if not has_token:
            return httpx.Response(401, json={"message": "Bad credentials"})
        for method, pattern, answer in self._routes():
            found = re.fullmatch(_ROOT + pattern, request.url.path)
            if found and method == request.method:
                if method != "GET":
                    self.writes.append(f"{method} {request.url.path.removeprefix(_ROOT)}")
                return answer(request, found)
        return httpx.Response(404, json={"message": "Not Found"})

    def _routes(self) -> Iterator[tuple[str, str, Answer]]:
        yield "GET", r"/issues/(\d+)/comments", self._list_comments
        yield "POST", r"/issues/(\d+)/comments", self._make_comment
        yield "PATCH", r"/issues/comments/(\d+)", self._change_comment
        yield "GET", r"/issues", self._list_issues
        yield "POST", r"/issues", self._make_issue
        yield "PATCH", r"/issues/(\d+)", self._change_issue
        yield "GET", r"/commits/(\w+)/pulls", self._list_pulls
        yield "GET", r"/actions/artifacts", self._list_artifacts
        yield "GET", r"/actions/artifacts/(\d+)/zip", self._download

    def _list_comments(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        return _page(request, [c for c in self.comments if c["issue"] == int(found[1])])

    def _make_comment(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        return _taken(request, lambda body: self.add_comment(int(found[1]), body["body"], "bot"))

    def _change_comment(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        comment = next(c for c in self.comments if c["id"] == int(found[1]))
        return _taken(request, lambda body: comment.update(body) or comment)

    def _list_issues(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        state = request.url.params["state"]
        return _page(request, [i for i in self.issues if i["state"] == state])

    def _make_issue(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        return _taken(request, lambda body: self.add_issue(by="bot", **body))

    def _change_issue(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        issue = next(i for i in self.issues if i["number"] == int(found[1]))
        return _taken(request, lambda body: issue.update(body) or issue)

    def _list_pulls(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        pull = self.merged.get(found[1])
        return _page(request, [pull] if pull else [])

    def _list_artifacts(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        named = [a for a in self.artifacts if a["name"] == request.url.params["name"]]
        return httpx.Response(200, json={"total_count": len(named), "artifacts": named})

    def _download(self, request: httpx.Request, found: re.Match[str]) -> httpx.Response:
        return httpx.Response(302, headers={"Location": f"{self.blobs}/blob/{found[1]}"})


def _page(request: httpx.Request, items: list[dict[str, Any]]) -> httpx.Response:
    size, page = (int(request.url.params[name]) for name in ("per_page", "page"))
    return httpx.Response(200, json=items[size * (page - 1) : size * page])


def _taken(
    request: httpx.Request, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> httpx.Response:
    body = json.loads(request.content)
    if len(body.get("body") or "") > 65_536:
        return httpx.Response(422, json={"message": "body is too long"})
    return httpx.Response(200, json=change(body))


@contextmanager
def served(github: FakeGitHub) -> Iterator[str]:
    """The API's URL, on loopback, for steps in processes of their own."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url = f"http://{self.headers['Host']}{self.path}"
            headers = list(self.headers.items())
            answer = github.answer(
                httpx.Request(self.command, url, headers=headers, content=content)
            )
            self.send_response(answer.status_code)
            for name in ("Content-Type", "Location"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    # The same server by another name is another host to a client.
    github.blobs = f"http://localhost:{port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
