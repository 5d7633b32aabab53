"""A clear answer is not lost to its letters or its wrapping, and what is not whole is never taken for one."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from tests.support.http_server import HttpServer, reply
from tests.support.provider_kits import KITS, SECRET, Kit, credentials
from tests.support.wrapping import multipart, related, root
from worker.answer import Answer, Reaction, Reason
from worker.providers.base import Adapter, Inquirer
from worker.sender import MAX_BODY_BYTES, Limits, Sender

WORDS = "Rejeição: não é possível – «año» 5 €"


@dataclass(frozen=True)
class Wrapping:
    """One way in which an answer comes; `{}` in its headers is the provider's own content type."""

    name: str
    wrap: Callable[[bytes], bytes]
    headers: dict[str, str]


def in_letters(encoding: str) -> Callable[[bytes], bytes]:
    return lambda body: body.decode().encode(encoding)


def deflated(body: bytes, wbits: int) -> bytes:
    packing = zlib.compressobj(wbits=wbits)
    return packing.compress(body) + packing.flush()


def in_one_part(body: bytes, *, transfer: str) -> bytes:
    return multipart(root(body, transfer=transfer))


PLAIN = {"Content-Type": "{}"}
WRAPPINGS = [
    Wrapping("Windows-1252, declared", in_letters("cp1252"), {"Content-Type": "{}; charset=windows-1252"}),
    Wrapping("Windows-1252, declared as Latin-1", in_letters("cp1252"), {"Content-Type": '{}; charset="ISO-8859-1"'}),
    Wrapping("Windows-1252, declared as UTF-8", in_letters("cp1252"), {"Content-Type": "{}; charset=utf-8"}),
    Wrapping("Windows-1252, not declared", in_letters("cp1252"), PLAIN),
    Wrapping("UTF-8, declared as Latin-1", lambda body: body, {"Content-Type": "{}; charset=iso-8859-1"}),
    Wrapping("UTF-8, declared as UTF-16", lambda body: body, {"Content-Type": "{}; charset=utf-16"}),
    Wrapping("UTF-8, declared as nonsense", lambda body: body, {"Content-Type": "{}; charset=x-unknown"}),
    Wrapping("no content type", lambda body: body, {}),
    Wrapping("UTF-16 with a mark", in_letters("utf-16"), {"Content-Type": "{}; charset=utf-16"}),
    Wrapping("UTF-16 without a mark, not declared", in_letters("utf-16-le"), PLAIN),
    Wrapping("UTF-16, declared as UTF-8", in_letters("utf-16-be"), {"Content-Type": "{}; charset=utf-8"}),
    Wrapping("a mark first", in_letters("utf-8-sig"), PLAIN),
    Wrapping("two marks and blanks first", lambda body: b"\r\n\t \xef\xbb\xbf\xef\xbb\xbf" + body, PLAIN),
    Wrapping("NULs around", lambda body: b"\0\0" + body.strip() + b"\r\n\0\0\0", PLAIN),
    Wrapping("gzip", gzip.compress, {**PLAIN, "Content-Encoding": "gzip"}),
    Wrapping("gzip in capitals", gzip.compress, {**PLAIN, "Content-Encoding": "X-GZIP"}),
    Wrapping("gzip, not declared", gzip.compress, PLAIN),
    Wrapping("gzip in two members", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:]), PLAIN),
    Wrapping(
        "gzip twice", lambda body: gzip.compress(gzip.compress(body)), {**PLAIN, "Content-Encoding": "gzip, gzip"}
    ),
    Wrapping("declared as gzip, but plain", lambda body: body, {**PLAIN, "Content-Encoding": "gzip"}),
    Wrapping("deflate", zlib.compress, {**PLAIN, "Content-Encoding": "deflate"}),
    Wrapping("deflate, not declared", zlib.compress, PLAIN),
    Wrapping("bare deflate", lambda body: deflated(body, -15), {**PLAIN, "Content-Encoding": "deflate"}),
    Wrapping("an encoding of letters as content encoding", lambda body: body, {**PLAIN, "Content-Encoding": "utf-8"}),
    Wrapping("one part", lambda body: multipart(root(body)), {"Content-Type": related(start="<0.root@apache.org>")}),
    Wrapping(
        "one part, boundary not declared", lambda body: multipart(root(body)), {"Content-Type": "multipart/related"}
    ),
    Wrapping("one part, not declared", lambda body: multipart(root(body)), PLAIN),
    Wrapping("declared as parts, but plain", lambda body: body, {"Content-Type": related()}),
    *(
        Wrapping(f"one part, {transfer}", partial(in_one_part, transfer=transfer), {"Content-Type": related()})
        for transfer in ("8bit", "BASE64", "base64", "quoted-printable")
    ),
    Wrapping(
        "one part in Windows-1252",
        lambda body: multipart(root(body.decode().encode("cp1252"), charset="iso-8859-1")),
        {"Content-Type": related()},
    ),
    Wrapping(
        "one part, compressed",
        lambda body: gzip.compress(multipart(root(body))),
        {"Content-Type": related(), "Content-Encoding": "gzip"},
    ),
]


def sent(server: HttpServer, kit: Kit, body: bytes, headers: dict[str, str]) -> None:
    kind = kit.content_type.partition(";")[0]
    server.will(reply(body, headers={name: value.replace("{}", kind) for name, value in headers.items()}))


def cancel(adapter: Adapter, kit: Kit) -> Answer:
    return adapter.cancel(kit.request, credentials())


