"""Exchanges without an answer, bare HTTP statuses, and `Retry-After`."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.support.provider_kits import SECRET
from worker.answer import Reaction, Reason
from worker.providers import transport_answers
from worker.sender import Failing, NotReceived, Received


@pytest.mark.parametrize(
    ("kind", "reaction", "may_have_acted", "reason"),
    [
        (Failing.NOT_SENT, Reaction.TRANSIENT, False, None),
        (Failing.MISCONFIGURED, Reaction.ACCOUNT, False, None),
        (Failing.NO_ANSWER, Reaction.UNKNOWN, True, None),
        (Failing.UNREADABLE, Reaction.UNKNOWN, True, Reason.UNREADABLE_ANSWER),
    ],
)
def test_how_a_failed_exchange_reads(kind, reaction, may_have_acted, reason):
    answer = transport_answers.of_failure(NotReceived(kind, "what happened"), secret=SECRET)

    assert (answer.reaction, answer.may_have_acted, answer.reason) == (reaction, may_have_acted, reason)
    assert answer.code is None
    assert answer.provider_status == {"transport": "what happened"}
    assert answer.unsent is (kind in {Failing.NOT_SENT, Failing.MISCONFIGURED})


def test_every_kind_of_failure_has_a_reading():
    assert all(transport_answers.of_failure(NotReceived(kind, ""), secret=SECRET) for kind in Failing)


def test_what_had_come_of_a_failed_exchange_is_told():
    begun = Received(200, {"content-type": "text/xml"}, f"<a>{SECRET} and".encode(), "OK")

    answer = transport_answers.of_failure(NotReceived(Failing.NO_ANSWER, "cut", begun), secret=SECRET)

    assert answer.excerpt == f"HTTP 200 OK, text/xml, {len(begun.body)} bytes: <a>… and"


@pytest.mark.parametrize(
    ("status", "reaction", "may_have_acted"),
    [
        (429, Reaction.TRANSIENT, False),
        (503, Reaction.TRANSIENT, True),
        (500, Reaction.UNKNOWN, True),
        (502, Reaction.UNKNOWN, True),
        (504, Reaction.UNKNOWN, True),
        *((status, Reaction.TRANSIENT, False) for status in (301, 307, 308)),
        *(
            (status, Reaction.TRANSIENT, False)
            for status in (401, 404, 405, 407, 411, 413, 414, 415, 417, 421, 426, 431)
        ),
    ],
)
def test_how_a_bare_http_status_reads(status, reaction, may_have_acted):
    answer = transport_answers.of_status(Received(status))

    assert answer is not None
    assert (answer.reaction, answer.may_have_acted) == (reaction, may_have_acted)
    assert answer.provider_status == {"http": str(status)}


@pytest.mark.parametrize(
    "status",
    [200, 201, 204, 300, 302, 303, 304, 305, 400, 402, 403, 406, 408, 409, 410, 416, 418, 422, 451, 501, 520, 600],
)
def test_other_statuses_are_left_to_the_adapter(status):
    assert transport_answers.of_status(Received(status)) is None


@pytest.mark.parametrize(
    ("value", "hold_s"),
    [
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("3600", 3_600),
        ("3601", 3_600),
        ("9" * 5_000, 3_600),
        ("-5", 0),
        ("1.5", 0),
        ("1e3", 0),
        ("٣", 0),
        ("soon", 0),
        ("", 0),
        ("7, 9", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600),
        ("Wed, 99 Foo 2015 99:99:99 GMT", 0),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_capped_and_garbage_is_ignored(status, value, hold_s):
    answer = transport_answers.of_status(Received(status, {"retry-after": value}))

    assert answer is not None
    assert answer.hold_account_s == hold_s


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_retry_after_may_be_a_date(zone):
    at = datetime.now(UTC) + timedelta(minutes=10)
    value = format_datetime(at, usegmt=True).replace("GMT", zone)

    answer = transport_answers.of_status(Received(503, {"retry-after": value}))

    assert answer is not None
    assert 580 < answer.hold_account_s <= 600


def test_an_inquiry_never_marks_that_something_was_done():
    answer = transport_answers.of_failure(NotReceived(Failing.NO_ANSWER, ""), secret=SECRET)

    assert not transport_answers.of_inquiry(answer).may_have_acted
