"""Previews a stack: keeps the update plan, and a report for the pull request."""

import os
from collections.abc import Mapping

from tools.ci.arguments import stack_argument
from tools.ci.engine import Engine, Outcome
from tools.ci.markdown import LIMIT, folded, headline
from tools.ci.runner import add_summary, report_file, run_url

# What the comment says around the report: its mark, and room to spare.
_ROOM = 1_000


def preview_report(stack: str, outcome: Outcome, environment: Mapping[str, str]) -> str:
    """What a preview came to, for the pull request."""
    verdict = headline(outcome.output) if outcome.code == 0 else "**failed**"
    head, url = environment.get("HEAD_SHA", "")[:7], run_url(environment)
    lines = [f"### Preview of {stack}: {verdict}", ""]
    if url:
        lines += [f"Of {head}, in [this run]({url}).", ""]
    text = "".join(f"{line}\n" for line in lines)
    return text + folded("What would change", outcome.output, LIMIT - _ROOM - len(text)) + "\n"


def main() -> None:
    """Preview. Exit code of the engine."""
    stack = stack_argument(__doc__)
    plan = report_file("plan", stack, ".json")
    outcome = Engine(stack).preview("--save-plan", str(plan))
    report = preview_report(stack, outcome, os.environ)
    report_file("preview", stack).write_text(report, encoding="utf-8")
    add_summary(report)
    raise SystemExit(outcome.code)


if __name__ == "__main__":
    main()
