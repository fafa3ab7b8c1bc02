"""How the property-based tests are played."""

from hypothesis import HealthCheck, settings

# The same examples each time, or a build would fail for reasons of its own.
settings.register_profile(
    "properties",
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("properties")
