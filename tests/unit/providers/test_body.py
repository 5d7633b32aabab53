"""Whatever an answer comes in, it is opened or given up, and nothing fails."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wrapping import Part, multipart, related, root
from worker.providers import compression
from worker.providers import multipart as parts
from worker.providers.body import unwrapped
from worker.sender import MAX_BODY_BYTES, Received

HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(["text/xml", "multipart/related", related(), "a/b; charset=utf-16"])
        | st.text(),
        "content-encoding": st.sampled_from(["gzip", "deflate", "br", "gzip, deflate"]) | st.text(),
    },
)
PIECES = st.lists(
    st.sampled_from(
        [b"--MIMEBoundary_0a1b2c3d", b"--", b"\r\n", b"\n\n", b"Content-ID: <a>", b"<a/>", b"{}", b"\0", b"\xe9"]
    )
    | st.binary(max_size=5)
    | st.binary(max_size=30).map(gzip.compress)
).map(b"".join)


@given(HEADERS, PIECES | PIECES.map(gzip.compress) | PIECES.map(zlib.compress))
def test_nothing_fails(headers, content):
    body = unwrapped(Received(200, headers, content))

    body.text.encode("utf-8")
    assert body.is_text in {True, False}
    assert body.referred("cid:a") is None or body.problem is None


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"])).map(lambda text: f"<{text}>"))
def test_what_is_wrapped_comes_out_as_it_was(text):
    content = text.encode()
    for wrapped in (content, gzip.compress(content), zlib.compress(content), multipart(root(content))):
        assert unwrapped(Received(200, {}, wrapped)).text == text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (gzip.compress(b"<a/>" * 99)[:-1], compression.CUT),
        (gzip.compress(b"<a/>" * 99)[:15], compression.CUT),
        (gzip.compress(b"<a/>") + b"garbage", compression.CUT),
        (gzip.compress(b"<a/>").replace(b"\x1f\x8b\x08", b"\x1f\x8b\x09"), compression.CUT),
        (gzip.compress(b"") * 1_000, compression.CUT),
        (gzip.compress(gzip.compress(b" " * (MAX_BODY_BYTES + 1))), compression.TOO_LONG),
        (multipart(root(b"<a/>"), closed=False), parts.CUT),
        (multipart(*[Part(b"<a/>")] * 101), parts.CUT),
        (multipart(), parts.CUT),
    ],
    ids=range(9),
)
def test_what_is_not_whole_says_why(content, problem):
    assert unwrapped(Received(200, {"content-type": related()}, content)).problem == problem


def test_what_can_be_seen_of_a_cut_answer_is_seen():
    packed = gzip.compress(bytes(range(40, 90)) * 200)

    assert unwrapped(Received(200, {}, packed[: len(packed) // 2])).text.startswith("()*+,-./0123")


def test_bytes_after_a_member_may_be_blank():
    assert unwrapped(Received(200, {}, gzip.compress(b"<a/>") + b"\0\0\r\n")).text == "<a/>"


def test_what_is_packed_without_end_is_not_followed():
    content = b"<a/>"
    for _ in range(5):
        content = gzip.compress(content)

    body = unwrapped(Received(200, {}, content))

    assert body.text != "<a/>"
    assert not body.is_text


def test_a_part_s_headers_may_be_folded_and_in_any_case():
    head = b"content-TYPE: text/xml;\r\n charset=iso-8859-15\r\nCONTENT-transfer-encoding:\r\n\tbase64\r\n\r\nPGE+pDwvYT4=\r\n"

    assert unwrapped(Received(200, {}, b"--b\r\n" + head + b"--b--")).text == "<a>€</a>"
