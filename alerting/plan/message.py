"""A message, and the ways in which it is written. See `forms`.

Its parts are texts where the sentinel or a hook makes it, and templates where Prefect renders it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from alerting.plan.forms import Encode, Form, Value, encoded_template, encoded_text, inside, written
from alerting.plan.rules import Tier

_ICONS = {
    Tier.WARNING: ":x:",
    Tier.CRITICAL: ":rotating_light:",
    Tier.P1: ":fire:",
    Tier.ESCALATION: ":mega:",
    Tier.RECOVERY: ":white_check_mark:",
    Tier.LATE: ":hourglass:",
    Tier.ALERTING: ":warning:",
    Tier.FRESHNESS: ":snail:",
    Tier.ANOMALY: ":chart_with_downwards_trend:",
    Tier.SUCCESS: ":white_check_mark:",
    Tier.SUMMARY: ":memo:",
}
_SEVERITIES = {
    Tier.CRITICAL: "critical",
    Tier.P1: "critical",
    Tier.ESCALATION: "critical",
    Tier.ALERTING: "critical",
    # A drill that pages tries whether somebody is woken.
    Tier.DRILL: "critical",
    Tier.FRESHNESS: "error",
    Tier.ANOMALY: "error",
    Tier.WARNING: "warning",
    Tier.LATE: "warning",
}
LEFT, RIGHT = "\u2039", "\u203a"
"""Stand in for angle brackets."""
_RUNBOOK, _LOOK, _ERROR = "Runbook", "Look", "Error"
# What Slack and PagerDuty take; of more they take nothing.
_FIELD_LENGTH, _HEADER_LENGTH, _MOST_FIELDS = 1900, 150, 10
_SUMMARY_LENGTH, _KEY_LENGTH = 1000, 255


@dataclass(frozen=True)
class Incident:
    """What a page is about."""

    key: str
    """The same for all that is one incident."""
    component: str
    """The pipeline, or what else is broken."""
    source: str
    """The stack."""
    over: bool = False
    """Whether this says that it is over."""


@dataclass(frozen=True)
class Message:
    """A subject, and a body of labelled lines below one sentence."""

    tier: Tier
    subject: str
    sentence: str
    fields: tuple[tuple[str, str], ...]
    incident: Incident
    prelude: str = ""
    """What a template says before its parts."""
    would_page: str = ""
    """Whom it would page, were PagerDuty set up."""
    has_runbook: bool = False
    """Whether the runbook is sure to be an address, and not a word in its place."""

    def slack(self) -> tuple[str, str]:
        """Subject and body in Slack's markup."""
        body = [self.sentence, *(f"*{label}*: {text}" for label, text in self._fields())]
        icon = _ICONS.get(self.tier)
        subject = f"{icon} {self.subject}" if icon else self.subject
        return subject, self.prelude + "\n".join(body)

    def plain(self) -> tuple[str, str]:
        """Subject and body without markup."""
        body = [self.sentence, *(f"{label}: {text}" for label, text in self._fields())]
        return self.subject, self.prelude + "\n".join(body)

    def texts(self) -> dict[str, dict[str, str]]:
        """Subject and body in every form, of a message whose parts are texts."""
        return {
            form.value: dict(zip(("subject", "body"), self.text(form), strict=True))
            for form in Form
        }

    def text(self, form: Form) -> tuple[str, str]:
        """Subject and body in a form, of a message whose parts are texts."""
        subject, body = self._written(form, encoded_text)
        # In what Prefect's blocks send as text a `>` can end a mention, or lose the message.
        return (subject, harmless(body)) if form in (Form.SLACK, Form.PLAIN) else (subject, body)

    def template(self, form: Form) -> tuple[str, str]:
        """Templates for subject and body in a form, of a message whose parts are templates."""
        return self._written(form, encoded_template)

    def _written(self, form: Form, encode: Encode) -> tuple[str, str]:
        match form:
            case Form.SLACK:
                return self.slack()
            case Form.PLAIN:
                return self.plain()
            case Form.HTML:
                return self.subject, self.prelude + self._html(texts=encode is encoded_text)
            case Form.RICH:
                body = written(self._blocks(texts=encode is encoded_text), encode)
            case Form.INCIDENT:
                body = inside(self._event(texts=encode is encoded_text), encode)
            case Form.JSON:
                body = written(self._parts(), encode)
        return self.subject, self.prelude + body

    def _fields(self) -> tuple[tuple[str, str], ...]:
        return (*self.fields, ("Would page", self.would_page)) if self.would_page else self.fields

    def _links(self) -> Iterator[tuple[str, str]]:
        for label, text in self.fields:
            if label == _LOOK or (label == _RUNBOOK and self.has_runbook):
                yield label, text

    def _event(self, *, texts: bool) -> dict[str, Value]:
        """An event of PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2.

        Resolving needs the key alone; the rest is for whoever reads the incident's log.
        """
        incident = self.incident
        details = {"What": self.sentence, **dict(self._fields())}
        return {
            "event_action": "resolve" if incident.over else "trigger",
            "dedup_key": _cut(incident.key, _KEY_LENGTH, texts=texts),
            "client": "data-alerts",
            "payload": {
                "summary": _cut(self.subject, _SUMMARY_LENGTH, texts=texts),
                "source": incident.source,
                "severity": _SEVERITIES.get(self.tier, "info"),
                "component": incident.component,
                "group": incident.source,
                "class": self.tier.value,
                "custom_details": details,
            },
            "links": [{"href": href, "text": label} for label, href in self._links()],
        }

    def _parts(self) -> dict[str, Value]:
        return {
            "tier": self.tier.value,
            "subject": self.subject,
            "text": self.sentence,
            "fields": dict(self._fields()),
            "key": self.incident.key,
            "component": self.incident.component,
            "stack": self.incident.source,
            "state": "over" if self.incident.over else "open",
        }

    def _html(self, *, texts: bool) -> str:
        quoted = escape if texts else _escaping
        lines = [quoted(self.sentence)]
        lines += [f"<b>{label}</b>: {quoted(text)}" for label, text in self._fields()]
        return "<br>\n".join(lines)

    def _blocks(self, *, texts: bool) -> dict[str, Value]:
        """Slack's Block Kit: https://api.slack.com/reference/block-kit/blocks."""
        subject, _ = self.slack()
        links = list(self._links())
        quoted = _escaped if texts else _escaping
        shown = [
            (label, text)
            for label, text in self._fields()
            if label != _ERROR and (label, text) not in links
        ]
        blocks: list[Value] = [
            {"type": "header", "text": _plain(_cut(subject, _HEADER_LENGTH, texts=texts))},
            {"type": "section", "text": _markdown(quoted(self.sentence))},
        ]
        blocks += [
            {"type": "section", "text": _markdown("```" + quoted(text) + "```")}
            for label, text in self._fields()
            if label == _ERROR
        ]
        if shown:
            lines = [_markdown(f"*{label}*\n{quoted(text)}") for label, text in shown]
            blocks.append({"type": "section", "fields": lines[:_MOST_FIELDS]})
        if links:
            buttons: list[Value] = [
                {"type": "button", "text": _plain(label), "url": href} for label, href in links
            ]
            blocks.append({"type": "actions", "elements": buttons})
        # What a telephone shows before the message is opened.
        return {"text": subject, "blocks": blocks}


def harmless(text: str) -> str:
    """A text whose angle brackets are nobody's markup. It reads the same."""
    return text.replace("<", LEFT).replace(">", RIGHT)


def _cut(text: str, length: int, *, texts: bool) -> str:
    """A text, or what a template renders to, no longer than that."""
    if texts or "{" not in text:
        return text[:length]
    return f"{{% set cut %}}{text}{{% endset %}}{{{{ (cut ~ '')[:{length}] }}}}"


def _plain(text: str) -> dict[str, Value]:
    return {"type": "plain_text", "text": text}


def _markdown(text: str) -> dict[str, Value]:
    return {"type": "mrkdwn", "text": text}


def _escaped(text: str) -> str:
    """A text that Slack shows as it is: no mention, no link, no end of a block of code."""
    return escape(text, quote=False).replace("`", "'")[:_FIELD_LENGTH]


def _escaping(template: str) -> str:
    """A template of which the same is true."""
    return (
        f"{{% set quoted %}}{template}{{% endset %}}"
        "{{ (quoted ~ '').replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')"
        f".replace('`', \"'\")[:{_FIELD_LENGTH}] }}}}"
    )
