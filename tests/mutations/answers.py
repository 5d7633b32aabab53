"""The recorded answers that say otherwise, each blemished in its evidence or as a whole."""

import base64
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tests.mutations.blemishes import BLEMISHES, of_evidence
from tests.support.fake_sender import FakeSender
from tests.support.provider_kits import ANSWERS, KITS, NS_BPE, Kit, credentials
from worker.answer import Answer, Reaction
from worker.providers.base import Adapter
from worker.sender import Received

SAYING_CANCELLED = re.compile(r"(already-|look-up-)?cancelled.*|no-evidence.*|event")
"""The names of the recorded answers that do say that the document is cancelled (tests/answers/README.md)."""
_CALLS = {"look-up-": "look_up", "event-": "evidence"}
"""What an answer of a provider that can be asked answers, by the beginning of its name; any other answers a cancel."""
_ACUSE = re.compile(rb"(<[a-z0-9]+:acuseSat>)(.*?)(</)", re.DOTALL)


@dataclass(frozen=True)
class Recorded:
    """One recorded answer and the call that it answers."""

    kit: Kit
    name: str
    call: str
    body: bytes

    def reaction(self) -> Reaction:
        """How it is read as it was recorded."""
        return self.answered(adapters(), self.body).reaction

    def answered(self, adapters: dict[str, tuple[Adapter, FakeSender]], body: bytes) -> Answer:
        """What the adapter makes of `body`."""
        adapter, sender = adapters[self.kit.provider]
        sender.answers[:] = [Received(200, {}, body)]
        answer = getattr(adapter, self.call)(self.kit.request, credentials())
        assert isinstance(answer, Answer)
        return answer


@dataclass
class Tally:
    """What became of so many blemished answers.

    Attributes:
        wrong: Those that came out as cancelled: name and body.
    """

    count: int
    wrong: list[tuple[str, bytes]] = field(default_factory=list)

    def __str__(self) -> str:
        share = 100 * len(self.wrong) / max(1, self.count)
        return f"{self.count} blemished answers that say otherwise, {len(self.wrong)} came out cancelled: {share:.3f} %"


def adapters() -> dict[str, tuple[Adapter, FakeSender]]:
    """One adapter for each provider, with the sender that gives it its answers."""
    pairs = [(kit, FakeSender()) for kit in KITS]
    return {kit.provider: (kit.adapter(sender), sender) for kit, sender in pairs}


def saying_otherwise() -> list[Recorded]:
    """Every recorded answer that is not, unblemished, the word that the document is cancelled."""
    return [one for one in _recorded() if not SAYING_CANCELLED.fullmatch(one.name)]


def _recorded() -> Iterator[Recorded]:
    for kit in KITS:
        for file in sorted((ANSWERS / kit.provider).glob(f"*{kit.suffix}")):
            call = next((call for begin, call in _CALLS.items() if file.stem.startswith(begin)), "cancel")
            call = call if kit is NS_BPE else "cancel"
            yield Recorded(kit, file.stem, call, file.read_bytes())


def blemished(recorded: Recorded, random: Random) -> bytes:
    """The answer with blemishes in its evidence, if it has one, or in the whole of it."""
    body = _with_blemished_evidence(recorded, random) if random.random() < 0.7 else None
    if body is None:
        body = recorded.body
        for blemish in random.choices(BLEMISHES, k=random.choice((1, 1, 2))):
            body = blemish(body, random)
    return body


def _with_blemished_evidence(recorded: Recorded, random: Random) -> bytes | None:
    if recorded.kit is NS_BPE:
        value = json.loads(recorded.body.decode("utf-8", "replace"))
        return next((_in_json(value, held, random) for held in _objects(value) if held.get("xml")), None)
    found = _ACUSE.search(recorded.body)
    if found is None:
        return None
    text = html.unescape(found[2].decode()).encode()
    content = text if b"<" in text else base64.b64decode(text)
    written = _as_text(of_evidence(content, random)).encode()
    return recorded.body[: found.start(2)] + written + recorded.body[found.end(2) :]


def _in_json(value: object, held: dict[str, object], random: Random) -> bytes:
    content = of_evidence(str(held["xml"]).encode(), random)
    try:
        held["xml"] = content.decode()
    except UnicodeDecodeError:
        held["xml"] = content.decode("latin-1")
    return json.dumps(value).encode()


def _objects(value: object) -> Iterator[dict[str, object]]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield value
    for one in inside:
        yield from _objects(one)


def _as_text(content: bytes) -> str:
    """As it stands between the tags of an envelope: XML can carry no control characters, base64 carries anything."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if any((ord(char) < 0x20 and char not in "\t\r\n") or char in "\ufffe\uffff" for char in text):
        return base64.b64encode(content).decode()
    return html.escape(text, quote=False)


def mutate(count: int, seed: int) -> Tally:
    """Blemish the recorded answers `count` times in all; the same seed gives the same answers."""
    random, built, tally = Random(seed), adapters(), Tally(count)
    wanted = saying_otherwise()
    weights = [8 if b"acuseSat>" in one.body or b'"xml"' in one.body else 1 for one in wanted]
    for recorded in random.choices(wanted, weights, k=count):
        body = blemished(recorded, random)
        try:
            if recorded.answered(built, body).reaction is Reaction.CANCELLED:
                tally.wrong.append((recorded.name, body))
        except Exception as error:
            error.add_note(f"{recorded.name}: {body!r}")
            raise
    return tally
