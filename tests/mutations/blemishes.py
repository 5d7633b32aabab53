"""Blemishes that answers and evidence have in real life, put on at random; the facts that decide are left whole."""

import base64
import codecs
import gzip
import html
import json
import re
from collections.abc import Callable, Iterator
from random import Random

_FACT = re.compile(
    rb"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"  # a UUID
    rb"|(?:ID)?[0-9]{44,54}"  # an access key, alone or in an event's Id
    rb"|(?<![0-9A-Z])-?[0-9]{1,6}(?![0-9A-Z])",  # a code
    re.IGNORECASE,
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")
_LABEL = re.compile(rb"encoding=([\"'])[^\"']*\1")
_LABELS = (
    b"utf-16",
    b"UTF-16LE",
    b"utf-32",
    b"iso-8859-1",
    b"windows-1252",
    b"us-ascii",
    b"cp037",
    b"utf-7",
    b"x",
    b"",
)
_ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig", "latin-1", "cp037")
_BLANKS = (b" ", b"\r\n", b"\n\n\t", b"\xc2\xa0", b"\0", b"\0\0\0", codecs.BOM_UTF8, codecs.BOM_UTF8 * 2, b"\x1a")

Blemish = Callable[[bytes, Random], bytes]


def facts(content: bytes) -> list[tuple[int, int]]:
    """Where the facts are, those inside of base64 included, however often encoded: pairs of first and last index + 1."""
    found = [one.span() for one in _FACT.finditer(content)]
    for run in _BASE64.finditer(content):
        letters = run[0].rstrip(b"=")
        inside = facts(base64.b64decode(letters + b"A" * (-len(letters) % 4)))
        found += [(run.start() + first * 4 // 3, run.start() - (-end * 4 // 3)) for first, end in inside]
    return sorted(found)


def places(content: bytes) -> list[int]:
    """Every index outside of the facts."""
    held = {index for first, end in facts(content) for index in range(first, end)}
    return [index for index in range(len(content)) if index not in held]


def _at_random(content: bytes, random: Random) -> Iterator[int]:
    """Some places, the last first, so that what is done at one moves none of the others."""
    free = places(content)
    return iter(sorted(random.sample(free, min(len(free), random.choice((1, 1, 1, 2, 3, 8)))), reverse=True))


def flipped(content: bytes, random: Random) -> bytes:
    """Some bytes are others."""
    changed = bytearray(content)
    for index in _at_random(content, random):
        changed[index] ^= random.choice((1 << random.randrange(8), random.randrange(1, 256)))
    return bytes(changed)


def lost(content: bytes, random: Random) -> bytes:
    """Some letters are missing."""
    changed = bytearray(content)
    for index in _at_random(content, random):
        del changed[index]
    return bytes(changed)


def added(content: bytes, random: Random) -> bytes:
    """Some letters are there that were not, at borders of facts too."""
    changed = bytearray(content)
    for index in _at_random(content, random):
        changed[index:index] = random.choice(
            (b"\0", b"\n", b" ", b"\xef\xbb\xbf", b"\xe9", b"<", b"&", b"\x02", b"=", b"A")
        )
    return bytes(changed)


def cut(content: bytes, random: Random) -> bytes:
    """The end is missing, or the beginning."""
    held = facts(content)
    first, end = (held[0][0], max(end for _, end in held)) if held else (len(content) // 2,) * 2
    if random.random() < 0.3:
        return content[random.randint(0, first) :]
    return content[: random.randint(end, len(content))]


def surrounded(content: bytes, random: Random) -> bytes:
    """Blanks, NULs and byte order marks around it."""
    before = b"".join(random.choices(_BLANKS, k=random.randrange(3)))
    return before + content + b"".join(random.choices(_BLANKS, k=random.randrange(3)))


def mislabelled(content: bytes, random: Random) -> bytes:
    """The XML declaration names another encoding."""
    label = random.choice(_LABELS)
    if _LABEL.search(content):
        return _LABEL.sub(b'encoding="' + label + b'"', content, count=1)
    return b'<?xml version="1.%d" encoding="%s"?>' % (random.randrange(2), label) + content


def reencoded(content: bytes, random: Random) -> bytes:
    """It is in another encoding, whatever its label says."""
    return content.decode("utf-8", "replace").encode(random.choice(_ENCODINGS), "replace")


def wrapped(content: bytes, random: Random) -> bytes:
    """Something is around it that is none of its own."""
    return random.choice(
        (
            b"<![CDATA[" + content + b"]]>",
            b"<!-- " + content + b" -->",
            b"<!DOCTYPE Acuse>" + content,
            content + content,
            b"<string>" + html.escape(content.decode("latin-1")).encode("latin-1") + b"</string>",
            html.escape(content.decode("latin-1")).encode("latin-1"),
            json.dumps(content.decode("latin-1")).encode(),
            b"xml: " + content + b" (end)",
        )
    )


BLEMISHES: tuple[Blemish, ...] = (flipped, lost, added, cut, surrounded, mislabelled)
"""Those for a whole answer."""


def of_evidence(content: bytes, random: Random) -> bytes:
    """Evidence with one to three blemishes, as XML or as base64; another encoding comes last, since it hides the facts."""
    for blemish in random.choices((*BLEMISHES, wrapped), k=random.choice((1, 1, 2, 3))):
        content = blemish(content, random)
    kind = random.random()
    if kind < 0.45:
        return content
    if kind < 0.85:
        return _base64_of(content, random)
    content = reencoded(content, random) if kind < 0.97 else gzip.compress(content, mtime=0)
    return content if random.random() < 0.5 else _written(base64.b64encode(content), random)


def _folded(letters: bytes) -> bytes:
    return b"\r\n ".join(letters[at : at + 76] for at in range(0, len(letters), 76))


def _base64_of(content: bytes, random: Random) -> bytes:
    """Base64, itself with or without blemishes."""
    letters = base64.b64encode(content)
    if random.random() < 0.2:
        letters = base64.b64encode(letters)
    if random.random() < 0.4:
        letters = random.choice((flipped, lost, added, surrounded, cut))(letters, random)
    return _written(letters, random)


def _written(letters: bytes, random: Random) -> bytes:
    """One of the ways to write the same base64."""
    if random.random() < 0.3:
        letters = letters.translate(bytes.maketrans(b"+/", b"-_"))
    if random.random() < 0.3:
        letters = letters.rstrip(b"=")
    if random.random() < 0.3:
        letters = _folded(letters)
    return b"data:text/xml;base64," + letters if random.random() < 0.1 else letters
