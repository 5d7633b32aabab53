"""What came, for people, where no program could read it: how it was wrapped, and how it begins."""

from worker.providers import quoting
from worker.providers.body import Body
from worker.sender import Received

LENGTH = 300
_HEADER_LENGTH = 80


def of(received: Received, body: Body, *, secret: str) -> str:
    """HTTP status with its words, content type, content encoding, length, and the first printable characters; one
    line of at most `LENGTH`, without the secret.
    """
    headers = received.headers
    wrapping = (
        f"HTTP {received.status} {received.reason}",
        headers.get("content-type") or "no content type",
        headers.get("content-encoding"),
        f"{len(received.body)} bytes",
        body.problem,
    )
    parts = (quoting.message(part, secret=secret, length=_HEADER_LENGTH) for part in wrapping)
    head = ", ".join(part for part in parts if part)
    start = quoting.message(body.text, secret=secret, length=max(LENGTH - len(head) - 2, 1))
    return f"{head}: {start}" if start else head
