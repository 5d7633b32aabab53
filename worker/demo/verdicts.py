"""What became of one document, beside what was expected."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from worker.answer import Evidence
from worker.demo.examples import Expected

_LAYER = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")
_SAID = {"http": "HTTP ", "transport": "no answer: "}


@dataclass(frozen=True, slots=True)
class Seen:
    """One outcome, and the answers that led to it: for each call what its layers said."""

    expected: Expected
    outcome: Mapping[str, Any]
    answers: Sequence[Sequence[str]]

    @property
    def answers_in_short(self) -> str:
        """The answers in their order, equal ones in a row together; why there was none is left out."""
        texts = ("/".join(layer.partition(":")[0] for layer in layers) for layers in self.answers)
        runs = ((text, sum(1 for _ in same)) for text, same in groupby(texts))
        return " → ".join(f"{text} ×{count}" if count > 1 else text for text, count in runs)

    def differences(self) -> Iterable[str]:
        """What is not as expected; nothing, if all is well."""
        outcome, expected = self.outcome, self.expected
        for field in ("status", "reason"):
            if outcome[field] != getattr(expected, field):
                yield f"{field} {outcome[field]} instead of {getattr(expected, field)}"
        if bool(outcome["evidence"]) != expected.evidence:
            yield "evidence missing" if expected.evidence else "evidence that was not expected"
        elif outcome["evidence"] and not _is_whole(outcome["evidence"]):
            yield "the evidence does not fit its sha256"
        missing = set(expected.shows) - {word for layers in self.answers for word in layers}
        if missing:
            yield f"never answered {', '.join(sorted(missing))}"


def answers_in(history: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """What each call of a job's history was answered, layer by layer: `["-3", "220"]`, `["HTTP 502"]`."""
    return [_layers(entry) for entry in history if "call" in entry]


def _layers(entry: Mapping[str, Any]) -> list[str]:
    found = _LAYER.findall(entry.get("answer") or "")
    if not found:
        return [str(entry.get("code") or entry.get("note") or entry.get("reaction"))]
    return [_SAID.get(layer, "") + words for layer, words in found]


def _is_whole(evidence: Mapping[str, str]) -> bool:
    return hashlib.sha256(Evidence.from_json(evidence).content).hexdigest() == evidence["sha256"]
