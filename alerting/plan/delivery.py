"""Who a tier really reaches: its channels as far as they are set up, and whom it would page."""

from dataclasses import dataclass, replace

from alerting.plan.channel_kinds import AnyKind, kind_of
from alerting.plan.directory import constant
from alerting.plan.message import Message
from alerting.plan.names import names_of
from alerting.plan.rules import Notification
from alerting.settings import Settings
from alerting.settings.channels import PagerDutyChannel


@dataclass(frozen=True)
class Delivery:
    """Turns a message into one notification per channel that can be reached."""

    settings: Settings

    def kind(self, channel: str) -> AnyKind:
        """A channel, ready to be told."""
        declared = self.settings.channels[channel]
        block = names_of(self.settings).block(declared.block)
        return kind_of(channel, block, declared, self._color(channel))

    def is_pagerduty(self, channel: str) -> bool:
        """Whether a channel wakes somebody."""
        return isinstance(self.settings.channels[channel], PagerDutyChannel)

    def resolves(self, channel: str) -> bool:
        """Whether a channel has incidents that are closed by a message."""
        return self.is_pagerduty(channel) and self.kind(channel).resolves

    def closes(self, channel: str) -> bool:
        """Whether a channel has incidents that are closed by a message, and is set up."""
        return is_set_up(self.settings, channel) and self.resolves(channel)

    def quiet(self, notify: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the channels that wake nobody: Slack, and what stands beside it."""
        return tuple(c for c in notify if not self.is_pagerduty(c))

    def told_of_recovery(self) -> tuple[str, ...]:
        """Who hears that something is over: who heard of it on Slack."""
        tiers = self.settings.tiers
        return tiers.recovery.notify if tiers.recovery else self.warned_quietly()

    def told_of_silence(self) -> tuple[str, ...]:
        """Who hears that the alerting itself is down."""
        tiers = self.settings.tiers
        grave = (tier.notify for tier in (tiers.p1, tiers.critical, tiers.warning) if tier)
        return self.settings.sentinel.notify or next(grave)

    def told_of_drills(self) -> tuple[str, ...]:
        """Who hears of a drill: every quiet channel that hears of anything."""
        settings = self.settings
        tiers = [getattr(settings.tiers, name) for name in type(settings.tiers).model_fields]
        told = (*tiers, *settings.escalation, settings.sentinel, settings.daily_summary)
        lists = [each.notify for each in told if each]
        lists += [(own.slack,) for own in settings.owners.values() if own.slack]
        named = dict.fromkeys(channel for notify in lists for channel in notify or ())
        return settings.drill.notify or self.quiet(tuple(named))

    def warned_quietly(self) -> tuple[str, ...]:
        """Who hears of a failure on Slack; whoever hears of it, where nobody does on Slack."""
        notify = self.settings.tiers.warning.notify
        return self.quiet(notify) or notify

    def reached(self, notify: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the channels that are set up; where none is, who is told in their place."""
        return tuple(c for c in notify if is_set_up(self.settings, c)) or self._substitutes()

    def would_page(self, notify: tuple[str, ...], *, waking: str | None = None) -> str:
        """Whom the channels would page that are not set up, in words.

        `waking` says for whom a page is, where the channel's name does not.
        """
        return "; ".join(
            f"{waking or channel} (PagerDuty channel {channel} is not set up)"
            for channel in notify
            if not is_set_up(self.settings, channel)
        )

    def notifications(
        self, notify: tuple[str, ...], message: Message, *, waking: str | None = None
    ) -> tuple[Notification, ...]:
        """The message to each channel; Slack hears whom a PagerDuty that is not set up would page.

        The message's parts are templates.
        """
        told = constant(self.would_page(notify, waking=waking))
        message = replace(message, would_page=told)
        return tuple(
            self._through(channel, *message.template(self.kind(channel).form))
            for channel in self.reached(notify)
        )

    def announced(self, notify: tuple[str, ...]) -> tuple[Notification, ...]:
        """The message that an announcement of the sentinel brings in every form."""
        return tuple(
            self._through(channel, *(_brought(self.kind(channel).form.value)))
            for channel in self.reached(notify)
        )

    def _through(self, channel: str, subject: str, body: str) -> Notification:
        return Notification(channel, subject, body, self.kind(channel).through.key)

    def _substitutes(self) -> tuple[str, ...]:
        """Who hears of what nobody can be paged for: the gravest tier that Slack hears.

        Without any Slack it is whoever hears a warning, since that tier always reaches somebody.
        """
        tiers = self.settings.tiers
        critical = self.quiet(tiers.critical.notify) if tiers.critical else ()
        warned = tuple(c for c in tiers.warning.notify if is_set_up(self.settings, c))
        return critical or self.quiet(warned) or warned

    def _color(self, channel: str) -> str:
        """A colour bar follows the block, not the message: the gravest tier it hears decides."""
        tiers = self.settings.tiers
        grave = [tier.notify for tier in (tiers.critical, tiers.p1) if tier]
        grave += [step.notify for step in self.settings.escalation]
        if any(channel in notify for notify in grave):
            return "failure"
        owners = {own.slack for own in self.settings.owners.values()}
        wary = [tier.notify for tier in (tiers.warning, tiers.late, tiers.freshness) if tier]
        return "warning" if channel in owners or any(channel in each for each in wary) else "info"


def is_set_up(settings: Settings, channel: str) -> bool:
    """Whether a channel has the secret it needs. PagerDuty may come later."""
    return settings.channels[channel].secret is not None


def _brought(form: str) -> tuple[str, str]:
    message = f"event.payload.messages.{form}"
    return f"{{{{ {message}.subject }}}}", f"{{{{ {message}.body }}}}"
