"""Prefect imported for the engine alone: quickly, and with the settings of a fresh server."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.settings import Settings

_HOME = Path(tempfile.gettempdir())
_FRESH = {
    # It exists, so Prefect makes no folder of its own; nothing is ever written there.
    "PREFECT_HOME": str(_HOME),
    "PREFECT_PROFILES_PATH": str(_HOME / "no-prefect-profiles.toml"),
    "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect.server.events.ordering.memory",
    "PREFECT_SERVER_EVENTS_EXPIRED_BUCKET_BUFFER": "PT60S",
    "DO_NOT_TRACK": "1",
}


def fresh_settings() -> "Settings":
    """The settings of a server that nobody configured; imports Prefect where that is still to do.

    Neither the user's profile nor the environment counts. The first import in a process decides on
    Prefect's global settings, so a process that goes on to use Prefect for something else imports
    it before.
    """
    is_first = "prefect" not in sys.modules
    with _fresh_environment(), _without_collections(), _without_pytest():
        from prefect.settings import Settings, get_current_settings  # noqa: PLC0415

        # It imports the rest of Prefect that is needed.
        import alerting.scenarios.engine  # noqa: F401, PLC0415

        return get_current_settings() if is_first else Settings()


@contextmanager
def _fresh_environment() -> Iterator[None]:
    saved = dict(os.environ)
    for key in [key for key in os.environ if key.startswith("PREFECT_")]:
        del os.environ[key]
    os.environ.update(_FRESH)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


@contextmanager
def _without_collections() -> Iterator[None]:
    """No looking for garbage among what imports make to stay: it takes a tenth of their time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextmanager
def _without_pytest() -> Iterator[None]:
    """No import of pytest by the clock, for one class: that is a sixteenth of the time."""
    if "pytest" in sys.modules:
        yield
        return
    # Python's way to say that there is none; it makes the import fail, which the clock expects.
    sys.modules["pytest"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["pytest"]
