from datetime import UTC
from pathlib import Path

import pytest

from sandbox.capture.messages import CapturedMessage, MessageLog, Service, read_messages

pytestmark = pytest.mark.tools


def message(text: str = "hello") -> CapturedMessage:
    return CapturedMessage(
        service=Service.SLACK,
        host="hooks.slack.com",
        channel="#alerts",
        status_code=200,
        answer="ok",
        title="title",
        text=text,
        payload={"text": text},
    )


def test_messages_are_read_back_as_they_were_written_the_oldest_first(tmp_path: Path) -> None:
    written = [message("a\nb"), message("\u2028 and \x85"), message("ä")]
    log = MessageLog(tmp_path)
    for each in written:
        log.append(each)
    assert read_messages(tmp_path) == written == log.messages()


def test_a_message_has_an_id_of_its_own_and_a_time_in_utc() -> None:
    first, second = message(), message()
    assert first.id != second.id
    assert first.received_at.tzinfo is UTC
    assert first.received_at <= second.received_at


def test_there_are_no_messages_before_the_first(tmp_path: Path) -> None:
    assert read_messages(tmp_path) == []


def test_a_line_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    MessageLog(tmp_path).append(message())
    (file,) = tmp_path.iterdir()
    with file.open("a") as unfinished:
        unfinished.write('{"id": "x", "te')
    assert len(read_messages(tmp_path)) == 1
