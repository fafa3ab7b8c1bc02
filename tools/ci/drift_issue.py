"""Keeps one issue a stack about its drift: opened, followed, and closed when it is gone."""

import os
import sys
from typing import Any

from tools.ci.arguments import stack_argument
from tools.ci.github import GitHub, GitHubError, marker, ours
from tools.ci.runner import report_file, run_url


def open_issue(github: GitHub, mark: str, title: str, text: str) -> None:
    """Open the issue that begins with this mark, or replace what it says."""
    body = f"{mark}\n{text}"
    existing = _existing(github, mark)
    if existing is None:
        github.post("issues", {"title": title, "body": body})
    elif existing["body"] != body:
        github.patch(f"issues/{existing['number']}", {"title": title, "body": body})


def close_issue(github: GitHub, mark: str, last_words: str) -> None:
    """Close the issue that begins with this mark, where one is open."""
    existing = _existing(github, mark)
    if existing is not None:
        github.post(f"issues/{existing['number']}/comments", {"body": last_words})
        github.patch(
            f"issues/{existing['number']}", {"state": "closed", "state_reason": "completed"}
        )


def _existing(github: GitHub, mark: str) -> dict[str, Any] | None:
    issues = github.pages("issues", state="open")
    # GitHub lists pull requests among the issues.
    return next((each for each in issues if "pull_request" not in each and ours(each, mark)), None)


def main() -> None:
    """Open or close the issue. Exit code 1 when GitHub does not take it."""
    stack = stack_argument(__doc__)
    report, mark = report_file("drift", stack), marker("drift", stack)
    try:
        github = GitHub.from_environment()
        if report.is_file():
            text = report.read_text(encoding="utf-8")
            open_issue(github, mark, f"Drift in {stack}", text)
        else:
            url = run_url(os.environ)
            close_issue(github, mark, "The drift is gone." + (f" Found by {url}" if url else ""))
    except GitHubError as error:
        sys.exit(f"issue: {error}")


if __name__ == "__main__":
    main()
