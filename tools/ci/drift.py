"""Looks for drift in a stack: what somebody changed past the program.

Compares the cloud with the state, and the program with the cloud. Leaves a report for the issue
when they differ, and none when they do not.
"""

import sys

from tools.ci.arguments import stack_argument
from tools.ci.engine import CHANGES, Engine, Outcome
from tools.ci.markdown import LIMIT, folded
from tools.ci.runner import add_summary, report_file

# What the issue says around the report.
_ROOM = 2_000


class DriftUnknownError(Exception):
    """The engine could not compare; `code` is its own."""

    def __init__(self, code: int) -> None:
        super().__init__("drift: the comparison failed: the log above says why")
        self.code = code


def differences(engine: Engine) -> dict[str, str]:
    """What differs, by what was compared. Raises DriftUnknownError when it cannot be known."""
    compared = {
        "What a deployment would do about it": engine.preview("--refresh", "--expect-no-changes"),
        "The cloud against the state": engine.run(
            "refresh", "--preview-only", "--diff", "--expect-no-changes"
        ),
    }
    return {title: each.output for title, each in compared.items() if _differs(each)}


def drift_report(stack: str, found: dict[str, str]) -> str:
    """The differences, for the issue."""
    limit = (LIMIT - _ROOM) // len(found)
    parts = [folded(title, output, limit) for title, output in found.items()]
    head = (
        f"{stack} is not as its program says: it was changed by hand, or a deployment is due.\n"
        "To put it back, deploy the stack; to keep the change, write it into the program. "
        "This issue follows the differences, and is closed when they are gone."
    )
    return "\n\n".join([head, *parts]) + "\n"


def _differs(outcome: Outcome) -> bool:
    if outcome.code not in {0, CHANGES}:
        raise DriftUnknownError(outcome.code)
    return outcome.code == CHANGES


def main() -> None:
    """Compare. Exit code 0 whether or not something differs, the engine's when it failed."""
    stack = stack_argument(__doc__)
    file = report_file("drift", stack)
    file.unlink(missing_ok=True)
    try:
        found = differences(Engine(stack))
    except DriftUnknownError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(error.code) from None
    if found:
        file.write_text(drift_report(stack, found), encoding="utf-8")
    add_summary(f"### Drift of {stack}: {'found' if found else 'none'}")


if __name__ == "__main__":
    main()
