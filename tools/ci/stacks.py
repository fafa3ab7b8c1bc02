"""Which stacks a pull request previews: each Pulumi.<stack>.yaml but the sandbox's.

None for a pull request that gets no secrets, which is one from a fork or by Dependabot. GitHub
withholds them by itself; this spares it a failing job and says why there is no preview.
"""

import json
import os
from pathlib import Path
from typing import Any

from tools.ci.runner import notice, set_output

SANDBOX = "sandbox"
DEPENDABOT = "dependabot[bot]"


def stack_names(folder: Path) -> list[str]:
    """The names of the stacks whose files are in the folder."""
    files = folder.glob("Pulumi.*.yaml")
    names = (file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files)
    return sorted(name for name in names if name != SANDBOX)


def without_secrets(event: dict[str, Any]) -> str | None:
    """Why the run of this event gets no secrets; None when it does."""
    pull = event.get("pull_request")
    if pull is None:
        return None
    # The head of a fork that was deleted is null.
    head = (pull["head"].get("repo") or {}).get("full_name")
    if head != pull["base"]["repo"]["full_name"]:
        return "this pull request comes from a fork"
    if pull["user"]["login"] == DEPENDABOT:
        return "this pull request is Dependabot's"
    return None


def main() -> None:
    """Set the output `stacks`, a JSON list."""
    path = os.environ.get("GITHUB_EVENT_PATH")
    event = json.loads(Path(path).read_bytes()) if path else {}
    stacks = stack_names(Path())
    if reason := without_secrets(event):
        notice(
            f"No preview: {reason}, and gets no secrets. The checks and tests run all the same. "
            "To preview it, a maintainer pushes its commits to a branch of this repository."
        )
        stacks = []
    set_output("stacks", json.dumps(stacks))


if __name__ == "__main__":
    main()
