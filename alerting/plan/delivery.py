"""Who a tier really reaches: its channels as far as they are set up, and whom it would page."""

from dataclasses import dataclass, replace

from alerting.plan.messages import Message
from alerting.plan.rules import Notification
from alerting.settings import Settings
from alerting.settings.models import PagerDutyChannel, SlackChannel


@dataclass(frozen=True)
class Delivery:
    """Turns a message into one notification per channel that can be reached."""

    settings: Settings

    def slack_of(self, notify: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the channels that are Slack's."""
        return tuple(c for c in notify if isinstance(self.settings.channels[c], SlackChannel))

    def told_of_recovery(self) -> tuple[str, ...]:
        """Who hears that something is over: who heard of it on Slack."""
        tiers = self.settings.tiers
        return tiers.recovery.notify if tiers.recovery else self.warned_on_slack()

    def told_of_silence(self) -> tuple[str, ...]:
        """Who hears that the alerting itself is down."""
        tiers = self.settings.tiers
        grave = (tier.notify for tier in (tiers.p1, tiers.critical, tiers.warning) if tier)
        return self.settings.sentinel.notify or next(grave)

    def told_of_drills(self) -> tuple[str, ...]:
        """Who hears of a drill: every Slack channel that hears of anything."""
        settings = self.settings
        tiers = [getattr(settings.tiers, name) for name in type(settings.tiers).model_fields]
        lists = [told.notify for told in (*tiers, *settings.escalation, settings.sentinel) if told]
        named = dict.fromkeys(channel for notify in lists for channel in notify or ())
        return settings.drill.notify or self.slack_of(tuple(named))

    def warned_on_slack(self) -> tuple[str, ...]:
        """Who hears of a failure on Slack; whoever hears of it, where nobody does on Slack."""
        notify = self.settings.tiers.warning.notify
        return self.slack_of(notify) or notify

    def notifications(
        self, notify: tuple[str, ...], message: Message, *, waking: str | None = None
    ) -> tuple[Notification, ...]:
        """The message to each channel; Slack hears whom a PagerDuty that is not set up would page.

        `waking` says for whom a page is, where the channel's name does not.
        """
        missing = tuple(c for c in notify if not is_set_up(self.settings, c))
        reached = tuple(c for c in notify if c not in missing) or self._substitutes()
        message = replace(
            message,
            would_page=tuple(
                f"{waking or channel} (PagerDuty channel {channel} is not set up)"
                for channel in missing
            ),
        )
        return tuple(self._notification(channel, message) for channel in reached)

    def _substitutes(self) -> tuple[str, ...]:
        """Who hears of what nobody can be paged for: the gravest tier that Slack hears.

        Without any Slack it is whoever hears a warning, since that tier always reaches somebody.
        """
        tiers = self.settings.tiers
        critical = self.slack_of(tiers.critical.notify) if tiers.critical else ()
        warned = tuple(c for c in tiers.warning.notify if is_set_up(self.settings, c))
        return critical or self.slack_of(warned) or warned

    def _notification(self, channel: str, message: Message) -> Notification:
        is_slack = isinstance(self.settings.channels[channel], SlackChannel)
        subject, body = message.slack() if is_slack else message.plain()
        return Notification(channel, subject, body)


def is_set_up(settings: Settings, channel: str) -> bool:
    """Whether a channel has the secret it needs. PagerDuty may come later."""
    declared = settings.channels[channel]
    return not (isinstance(declared, PagerDutyChannel) and declared.secret is None)
