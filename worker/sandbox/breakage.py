"""How each fault goes: what of the exchange happens, and what the client sees of it."""

import asyncio
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from worker.sandbox.behaviours import FaultKind
from worker.sandbox.connection import Connection, raw_head
from worker.sandbox.faults import FaultRequest
from worker.sandbox.reply import Reply, html_reply

Act = Callable[[], Reply]
"""Does what the request asks for and gives the answer."""
Play = Callable[[FaultRequest, Act, Connection], Awaitable[None]]

DELAY_S = 3.0
HANG_S = 600.0
DRIP_S = 1.0
RETRY_AFTER = "2"
BOMB_BYTES = 256 * 1024 * 1024
HUGE_BYTES = 64 * 1024 * 1024
_CHUNK = bytes(64 * 1024)
_BLOCK = 1024 * 1024
_GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
_GARBAGE = bytes(range(256)) * 4


async def play(fault: FaultRequest, act: Act, connection: Connection) -> None:
    """One exchange with a fault in it."""
    await _PLAYS[fault.fault](fault, act, connection)


def _seconds(fault: FaultRequest, default: float) -> float:
    return default if fault.seconds is None else fault.seconds


async def _delay(fault: FaultRequest, act: Act, connection: Connection) -> None:
    """A client that leaves does not stop the provider: it acts all the same, at its time."""
    loop = asyncio.get_running_loop()
    acts_at = loop.time() + _seconds(fault, DELAY_S)
    if await connection.wait(_seconds(fault, DELAY_S)):
        await connection.reply(act())
    else:
        loop.call_at(acts_at, act)


async def _delay_after(fault: FaultRequest, act: Act, connection: Connection) -> None:
    reply = act()
    if await connection.wait(_seconds(fault, DELAY_S)):
        await connection.reply(reply)


async def _hang(fault: FaultRequest, act: Act, connection: Connection) -> None:
    act()
    if await connection.wait(_seconds(fault, HANG_S)):
        await connection.cut()


async def _cut_before(_fault: FaultRequest, _act: Act, connection: Connection) -> None:
    await connection.cut()


async def _cut_after(_fault: FaultRequest, act: Act, connection: Connection) -> None:
    act()
    await connection.cut()


async def _error_before(fault: FaultRequest, _act: Act, connection: Connection) -> None:
    await connection.reply(_error(fault, 502))


async def _error_after(fault: FaultRequest, act: Act, connection: Connection) -> None:
    act()
    await connection.reply(_error(fault, 502))


async def _busy_429(fault: FaultRequest, _act: Act, connection: Connection) -> None:
    await connection.reply(_error(fault, 429, retry_after=RETRY_AFTER))


async def _busy_503(fault: FaultRequest, _act: Act, connection: Connection) -> None:
    await connection.reply(_error(fault, 503, retry_after=RETRY_AFTER))


def _error(fault: FaultRequest, status: int, *, retry_after: str | None = None) -> Reply:
    wait = retry_after if fault.retry_after is None else fault.retry_after
    return html_reply(fault.status or status, {"retry-after": wait} if wait is not None else {})


async def _redirect(_fault: FaultRequest, _act: Act, connection: Connection) -> None:
    await connection.reply(html_reply(307, {"location": "/sandbox/elsewhere"}))


async def _garbage(_fault: FaultRequest, act: Act, connection: Connection) -> None:
    await connection.reply(replace(act(), status=200, body=_GARBAGE))


async def _empty(_fault: FaultRequest, act: Act, connection: Connection) -> None:
    await connection.reply(replace(act(), status=200, body=b""))


async def _half(_fault: FaultRequest, act: Act, connection: Connection) -> None:
    reply = act()
    await connection.send_raw([raw_head(reply) + reply.body[: len(reply.body) // 2]])


async def _drip_body(fault: FaultRequest, act: Act, connection: Connection) -> None:
    reply = act()
    await connection.send_body_in(reply, _single_bytes(reply.body), pause_s=_seconds(fault, DRIP_S))


async def _drip_headers(fault: FaultRequest, act: Act, connection: Connection) -> None:
    reply = act()
    await connection.send_raw(_single_bytes(raw_head(reply) + reply.body), pause_s=_seconds(fault, DRIP_S))


def _single_bytes(content: bytes) -> Iterator[bytes]:
    return (content[place : place + 1] for place in range(len(content)))


async def _gzip_bomb(fault: FaultRequest, act: Act, connection: Connection) -> None:
    body = _bomb(BOMB_BYTES if fault.bytes is None else fault.bytes)
    await connection.reply(replace(act(), status=200, body=body, headers={"content-encoding": "gzip"}))


@cache
def _bomb(size: int) -> bytes:
    """A single gzip member (clients read only the first) of one flushed block over and over: quick to make."""
    whole = -(-size // _BLOCK)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflate.compress(bytes(_BLOCK)) + deflate.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(whole):
        checksum = zlib.crc32(bytes(_BLOCK), checksum)
    return _GZIP_HEAD + block * whole + deflate.flush() + struct.pack("<II", checksum, whole * _BLOCK)


async def _huge(fault: FaultRequest, act: Act, connection: Connection) -> None:
    size = HUGE_BYTES if fault.bytes is None else fault.bytes
    whole, rest = divmod(size, len(_CHUNK))
    pieces = (_CHUNK if number < whole else _CHUNK[:rest] for number in range(whole + 1))
    await connection.send_body_in(replace(act(), status=200, body=b"", body_size=size), pieces)


async def _wrong_type(_fault: FaultRequest, act: Act, connection: Connection) -> None:
    await connection.reply(replace(act(), content_type="image/png"))


_PLAYS: Mapping[FaultKind, Play] = {
    FaultKind.DELAY: _delay,
    FaultKind.CUT_BEFORE: _cut_before,
    FaultKind.ERROR_BEFORE: _error_before,
    FaultKind.BUSY_429: _busy_429,
    FaultKind.BUSY_503: _busy_503,
    FaultKind.REDIRECT: _redirect,
    FaultKind.DELAY_AFTER: _delay_after,
    FaultKind.CUT_AFTER: _cut_after,
    FaultKind.ERROR_AFTER: _error_after,
    FaultKind.HANG: _hang,
    FaultKind.GARBAGE: _garbage,
    FaultKind.EMPTY: _empty,
    FaultKind.HALF: _half,
    FaultKind.DRIP_BODY: _drip_body,
    FaultKind.DRIP_HEADERS: _drip_headers,
    FaultKind.GZIP_BOMB: _gzip_bomb,
    FaultKind.HUGE: _huge,
    FaultKind.WRONG_TYPE: _wrong_type,
}
