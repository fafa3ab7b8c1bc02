"""Puts a stack's preview on its pull request: one comment a stack, edited by each new preview."""

import json
import os
import sys
from pathlib import Path

from tools.ci.arguments import stack_argument
from tools.ci.github import GitHub, GitHubError, marker, ours
from tools.ci.runner import report_file


def put_comment(github: GitHub, pull_request: int, mark: str, text: str) -> None:
    """Make the comment that begins with this mark, or replace what it says."""
    body = f"{mark}\n{text}"
    comments = github.pages(f"issues/{pull_request}/comments")
    existing = next((each for each in comments if ours(each, mark)), None)
    if existing is None:
        github.post(f"issues/{pull_request}/comments", {"body": body})
    elif existing["body"] != body:
        github.patch(f"issues/comments/{existing['id']}", {"body": body})


def main() -> None:
    """Put the comment. Exit code 1 when GitHub does not take it."""
    stack = stack_argument(__doc__)
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_bytes())
    text = report_file("preview", stack).read_text(encoding="utf-8")
    try:
        number = event["pull_request"]["number"]
        put_comment(GitHub.from_environment(), number, marker("preview", stack), text)
    except GitHubError as error:
        sys.exit(f"comment: {error}")


if __name__ == "__main__":
    main()
