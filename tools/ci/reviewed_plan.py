"""Fetches the update plan that the merged pull request's preview made for a stack.

The plan only limits what `up` may do, and says nothing of what it does: that is the program's. It
is taken from a run of this repository for the very commit that was merged, and from no fork's.
"""

import io
import os
import sys
import zipfile
from typing import Any

from tools.ci.arguments import stack_argument
from tools.ci.github import GitHub, GitHubError
from tools.ci.runner import notice, report_file

LARGEST = 100_000_000
"""Bytes of a plan, unpacked; one of a thousand pipelines has less than a hundredth."""


class NoPlanError(Exception):
    """There is no plan to take; the text says why."""


def reviewed_plan(github: GitHub, stack: str, commit: str) -> bytes:
    """The plan for the pull request that was merged as this commit.

    Raises:
        NoPlanError: when there is none.
        GitHubError: when GitHub does not answer.
    """
    head = _merged_head(github, commit)
    return _unpacked(github.download(f"actions/artifacts/{_artifact(github, stack, head)}/zip"))


def artifact_name(stack: str, head: str) -> str:
    """The name under which the preview of a commit keeps its plan."""
    return f"plan-{stack}-{head}"


def _merged_head(github: GitHub, commit: str) -> str:
    for pull in github.pages(f"commits/{commit}/pulls"):
        if pull.get("merged_at") and pull.get("merge_commit_sha") == commit:
            return str(pull["head"]["sha"])
    raise NoPlanError(f"{commit[:7]} is no merged pull request")


def _artifact(github: GitHub, stack: str, head: str) -> int:
    name = artifact_name(stack, head)
    listed = github.get("actions/artifacts", name=name, per_page=100)["artifacts"]
    fit = [each for each in listed if each["name"] == name and _trusted(each, head)]
    if not fit:
        raise NoPlanError(f"the preview of {head[:7]} left no plan, or it has expired")
    return int(max(fit, key=lambda each: str(each["created_at"]))["id"])


def _trusted(artifact: dict[str, Any], head: str) -> bool:
    run = artifact["workflow_run"]
    own = run["head_repository_id"] == run["repository_id"]
    return bool(own and run["head_sha"] == head and not artifact["expired"])


def _unpacked(archive: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            [file] = files.infolist()
            if file.file_size > LARGEST:
                raise NoPlanError("the plan is larger than any plan")
            return files.read(file)
    except (zipfile.BadZipFile, ValueError):
        raise NoPlanError("the plan's artifact is not one zipped file") from None


def main() -> None:
    """Fetch the plan where there is one. Exit code 1 when GitHub does not answer."""
    stack = stack_argument(__doc__)
    file = report_file("plan", stack, ".json")
    file.unlink(missing_ok=True)
    try:
        file.write_bytes(reviewed_plan(GitHub.from_environment(), stack, os.environ["GITHUB_SHA"]))
    except NoPlanError as none:
        notice(f"{stack}: no reviewed plan: {none}. It is deployed from a new preview.")
    except GitHubError as error:
        sys.exit(f"plan: {error}")


if __name__ == "__main__":
    main()
