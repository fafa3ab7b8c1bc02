"""Where silences and maintenance windows are read from."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import PrefectClient

from alerting.observing.silences import Silence
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silences
from alerting.silences.store import read_silences

SHOWN = timedelta(days=7)
"""How far back and ahead silences are shown."""


async def stored_silences(client: PrefectClient, settings: PublishedSettings) -> Sequence[Silence]:
    """Those of the stack that are past, present and to come. Raises httpx.HTTPError."""
    if settings.sentinel is None:
        return ()
    now = datetime.now(UTC)
    added = await read_silences(client, settings.sentinel.scope)
    silences = Silences(added, settings.sentinel.maintenance)
    return [*silences.running(now - SHOWN), *silences.coming(now - SHOWN, now + SHOWN)]
