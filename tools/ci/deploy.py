"""Deploys a stack: what the reviewed plan allows, or what a new preview shows.

A plan fits as long as the state and the program are those that were previewed. When it does not fit
any more the engine says so before it changes anything; the stack is then deployed without it, which
the run's page says.
"""

from tools.ci.arguments import stack_argument
from tools.ci.engine import Engine, Outcome
from tools.ci.markdown import headline
from tools.ci.runner import add_summary, notice, report_file, warning

_DOES_NOT_FIT = "violates plan"


def deploy(engine: Engine, stack: str) -> Outcome:
    """Deploy, and say by what."""
    plan = report_file("plan", stack, ".json")
    if plan.is_file():
        outcome = engine.up("--plan", str(plan))
        if outcome.code == 0:
            notice(f"{stack}: deployed by the reviewed plan: {headline(outcome.output)}")
            return outcome
        if _DOES_NOT_FIT not in outcome.output:
            return outcome
        warning(
            f"{stack}: the reviewed plan does not fit any more, since something else was deployed "
            "or changed after the preview. Deployed without it: see what changed in the log."
        )
    outcome = engine.up("--diff")
    if outcome.code == 0:
        notice(f"{stack}: deployed from a new preview: {headline(outcome.output)}")
    return outcome


def main() -> None:
    """Deploy. Exit code of the engine."""
    stack = stack_argument(__doc__)
    outcome = deploy(Engine(stack), stack)
    verdict = headline(outcome.output) if outcome.code == 0 else "**failed**"
    add_summary(f"### Deployment of {stack}: {verdict}")
    raise SystemExit(outcome.code)


if __name__ == "__main__":
    main()
