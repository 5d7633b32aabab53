"""Solución Factible: the acuse as a part of its own (MTOM, SOAP with attachments)."""

import base64

import pytest

from tests.support.fake_sender import FakeSender
from tests.support.provider_kits import SOLUCION_FACTIBLE, UUID, credentials, sf_account
from tests.support.wrapping import XOP, Part, multipart, related, root
from worker.answer import Answer, Reaction, Reason
from worker.providers.solucion_factible.adapter import SolucionFactible
from worker.sender import Received

ACUSE = (
    f'<?xml version="1.0" encoding="utf-8"?>\r\n<Acuse RfcEmisor="ÑÑÑ010101AAA"><Folios><UUID>{UUID}</UUID>'
    "<EstatusUUID>202</EstatusUUID></Folios></Acuse>\r\n"
).encode()
CID = "1.acuse@apache.org"


def envelope(acuse: str, status: int = 200) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><n:r xmlns:n="n"><n:return>'
        f"{acuse}<n:mensaje>Sí</n:mensaje><n:status>{status}</n:status></n:return></n:r></s:Body></s:Envelope>"
    ).encode()


def include(href: str = f"cid:{CID}") -> str:
    return f'<n:acuseSat><xop:Include href="{href}" xmlns:xop="{XOP}"/></n:acuseSat>'


def part(content: bytes = ACUSE, *, cid: str = f"<{CID}>", transfer: str = "binary", line: bytes = b"\r\n") -> Part:
    kind = {"Content-Type": "application/octet-stream", "Content-Transfer-Encoding": transfer, "Content-ID": cid}
    return Part(content, kind, line)


def cancel(body: bytes, *, content_type: str | None = None, status: int = 200) -> Answer:
    received = Received(status, {"content-type": content_type or related()}, body)
    return SolucionFactible(sf_account(), FakeSender(received)).cancel(SOLUCION_FACTIBLE.request, credentials())


def assert_cancelled(answer: Answer) -> None:
    assert (answer.reaction, answer.reason, answer.warnings) == (Reaction.CANCELLED, Reason.ALREADY_CANCELLED, ())
    assert answer.evidence is not None
    assert answer.evidence.content == ACUSE


def assert_unreadable(answer: Answer) -> None:
    assert (answer.reaction, answer.reason) == (Reaction.UNKNOWN, Reason.UNREADABLE_ANSWER)
    assert answer.may_have_acted
    assert answer.evidence is None


@pytest.mark.parametrize("transfer", ["binary", "8bit", "7bit", "base64", "BASE64", "quoted-printable", "x-unknown"])
def test_the_acuse_s_part_is_kept_byte_for_byte(transfer):
    assert_cancelled(cancel(multipart(root(envelope(include())), part(transfer=transfer))))


def test_a_recorded_acuse_of_its_own_is_kept_byte_for_byte():
    body = SOLUCION_FACTIBLE.path("cancelled-mtom.mime").read_bytes()
    header, _, rest = body.partition(b"\r\n")

    answer = cancel(rest, content_type=header.decode().removeprefix("Content-Type: "))

    assert answer.reaction is Reaction.CANCELLED
    assert answer.evidence is not None
    assert answer.evidence.content == rest.split(b"\r\n\r\n")[2].split(b"\r\n--")[0]


@pytest.mark.parametrize(
    ("href", "cid"),
    [
        (f"cid:{CID}", CID),
        (f"CID:{CID}", f" <{CID}> "),
        (f" cid:{CID} ", f"<{CID}>"),
        (f"cid:&lt;{CID}&gt;", CID),
        (f"cid:%3C{CID}%3E", f"<{CID}>"),
        ("cid:1.acuse%40apache.org", f"<{CID}>"),
        (f"cid:{CID}", "<1.acuse%40apache.org>"),
        ("cid:uuid-1@http%3A%2F%2Fcxf.apache.org", "<uuid-1@http://cxf.apache.org>"),
        ("cid:a%2541", "<a%41>"),
    ],
)
def test_a_reference_may_be_written_in_any_way(href, cid):
    assert_cancelled(cancel(multipart(root(envelope(include(href))), part(cid=cid))))


