"""Where this project keeps what it can make again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder below XDG_CACHE_HOME, by default ~/.cache. It may not exist yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "data-alerts"