@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda wrapping: wrapping.name)
def test_a_rejection_is_read_however_it_comes(kit, server, adapter, wrapping):
    body = kit.answer("rejected")
    sent(server, kit, body, PLAIN)
    plain = cancel(adapter, kit)
    assert plain.message
    sent(server, kit, wrapping.wrap(body.replace(plain.message.encode(), WORDS.encode())), wrapping.headers)

    assert cancel(adapter, kit) == replace(plain, message=WORDS)


@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda wrapping: wrapping.name)
def test_a_success_is_read_however_it_comes(kit, server, adapter, wrapping):
    sent(server, kit, kit.answer("cancelled"), PLAIN)
    plain = cancel(adapter, kit)
    sent(server, kit, wrapping.wrap(kit.answer("cancelled")), wrapping.headers)

    answer = cancel(adapter, kit)

    assert answer == plain
    assert answer.reaction is Reaction.CANCELLED
    assert answer.evidence is not None


INQUIRERS = [kit for kit in KITS if isinstance(kit.adapter(Sender(Limits(1, 1, 1))), Inquirer)]


@pytest.mark.parametrize("kit", INQUIRERS, ids=lambda kit: kit.provider)
@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda wrapping: wrapping.name)
def test_look_ups_and_downloads_are_read_however_they_come(kit, server, senders, wrapping):
    adapter = kit.adapter(senders["patient"], endpoint=server.url)
    for name, ask in (("look-up-cancelled", adapter.look_up), ("event", adapter.evidence)):
        sent(server, kit, kit.answer(name), PLAIN)
        plain = ask(kit.request, credentials())
        sent(server, kit, wrapping.wrap(kit.answer(name)), wrapping.headers)

        answer = ask(kit.request, credentials())

        assert answer == plain
        assert answer.reaction is Reaction.CANCELLED


def without_its_end(body: bytes) -> bytes:
    return body[: body.rindex(b"--")] if b"--" in body[-80:] else body[:-6]


COMPRESSED_OR_IN_PARTS = [
    wrapping for wrapping in WRAPPINGS if any(word in wrapping.name for word in ("gzip", "deflate", "part,"))
    and "plain" not in wrapping.name
]  # fmt: skip


@pytest.mark.parametrize("wrapping", COMPRESSED_OR_IN_PARTS, ids=lambda wrapping: wrapping.name)
def test_a_success_whose_wrapping_is_cut_is_unknown(kit, server, adapter, wrapping):
    sent(server, kit, without_its_end(wrapping.wrap(kit.answer("cancelled"))), wrapping.headers)

    answer = cancel(adapter, kit)

    assert (answer.reaction, answer.reason) == (Reaction.UNKNOWN, Reason.UNREADABLE_ANSWER)
    assert answer.may_have_acted
    assert answer.evidence is None
    assert answer.excerpt


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(b"<html>" * 900, mtime=0)[:-4], {"Content-Encoding": "gzip"}),
        (multipart(root(b"<html/>"), closed=False), {"Content-Type": related()}),
        (b"\x8b\x02\x80" + bytes(range(1, 200)), {"Content-Encoding": "br"}),
    ],
    ids=["gzip", "parts", "brotli"],
)
def test_what_nobody_can_unwrap_may_be_the_provider_s(kit, server, adapter, body, headers):
    for status in (200, 401, 404, 415):
        server.will(reply(body, status=status, headers=headers))

        answer = cancel(adapter, kit)

        assert (answer.reaction, answer.may_have_acted) == (Reaction.UNKNOWN, True)


@pytest.mark.parametrize(("length", "is_read"), [(MAX_BODY_BYTES, True), (MAX_BODY_BYTES + 1, False)])
def test_the_limit_of_an_answer_holds_for_what_is_unpacked(kit, server, adapter, length, is_read):
    whole = kit.answer("cancelled").ljust(length)
    for packed in (gzip.compress(whole), zlib.compress(whole), gzip.compress(gzip.compress(whole))):
        sent(server, kit, packed, PLAIN)

        assert cancel(adapter, kit).reaction is (Reaction.CANCELLED if is_read else Reaction.UNKNOWN)


def test_a_bomb_is_not_unpacked(kit, server, adapter):
    bomb = gzip.compress(kit.answer("cancelled") + bytes(300_000_000), compresslevel=1)
    sent(server, kit, bomb, {**PLAIN, "Content-Encoding": "gzip"})

    answer = cancel(adapter, kit)

    assert answer.reaction is Reaction.UNKNOWN
    assert f"longer than {MAX_BODY_BYTES} bytes" in (answer.excerpt or "")


def test_what_nobody_could_read_leaves_a_trace_without_the_secret(kit, server, adapter):
    page = f"<html>\r\n<h1>Não</h1>\x1b[31m X-Auth: {SECRET} {'x' * 5_000}</html>".encode("latin-1")
    server.will(reply(gzip.compress(page, mtime=0), headers={"Content-Type": "text/html", "Content-Encoding": "gzip"}))

    answer = cancel(adapter, kit)

    length = len(gzip.compress(page, mtime=0))
    assert answer.reaction is Reaction.UNKNOWN
    assert answer.excerpt is not None
    assert answer.excerpt.startswith(
        f"HTTP 200 Scripted, text/html, gzip, {length} bytes: <html> <h1>Não</h1> [31m X-Auth: … xxx"
    )
    assert len(answer.excerpt) <= 300


def test_what_was_read_leaves_none(kit, server, adapter):
    sent(server, kit, kit.answer("rejected"), PLAIN)

    assert cancel(adapter, kit).excerpt is None
