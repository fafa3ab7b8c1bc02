"""Owners and runbooks inside message templates.

A template can only look at the event, so who owns a pipeline travels with the template. One text
that is searched costs a Jinja parser nothing; a mapping of a thousand entries would be compiled
again for each message.
"""

from alerting.settings import Settings

_FIELD = "\t"
_LINE = "\n"
_NO_DEPLOYMENT = "*"


def directory_prelude(settings: Settings) -> str:
    """Jinja that sets `owner` and `runbook` (empty when there is none) for `flow`.

    A pipeline that names a deployment is found by flow and deployment; else by flow alone.
    """
    rows = "".join(
        _LINE
        + _FIELD.join(
            (settings.flow_of(key), p.deployment or _NO_DEPLOYMENT, p.owner, p.runbook or "")
        )
        for key, p in settings.pipelines.items()
    )
    unlisted = _FIELD.join(("", settings.default_owner, ""))
    prefix = f"{_literal(_LINE)} ~ flow.name ~ {_literal(_FIELD)}"
    any_deployment = f"{prefix} ~ {_literal(_NO_DEPLOYMENT + _FIELD)}"
    this_deployment = f"{prefix} ~ deployment.name ~ {_literal(_FIELD)}"
    return (
        f"{{% set rows = {_literal(rows + _LINE)} %}}"
        f"{{% set key = {this_deployment} if deployment else '' %}}"
        f"{{% if not key or key not in rows %}}{{% set key = {any_deployment} %}}{{% endif %}}"
        "{% set entry = rows.split(key)[1].split("
        f"{_literal(_LINE)})[0] if key in rows else {_literal(unlisted[1:])} %}}"
        f"{{% set owner = entry.split({_literal(_FIELD)})[0] %}}"
        f"{{% set runbook = entry.split({_literal(_FIELD)})[1] %}}"
    )


def _literal(text: str) -> str:
    """A Jinja string literal. Jinja reads Python's escapes, which keeps templates in one line."""
    escaped = text.encode("unicode_escape").decode("ascii")
    return "'" + escaped.replace("'", "\\'") + "'"
