"""`alertctl silence`: keep pipelines quiet for a while, see what is quiet, and end it."""

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from alerting.ctl.silence_report import as_document, print_listed, sentence
from alerting.ctl.stack_option import FileOption, StackOption, chosen_file
from alerting.settings import SettingsError
from alerting.settings.durations import parse_duration
from alerting.silences.asked import AskedSilence

app = typer.Typer(
    name="silence",
    help="Keep pipelines quiet for a while. What happens in it is recorded and summed up after it.",
    no_args_is_help=True,
)
EXIT_NO_SILENCE = 1
EXIT_IMPOSSIBLE = 2
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AuthorOption = Annotated[
    str | None, typer.Option("--author", help="Who asks for it; by default who is logged in.")
]


@app.command()
def add(  # noqa: PLR0913 - these are the command's options
    *,
    reason: Annotated[str, typer.Option("--reason", help="What it is for.")],
    pipeline: Annotated[
        list[str] | None,
        typer.Option(
            "--pipeline",
            help="A key of data-alerts:pipelines, or another flow's name. May be repeated.",
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All pipelines.")] = False,
    lasting: Annotated[
        str | None, typer.Option("--for", help="How long, such as 2h; 30d at most.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Until when, such as 2026-03-01T08:00Z.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="From when on; by default from now on.")
    ] = None,
    author: AuthorOption = None,
    stack: StackOption = None,
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Silence pipelines: nobody is told of their failures, until an end that always comes.

    A running sentinel knows at once, and one that is started again knows as well. PREFECT_API_URL
    goes over the stack's endpoint, and PREFECT_API_KEY or PREFECT_API_AUTH_STRING logs in.

    Exit code 2 when it cannot be added; nothing is silenced then.
    """
    if bool(pipeline) == everything:
        raise typer.BadParameter("name pipelines with --pipeline, or --all, and not both")
    if (lasting is None) == (until is None):
        raise typer.BadParameter("say how long with --for, or until when with --until")
    now = datetime.now(UTC).replace(microsecond=0)
    starts = _time("--from", since) if since else now
    asked = AskedSilence(
        pipelines=tuple(pipeline or ()),
        starts=starts,
        ends=starts + _duration(lasting) if lasting else _time("--until", until or ""),
        reason=reason,
        author=author or _login(),
    )
    # Prefect's client takes two seconds to import: only those who need it wait for it.
    from alerting.ctl.silencing import add_to  # noqa: PLC0415

    silence = add_to(_file(stack, file), asked, now)
    if as_json:
        typer.echo(json.dumps(as_document(silence, now), indent=2))
    else:
        typer.echo(sentence(silence))
        typer.echo(f"end it earlier: alertctl silence end {silence.id}{_chosen(stack, file)}")


@app.command("list")
def list_silences(
    *,
    past: Annotated[
        bool, typer.Option("--all", help="Also those that are over, as far as they are kept.")
    ] = False,
    stack: StackOption = None,
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is silenced now and what will be: by hand, and by windows within 7 days.

    Records are kept for 30 days. Exit code 2 when Prefect cannot be asked.
    """
    from alerting.ctl.silencing import silences_of  # noqa: PLC0415

    now = datetime.now(UTC)
    name, listed = silences_of(_file(stack, file), now, past=past)
    if as_json:
        typer.echo(json.dumps([as_document(silence, now) for silence in listed], indent=2))
    else:
        print_listed(name, listed, now)


@app.command()
def end(
    silence_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` has it.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why it ends early.")] = "",
    author: AuthorOption = None,
    stack: StackOption = None,
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a silence now. It stays as a record.

    Exit code 1 when there is no such silence or it is over, 2 when Prefect cannot be asked.
    """
    from alerting.ctl.silencing import Ending, end_in  # noqa: PLC0415

    now = datetime.now(UTC).replace(microsecond=0)
    ending = Ending(silence_id, author or _login(), reason, now)
    silence = end_in(_file(stack, file), ending)
    if as_json:
        typer.echo(json.dumps(as_document(silence, now), indent=2))
    else:
        typer.echo(f"ended: {sentence(silence)}")


def _time(option: str, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        # A time without an offset would be taken for that of another place.
        raise typer.BadParameter(
            f"{option}: expected a time with its offset, such as 2026-03-01T08:00Z or "
            "2026-03-01T08:00+01:00"
        )
    return time.astimezone(UTC)


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"--for: {error}") from None


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise typer.BadParameter("who asks for it is not known: name them, --author") from None


def _file(stack: str | None, file: Path | None) -> Path:
    try:
        return chosen_file(stack, file)
    except SettingsError as error:
        for line in error.lines():
            typer.echo(line, err=True)
        raise typer.Exit(EXIT_IMPOSSIBLE) from None


def _chosen(stack: str | None, file: Path | None) -> str:
    """The options again, as far as they were given."""
    return f" --stack {stack}" if stack else f" --file {file}" if file else ""
