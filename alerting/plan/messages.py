"""What each tier says. Jinja templates that Prefect renders on its server.

Prefect renders an undefined name as nothing and reports success, so every template here is
rendered in tests with undefined names as errors. Links are bare: Prefect's Slack block escapes
`<`, which breaks `<url|text>`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from alerting.plan.directory import directory_prelude, literal
from alerting.plan.names import ui_url_of
from alerting.plan.rules import Tier
from alerting.settings import Settings
from alerting.settings.durations import format_duration

_ERROR_LENGTH = 400
_LISTED = 10
_CLOCK = "strftime('%Y-%m-%d %H:%M:%S UTC')"
# From the event, which is there even when the run was deleted since: calling a method of what is
# missing would lose the message.
_TIME = f"{{{{ event.occurred.{_CLOCK} }}}}"
_DUE = f"{{{{ (flow_run.expected_start_time or event.occurred).{_CLOCK} }}}}"
_ICONS = {
    Tier.WARNING: ":x:",
    Tier.CRITICAL: ":rotating_light:",
    Tier.P1: ":fire:",
    Tier.ESCALATION: ":mega:",
    Tier.RECOVERY: ":white_check_mark:",
    Tier.LATE: ":hourglass:",
    Tier.ALERTING: ":warning:",
}


@dataclass(frozen=True)
class Message:
    """A subject, and a body of labelled lines below one sentence."""

    tier: Tier
    subject: str
    sentence: str
    fields: tuple[tuple[str, str], ...]
    prelude: str = ""
    would_page: tuple[str, ...] = field(default=())

    def slack(self) -> tuple[str, str]:
        """Subject and body in Slack's markup."""
        body = [self.sentence, *(f"*{label}*: {text}" for label, text in self._fields())]
        icon = _ICONS.get(self.tier)
        subject = f"{icon} {self.subject}" if icon else self.subject
        return subject, self.prelude + "\n".join(body)

    def plain(self) -> tuple[str, str]:
        """Subject and body without markup, for PagerDuty."""
        body = [self.sentence, *(f"{label}: {text}" for label, text in self._fields())]
        return self.subject, self.prelude + "\n".join(body)

    def _fields(self) -> tuple[tuple[str, str], ...]:
        if not self.would_page:
            return self.fields
        return (*self.fields, ("Would page", constant("; ".join(self.would_page))))


class Messages:
    """The messages of one stack."""

    def __init__(self, settings: Settings) -> None:
        """Take from the settings what every message of the stack shares."""
        self._settings = settings
        self._ui_url = constant(ui_url_of(settings))
        self._prelude = directory_prelude(settings)

    def failure(self) -> Message:
        """One failed run."""
        return self._of_run(
            Tier.WARNING, "Pipeline failed: {{ flow.name }}", "{{ flow.name }} failed."
        )

    def streak(self, failures: int, within: timedelta) -> Message:
        """So many failures of one flow."""
        return self._of_run(
            Tier.CRITICAL,
            f"CRITICAL: {{{{ flow.name }}}} failed {failures} times",
            f"{{{{ flow.name }}}} failed {failures} times within {format_duration(within)}. "
            "This is the latest failure.",
        )

    def all_down(self, pipelines: Sequence[str]) -> Message:
        """Each of these failed: every listed pipeline, or of very many the most frequent."""
        count, listed = len(pipelines), len(self._settings.pipelines)
        which = f"all {count} pipelines"
        every = "Every listed pipeline"
        if count < listed:
            which = f"the {count} most frequent of {listed} pipelines"
            every = f"Each of {which}"
        names = ", ".join(pipelines[:_LISTED])
        more = f" and {count - _LISTED} more" if count > _LISTED else ""
        return self._of_run(
            Tier.P1,
            f"P1: {which} are down",
            f"{every} failed: {constant(names)}{more}. This is the last failure. "
            "Look for what they share: network, credentials, warehouse, workers.",
        )

    def step(self, to: str, after: timedelta) -> Message:
        """A failure that nobody mended in time."""
        subject = (
            f"ESCALATION to {constant(to)}: {{{{ flow.name }}}} has not recovered "
            f"in {format_duration(after)}"
        )
        return self._of_run(
            Tier.ESCALATION,
            subject,
            f"{{{{ flow.name }}}} failed {format_duration(after)} ago and has not succeeded since.",
        )

    def recovery(self) -> Message:
        """The first success after a failure."""
        return self._of_run(
            Tier.RECOVERY,
            "Recovered: {{ flow.name }}",
            "{{ flow.name }} completed for the first time since it failed.",
            error=False,
        )

    def late(self) -> Message:
        """A run that did not start."""
        return self._of_run(
            Tier.LATE,
            "Late to start: {{ flow.name }}",
            f"{{{{ flow.name }}}} should have started at {_DUE} and has not. "
            "Is a worker running for its work pool, and is its concurrency limit free?",
            error=False,
        )

    def work_pool(self) -> Message:
        """A work pool without a worker. There is no run to tell about."""
        return Message(
            Tier.P1,
            "P1: work pool {{ work_pool.name }} is not ready",
            "No worker has polled {{ work_pool.name }} for some minutes: none of its runs start. "
            "Start one: prefect worker start --pool '{{ work_pool.name }}'",
            (
                ("Owner", constant(self._settings.default_owner)),
                (
                    "Look",
                    f"{self._ui_url}/work-pools/work-pool/{{{{ work_pool.name | urlencode }}}}",
                ),
            ),
        )

    def _of_run(self, tier: Tier, subject: str, sentence: str, *, error: bool = True) -> Message:
        message = f"{{{{ (flow_run.state.message or 'none given') | truncate({_ERROR_LENGTH}) }}}}"
        fields = (
            ("Flow", "{{ flow.name }}"),
            ("Deployment", "{{ deployment.name if deployment else 'none, an ad hoc run' }}"),
            ("Run", "{{ flow_run.name }} ({{ flow_run.id }})"),
            ("State", f"{{{{ flow_run.state.name }}}} at {_TIME}"),
            *((("Error", message),) if error else ()),
            ("Owner", "{{ owner }}"),
            ("Runbook", "{{ runbook or 'none yet' }}"),
            ("Look", f"{self._ui_url}/runs/flow-run/{{{{ flow_run.id }}}}"),
        )
        return Message(tier, subject, sentence, fields, self._prelude)


def constant(text: str) -> str:
    """Text from the settings, kept from being read as a template."""
    return f"{{{{ {literal(text)} }}}}" if "{" in text else text
