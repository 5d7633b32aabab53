"""The ways in which evidence comes: those that can be read whole, and those in which it can only be seen."""

import base64
import codecs
import gzip
import html
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote

Wrapping = Callable[[str], bytes]


def _base64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def _folded(text: str, *, end: bytes = b"\r\n") -> bytes:
    letters = _base64(text)
    return end.join(letters[at : at + 76] for at in range(0, len(letters), 76))


def _labelled(text: str, label: str) -> str:
    return text.replace('encoding="utf-8"', f'encoding="{label}"')


READABLE: dict[str, Wrapping] = {
    "as it is": str.encode,
    "labelled utf-16": lambda text: _labelled(text, "utf-16").encode(),
    "labelled UTF-32LE": lambda text: _labelled(text, "UTF-32LE").encode(),
    "labelled as EBCDIC": lambda text: _labelled(text, "cp037").encode(),
    "labelled as nothing that exists": lambda text: _labelled(text, "windows-65001").encode(),
    "labelled with nothing": lambda text: _labelled(text, "").encode(),
    "labelled us-ascii": lambda text: _labelled(text, "us-ascii").replace("AAA", "ÑÑÑ").encode(),
    "XML 1.1": lambda text: text.replace('version="1.0"', 'version="1.1"').encode(),
    "a byte order mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "two byte order marks": lambda text: codecs.BOM_UTF8 * 2 + text.encode(),
    "a mark that was read as Latin-1": lambda text: b"\xc3\xaf\xc2\xbb\xc2\xbf" + text.encode(),
    "a mark of UTF-16 before UTF-8": lambda text: codecs.BOM_UTF16_LE + text.encode(),
    "blanks around": lambda text: b" \r\n\t" + text.encode() + b"\r\n ",
    "NULs around": lambda text: b"\0" + text.encode() + b"\0" * 4_000,
    "Ctrl-Z at the end": lambda text: text.encode() + b"\x1a",
    "Latin-1": lambda text: text.replace("AAA", "ÑÑÑ").encode("latin-1"),
    "Windows-1252": lambda text: text.replace("AAA", "ÑÑ€").encode("cp1252"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "UTF-16 the other way round": lambda text: text.encode("utf-16-be"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "UTF-32 without a mark": lambda text: text.encode("utf-32-be"),
    "a NUL after every letter": lambda text: "".join(letter + "\0" for letter in text).encode(),
    "base64": _base64,
    "base64 unpadded": lambda text: _base64(text).rstrip(b"="),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.replace("AAA", "ÿÿÿ").encode()),
    "base64 in lines": _folded,
    "base64 in indented lines": lambda text: b"\n   " + _folded(text, end=b"\n   ") + b"\n",
    "base64 after a mark": lambda text: codecs.BOM_UTF8 + _base64(text) + b"\0",
    "base64 twice": lambda text: base64.b64encode(_base64(text)),
    "base64 twice, in lines": lambda text: base64.encodebytes(base64.encodebytes(text.encode())),
    "base64 of a mark and CR LF": lambda text: base64.b64encode(codecs.BOM_UTF8 + b"\r\n" + text.encode() + b"\r\n\0"),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16")),
    "base64 of Latin-1": lambda text: base64.b64encode(text.replace("AAA", "ÑÑÑ").encode("latin-1")),
    "base64 in UTF-16": lambda text: _base64(text).decode().encode("utf-16"),
    "escaped": lambda text: html.escape(text).encode(),
    "escaped twice": lambda text: html.escape(html.escape(text)).encode(),
    "base64 of it escaped": lambda text: base64.b64encode(html.escape(text).encode()),
    "escaped in numbers": lambda text: "".join(f"&#{ord(letter)};" for letter in text).encode(),
    "comments before and after": lambda text: b"<!-- a -->" + text.partition("?>")[2].encode() + b"<!-- b -->",
}
"""Read whole: the evidence agrees or disagrees as if it had come as it should."""

VISIBLE: dict[str, Wrapping] = {
    "cut": lambda text: text.encode()[:-20],
    "without its beginning": lambda text: text.encode()[12:],
    "something after it": lambda text: text.encode() + b"OK",
    "something before it": lambda text: b"xml: " + text.encode(),
    "twice": lambda text: text.encode() * 2,
    "a document type": lambda text: text.replace("?>", "?><!DOCTYPE a>", 1).encode(),
    "an entity": lambda text: text.replace("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>', 1).encode(),
    "an entity that nobody declares": lambda text: text.replace("AAA", "&Ntilde;").encode(),
    "an ampersand": lambda text: text.replace("AAA", "A&A").encode(),
    "a NUL inside": lambda text: text.replace("AAA", "A\0A").encode(),
    "a control character inside": lambda text: text.replace("AAA", "A\x02A").encode(),
    "an undeclared prefix": lambda text: text.replace("?><", "?><p:", 1).encode(),
    "within CDATA": lambda text: f"<![CDATA[{text}]]>".encode(),
    "within a comment": lambda text: f"<!--{text}-->".encode(),
    "escaped within another element": lambda text: f"<string>{html.escape(text)}</string>".encode(),
    "CDATA within another element": lambda text: f"<string><![CDATA[{text}]]></string>".encode(),
    "EBCDIC": lambda text: text.encode("cp037"),
    "EBCDIC in base64": lambda text: base64.b64encode(text.encode("cp037")),
    "UTF-16 after a line break": lambda text: b"\n" + text.encode("utf-16-le"),
    "half of it in UTF-16": lambda text: text[:40].encode() + text[40:].encode("utf-16-le"),
    "UTF-7": lambda text: text.encode("utf-7").replace(b"<", b"+ADw-").replace(b">", b"+AD4-"),
    "a JSON text": lambda text: json.dumps(text).encode(),
    "the inside of a JSON text": lambda text: json.dumps(text)[1:-1].encode(),
    "an address": lambda text: b"data:text/xml;base64," + _base64(text),
    "an address in percents": lambda text: b"data:text/xml," + quote(text).encode(),
    "compressed": lambda text: gzip.compress(text.encode(), mtime=0),
    "compressed in base64": lambda text: base64.b64encode(gzip.compress(text.encode(), mtime=0)),
    "compressed, in base64 twice": lambda text: base64.b64encode(base64.b64encode(gzip.compress(text.encode()))),
    "compressed, the end cut": lambda text: gzip.compress(text.encode(), mtime=0)[:-10],
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "base64 that has lost a letter": lambda text: _base64(text)[:70] + _base64(text)[71:],
    "base64 that has lost its first letters": lambda text: _base64(text)[3:],
    "base64 that is cut": lambda text: _base64(text)[:-7],
    "base64 with a letter that is none": lambda text: _base64(text)[:70] + b"*" + _base64(text)[71:],
    "base64 with an end inside": lambda text: _base64(text)[:70] + b"==" + _base64(text)[70:],
    "base64 in quotation marks": lambda text: b'"' + _base64(text) + b'"',
    "base64 twice that has lost a letter": lambda text: (
        base64.b64encode(_base64(text))[:60] + base64.b64encode(_base64(text))[61:]
    ),
    "base64 of it cut": lambda text: base64.b64encode(text.encode()[:-20]),
    "escaped, and cut": lambda text: html.escape(text).encode()[:-20],
}
"""Not whole, though it can be seen what it is about: no agreement, whatever it says."""

HIDDEN: dict[str, Wrapping] = {
    "compressed in a way that is not looked into": lambda text: base64.b64encode(zlib.compress(text.encode())[2:]),
    "encrypted": lambda text: bytes(255 - byte for byte in text.encode()),
}
"""Nothing can be seen: as if no evidence had come."""
