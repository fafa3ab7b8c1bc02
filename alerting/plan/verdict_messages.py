"""What each tier says of the sentinel's verdicts. Jinja templates that Prefect renders.

A verdict brings all that is said of it in its payload, so these templates name no pipeline, look
nothing up, and stay the same when a pipeline is added.
"""

from datetime import timedelta

from alerting.plan.messages import Message, constant
from alerting.plan.names import ui_url_of
from alerting.plan.rules import Tier
from alerting.settings import Settings
from alerting.settings.durations import format_duration

_FLOW = "{{ event.payload.flow }}"
_ERROR = ("Error", "{{ event.payload.error }}")
_SINCE = "since {{ event.payload.first }}"


class VerdictMessages:
    """The messages of one stack."""

    def __init__(self, settings: Settings) -> None:
        """Take from the settings what every message of the stack shares."""
        self._settings = settings
        self._ui_url = constant(ui_url_of(settings))

    def failure(self) -> Message:
        """One failed run."""
        return self._of_run(Tier.WARNING, f"Pipeline failed: {_FLOW}", f"{_FLOW} failed.")

    def streak(self) -> Message:
        """So many failures in a row."""
        times = "{{ event.payload.failures }} times in a row"
        return self._of_run(
            Tier.CRITICAL,
            f"CRITICAL: {_FLOW} failed {times}",
            f"{_FLOW} failed {times}, {_SINCE}. This is the latest failure.",
        )

    def all_down(self) -> Message:
        """The last run of every listed pipeline failed."""
        count = "{{ event.payload.count }}"
        return self._of_run(
            Tier.P1,
            f"P1: all {count} pipelines are down",
            "The last run of every listed pipeline failed: {{ event.payload.pipelines }}. This is "
            "the last failure. Look for what they share: network, credentials, warehouse, workers.",
        )

    def step(self, to: str, after: timedelta) -> Message:
        """A failure that nobody mended in time."""
        lasting = format_duration(after)
        return self._of_run(
            Tier.ESCALATION,
            f"ESCALATION to {constant(to)}: {_FLOW} has not recovered in {lasting}",
            f"{_FLOW} has been failing {_SINCE} and has not succeeded in {lasting}. This is the "
            "latest failure.",
        )

    def recovery(self) -> Message:
        """The first success after a failure."""
        return self._of_run(
            Tier.RECOVERY,
            f"Recovered: {_FLOW}",
            f"{_FLOW} completed. It had been failing {_SINCE}, "
            "{{ event.payload.failures }} time(s) in a row.",
            error=False,
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
        )

    def _of_alerting(self, subject: str, sentence: str) -> Message:
        fields = (
            ("Owner", constant(self._settings.default_owner)),
            ("Look", f"{self._ui_url}/events"),
        )
        return Message(Tier.ALERTING, subject, sentence, fields)

    def _of_run(self, tier: Tier, subject: str, sentence: str, *, error: bool = True) -> Message:
        fields = (
            ("Flow", _FLOW),
            ("Deployment", "{{ event.payload.deployment or 'none, an ad hoc run' }}"),
            ("Run", "{{ event.payload.run }} ({{ event.payload.run_id }})"),
            ("State", "{{ event.payload.state }} at {{ event.payload.time }}"),
            *((_ERROR,) if error else ()),
            ("Owner", "{{ event.payload.owner }}"),
            ("Runbook", "{{ event.payload.runbook or 'none yet' }}"),
            ("Look", f"{self._ui_url}/runs/flow-run/{{{{ event.payload.run_id }}}}"),
        )
        return Message(tier, subject, sentence, fields)
