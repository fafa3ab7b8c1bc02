"""GitHub's REST API, as far as the steps need it."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Self

import httpx

BOT = "github-actions[bot]"
"""Whose comments and issues are ours: whoever holds a workflow's own token."""
PAGE = 100
SECONDS = 30.0


class GitHubError(Exception):
    """GitHub did not do what was asked; the text says what to do."""


class GitHub:
    """One repository."""

    def __init__(self, client: httpx.Client, repository: str) -> None:
        self._client = client
        self._repository = repository

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The repository that a workflow runs for. Raises GitHubError where there is none."""
        for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY"):
            if not environment.get(name):
                raise GitHubError(f"{name} is not set. Set it, as the workflows do")
        client = httpx.Client(
            base_url=environment.get("GITHUB_API_URL", "https://api.github.com"),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            timeout=SECONDS,
            transport=httpx.HTTPTransport(retries=3),
        )
        return cls(client, environment["GITHUB_REPOSITORY"])

    def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 - JSON
        """What is at a path below the repository. Raises GitHubError, as all of these do."""
        return self._ask("GET", path, params=query).json()

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Every item of a list, over all of its pages."""
        page = 1
        while items := self.get(path, **query, per_page=PAGE, page=page):
            yield from items
            if len(items) < PAGE:
                return
            page += 1

    def post(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Make something."""
        return self._ask("POST", path, json=body).json()

    def patch(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Change something."""
        return self._ask("PATCH", path, json=body).json()

    def download(self, path: str) -> bytes:
        """A file, from wherever GitHub keeps it; the token stays with GitHub."""
        return self._ask("GET", path, follow_redirects=True).content

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        where = f"/repos/{self._repository}/{path}"
        try:
            answer = self._client.request(method, where, **options)
        except httpx.HTTPError as error:
            raise GitHubError(
                f"GitHub does not answer: {type(error).__name__}. Run it again"
            ) from None
        if answer.is_success:
            return answer
        hint = (
            "the job's permissions do not allow it"
            if answer.status_code in {401, 403}
            else "run it again"
            if answer.is_server_error
            else "see the log above"
        )
        raise GitHubError(f"GitHub answered {answer.status_code} to {method} {where}: {hint}")


def marker(kind: str, stack: str) -> str:
    """The line, which nobody sees, by which a comment or an issue is found again."""
    return f"<!-- data-alerts {kind} {stack} -->"


def ours(item: Mapping[str, Any], mark: str) -> bool:
    """Whether a workflow made this comment or issue, with this mark at its beginning."""
    by = (item.get("user") or {}).get("login")
    return by == BOT and str(item.get("body") or "").startswith(mark)
