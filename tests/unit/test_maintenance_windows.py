"""Maintenance windows in stack configuration."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from alerting.settings.maintenance import MaintenanceWindow

pytestmark = pytest.mark.unit

SUNDAYS: dict[str, Any] = {
    "cron": "0 2 * * 0",
    "timeZone": "Europe/London",
    "duration": "2h",
    "reason": "the warehouse is patched",
}


def test_a_window_is_read_from_the_keys_of_a_stack_file() -> None:
    window = MaintenanceWindow.model_validate({**SUNDAYS, "pipelines": ["orders"]})
    assert window.time_zone == "Europe/London"
    assert window.duration == timedelta(hours=2)
    assert window.pipelines == ("orders",)
    assert MaintenanceWindow.model_validate(SUNDAYS).pipelines == ()


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"cron": "0 25 * * 0"}, "cron", "expected a cron expression such as"),
        ({"timeZone": "London"}, "timeZone", "expected a time zone such as Europe/London"),
        ({"duration": "two hours"}, "duration", "expected a duration such as"),
        ({"duration": "168h"}, "duration", "would never end. Expected less than 7d"),
        ({"cron": "*/30 * * * *", "duration": "30m"}, "duration", "Expected less than 30m"),
        ({"cron": "0 0 1 1 *", "duration": "31d"}, "duration", "expected at most 30d"),
        ({"pipelines": []}, "pipelines", "Leave it out for all pipelines"),
        ({"pipelines": ["a/b"]}, "pipelines", "expected one name as Prefect has it"),
        ({"reason": " "}, "reason", "not blank"),
        ({"timezone": "UTC"}, "timezone", "Extra inputs"),
    ],
)
def test_what_is_wrong_with_a_window_is_said_where_it_is(
    change: dict[str, Any], path: str, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        MaintenanceWindow.model_validate({**SUNDAYS, **change})
    [problem] = caught.value.errors()
    assert problem["loc"][0] == path
    assert said in problem["msg"]


@pytest.mark.parametrize("duration", ["167h", "1m"])
def test_a_window_that_ends_before_the_next_begins_is_taken(duration: str) -> None:
    assert MaintenanceWindow.model_validate({**SUNDAYS, "duration": duration})
