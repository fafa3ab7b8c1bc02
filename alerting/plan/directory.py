"""Owners and runbooks inside message templates.

A template can only look at the event, so who owns a pipeline travels with the template. One text
that is searched costs a Jinja parser nothing; a mapping of a thousand entries would be compiled
again for each message. Pipelines of one owner share a row, since every automation carries the text.
"""

from collections import defaultdict

from alerting.settings import Settings

# None of these can stand in a name: settings refuse control characters.
_ROW = "\n"
_FIELD = "\x1e"
_PIPELINE = "\t"
_OF_DEPLOYMENT = "\x1f"
_FLOW_NAME = "\x01"
PIPELINE = "pipeline"
"""The template's name for what tells one pipeline from another, as the sentinel has it."""


def directory_prelude(settings: Settings) -> str:
    """Jinja that sets `owner`, `runbook` (empty when there is none) and `pipeline` for `flow`.

    A pipeline that names a deployment is found by flow and deployment; else by flow alone.
    """
    between = literal(_PIPELINE)
    any_deployment = f"{between} ~ flow.name ~ {between}"
    this_deployment = (
        f"{between} ~ flow.name ~ {literal(_OF_DEPLOYMENT)} ~ deployment.name ~ {between}"
    )
    unlisted = settings.default_owner + _FIELD
    return (
        f"{{% set rows = {literal(_rows(settings))} %}}"
        f"{{% set key = {this_deployment} if deployment else '' %}}"
        f"{{% set {PIPELINE} = flow.name ~ '/' ~ deployment.name if key and key in rows"
        " else flow.name %}"
        f"{{% if not key or key not in rows %}}{{% set key = {any_deployment} %}}{{% endif %}}"
        f"{{% set head = rows.split(key)[0].split({literal(_ROW)})[-1] if key in rows"
        f" else {literal(unlisted)} %}}"
        f"{{% set owner = head.split({literal(_FIELD)})[0] %}}"
        f"{{% set runbook = head.split({literal(_FIELD)})[1]"
        # As text, since a flow that was deleted meanwhile has no name to replace with.
        f".replace({literal(_FLOW_NAME)}, flow.name ~ '') %}}"
    )


def _rows(settings: Settings) -> str:
    """A row for each owner and runbook: both, then the pipelines that have them.

    Runbooks that differ only in the flow's name count as one.
    """
    rows: defaultdict[str, list[str]] = defaultdict(list)
    for key, pipeline in settings.pipelines.items():
        flow = settings.flow_of(key)
        runbook = (pipeline.runbook or "").replace(flow, _FLOW_NAME)
        name = f"{flow}{_OF_DEPLOYMENT}{pipeline.deployment}" if pipeline.deployment else flow
        rows[f"{pipeline.owner}{_FIELD}{runbook}{_FIELD}"].append(name)
    return "".join(
        f"{_ROW}{head}{_PIPELINE}{_PIPELINE.join(names)}{_PIPELINE}" for head, names in rows.items()
    )


def literal(text: str) -> str:
    """Write any text as a Jinja string literal: Jinja reads Python's escapes, all in one line."""
    escaped = text.encode("unicode_escape").decode("ascii")
    return "'" + escaped.replace("'", "\\'") + "'"


def constant(text: str) -> str:
    """Text from the settings, kept from being read as a template."""
    return f"{{{{ {literal(text)} }}}}" if "{" in text else text
