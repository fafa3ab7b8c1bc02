"""What each tier says. Jinja templates that Prefect renders on its server.

Prefect renders an undefined name as nothing and reports success, so every template here is
rendered in tests with undefined names as errors. Links are bare: Prefect's Slack block escapes
`<`, which breaks `<url|text>`.
"""

from collections.abc import Sequence
from datetime import timedelta

from alerting.plan.directory import PIPELINE, constant, directory_prelude
from alerting.plan.incidents import ALERTING, ALL_DOWN, IncidentKeys
from alerting.plan.message import LEFT, RIGHT, Incident, Message
from alerting.plan.names import names_of, ui_url_of
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


class Messages:
    """The messages of one stack."""

    def __init__(self, settings: Settings, stack: str) -> None:
        """Take from the settings what every message of the stack shares."""
        self._settings = settings
        self._keys = IncidentKeys(names_of(settings).scope(stack))
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
            incident=self._keys.of(ALL_DOWN),
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
            over=True,
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

    def work_pool(self, *, over: bool = False) -> Message:
        """A work pool without a worker, or with one again. There is no run to tell about."""
        subject = "P1: work pool {{ work_pool.name }} is not ready"
        sentence = (
            "No worker has polled {{ work_pool.name }} for some minutes: none of its runs start. "
            "Start one: prefect worker start --pool '{{ work_pool.name }}'"
        )
        if over:
            subject = "Ready again: work pool {{ work_pool.name }}"
            sentence = "A worker polls {{ work_pool.name }} again."
        look = f"{self._ui_url}/work-pools/work-pool/{{{{ work_pool.name | urlencode }}}}"
        return Message(
            Tier.RECOVERY if over else Tier.P1,
            subject,
            sentence,
            (("Owner", constant(self._settings.default_owner)), ("Look", look)),
            self._keys.of("work-pool/{{ work_pool.name }}", "{{ work_pool.name }}", over=over),
        )

    def silent(self) -> Message:
        """The sentinel has not been heard of."""
        lasting = format_duration(self._settings.sentinel.silent_for)
        return self._of_alerting(
            "Alerting itself is down: the sentinel is silent",
            f"Nothing was heard of the sentinel for {lasting}. Prefect's own triggers now alert "
            "in its place: they cannot count consecutive failures. Start it: alertctl sentinel run",
        )

    def heard_again(self) -> Message:
        """The sentinel is back."""
        return self._of_alerting(
            "Alerting is back: the sentinel is heard again",
            "The sentinel judges again, and Prefect's own triggers are paused.",
            over=True,
        )

    def _of_alerting(self, subject: str, sentence: str, *, over: bool = False) -> Message:
        fields = (
            ("Owner", constant(self._settings.default_owner)),
            ("Look", f"{self._ui_url}/events"),
        )
        incident = self._keys.of(ALERTING, over=over)
        return Message(Tier.ALERTING, subject, sentence, fields, incident)

    def _of_run(
        self,
        tier: Tier,
        subject: str,
        sentence: str,
        *,
        error: bool = True,
        over: bool = False,
        incident: Incident | None = None,
    ) -> Message:
        # See `harmless`: an error may hold what would be a mention.
        message = (
            f"{{{{ (flow_run.state.message or 'none given') | truncate({_ERROR_LENGTH})"
            f" | replace('<', '{LEFT}') | replace('>', '{RIGHT}') }}}}"
        )
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
        incident = incident or self._keys.of_pipeline(f"{{{{ {PIPELINE} }}}}", over=over)
        return Message(tier, subject, sentence, fields, incident, self._prelude)
