"""`alertctl`: what a team does with its alerting besides deploying it."""

import typer

from alerting.ctl.adopt import adopt
from alerting.ctl.check import check
from alerting.ctl.doctor import doctor
from alerting.ctl.drill import drill
from alerting.ctl.explain import explain
from alerting.ctl.history import history, recent_failures
from alerting.ctl.rules import rules
from alerting.ctl.secrets import app as secrets_app
from alerting.ctl.sentinel import app as sentinel_app
from alerting.ctl.serve import serve
from alerting.ctl.silence import app as silence_app
from alerting.ctl.status import report, status
from alerting.ctl.test import play_scenarios

app = typer.Typer(
    name="alertctl",
    help="Check, try and watch the alerting of a Prefect workspace.",
    no_args_is_help=True,
    add_completion=False,
    # Typer's own tracebacks print local variables, and those may hold secrets.
    pretty_exceptions_enable=False,
)
app.command()(adopt)
app.command()(check)
app.command()(doctor)
app.command()(drill)
app.command("test")(play_scenarios)
app.command()(explain)
app.command()(history)
app.command("recent-failures")(recent_failures)
app.command()(report)
app.command()(rules)
app.command()(serve)
app.command()(status)
app.add_typer(sentinel_app)
app.add_typer(secrets_app)
app.add_typer(silence_app)


@app.callback()
def _root() -> None:
    """Keep `check` a subcommand, however few there are."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