@pytest.mark.parametrize(
    "acuse", [f'<n:acuseSat href="cid:{CID}"/>', f"<n:acuseSat>cid:{CID}</n:acuseSat>", include().replace("xop", "inc")]
)
def test_the_acuse_may_be_an_attachment(acuse):
    assert_cancelled(cancel(multipart(root(envelope(acuse)), part())))


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    "content_type",
    [
        related(start="<0.root@apache.org>"),
        related(start="0.root@apache.org"),
        related().replace('"MIMEBoundary_0a1b2c3d"', "MIMEBoundary_0a1b2c3d"),
        related().replace("boundary", "Boundary").replace("multipart/related", " Multipart/Related "),
        'multipart/related; type="a;boundary=no"; boundary="MIMEBoundary_0a1b2c3d"',
        "multipart/related",
        "multipart/mixed; boundary=of-somebody-else",
        "text/xml",
    ],
)
def test_the_parts_are_found_by_header_or_by_their_first_line(line, content_type):
    parts = (Part(envelope(include()), root(b"").headers, line), part(line=line))

    assert_cancelled(cancel(multipart(*parts, line=line), content_type=content_type))


@pytest.mark.parametrize("boundary", ["----=_Part_12_34.56", "uuid:1+id=2", "a b", "(a)?.*", "--", "'"])
def test_a_boundary_may_hold_any_characters(boundary):
    body = multipart(root(envelope(include())), part(), boundary=boundary)

    assert_cancelled(cancel(body, content_type=related(boundary)))


def test_start_says_which_part_is_the_document():
    body = multipart(part(), root(envelope(include())))

    assert_cancelled(cancel(body, content_type=related(start="<0.root@apache.org>")))
    assert_unreadable(cancel(body))


def test_there_may_be_text_around_the_parts():
    body = b"This is a MIME message.\r\n" + multipart(root(envelope(include())), part()) + b"the end\r\n"

    assert_cancelled(cancel(body))
    assert_cancelled(cancel(b"\r\n\0" + multipart(root(envelope(include())), part()) + b"\0\0"))


def test_a_boundary_s_line_may_end_in_blanks():
    body = multipart(root(envelope(include())), part()).replace(b"0a1b2c3d\r\n", b"0a1b2c3d \t\r\n")

    assert_cancelled(cancel(body))


def test_a_part_may_end_in_line_breaks_of_its_own():
    for ending in (b"\n", b"\r\n", b"\r", b"\r\n\r\n", b"\n--", b"\r\n--MIME"):
        answer = cancel(multipart(root(envelope(include())), part(ACUSE + ending)))

        assert answer.evidence is not None
        assert answer.evidence.content == ACUSE + ending


def test_an_acuse_in_another_encoding_stays_as_it_is():
    latin_1 = ACUSE.decode().replace("utf-8", "iso-8859-1").encode("latin-1")

    answer = cancel(multipart(root(envelope(include())), part(latin_1)))

    assert answer.evidence is not None
    assert answer.evidence.content == latin_1


def test_an_acuse_of_base64_in_its_part_is_read():
    assert_cancelled(cancel(multipart(root(envelope(include())), part(base64.b64encode(ACUSE)))))


def test_an_empty_part_is_no_acuse():
    answer = cancel(multipart(root(envelope(include())), part(b"\r\n")))

    assert (answer.reaction, answer.evidence) == (Reaction.CANCELLED, None)


@pytest.mark.parametrize(
    "body",
    [
        multipart(root(envelope(include())), part(), closed=False),
        multipart(root(envelope(include())), part())[:-5],
        multipart(root(envelope(include())), part())[:-40],
        multipart(root(envelope(include()))),
        multipart(root(envelope(include())), part(cid="<another@apache.org>")),
        multipart(root(envelope(include())), part(), part(ACUSE.replace(b"202", b"205"))),
        multipart(root(envelope(include())), Part(b"not base64!", part(transfer="base64").headers)).replace(
            b"bm90IGJhc2U2NCE=", b"not base64!"
        ),
        multipart(root(envelope(include())[:-9]), part()),
        multipart(root(envelope(include("http://example.invalid/acuse"))), part()),
        multipart(root(envelope(include("").replace('href=""', ""))), part()),
        multipart(),
        multipart(Part(b"")),
        multipart(*[root(envelope(include()))] * 200),
        envelope(include()),
        envelope(include("cid:")),
        b"--\r\n--\r\n----",
    ],
    ids=lambda body: repr(body[-40:]),
)
def test_what_is_cut_or_lacks_a_part_is_unknown(body):
    assert_unreadable(cancel(body))


def test_a_refusal_that_is_cut_is_no_refusal():
    body = multipart(root(envelope("", status=204)))

    assert cancel(body).reaction is Reaction.REJECTED
    assert_unreadable(cancel(body[:-6]))


def test_words_that_begin_like_a_reference_are_words():
    answer = cancel(envelope("", status=204).replace(b"S\xc3\xad", b"cid: desconocido"), content_type="text/xml")

    assert (answer.reaction, answer.message) == (Reaction.REJECTED, "cid: desconocido")
