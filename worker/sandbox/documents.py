"""The documents of the sandbox: what each one does, how often it was asked for, whether it stands cancelled."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from config.accounts import ProviderName
from worker.sandbox.behaviours import Behaviour
from worker.sandbox.calls import Kind
from worker.sandbox.numbers import BEHAVIOURS, ORDINARY, provider_of, read_number


@dataclass(frozen=True, slots=True)
class Event:
    """What a BP-e cancellation request said, as far as the event XML repeats it."""

    dh_evento: str
    n_prot: str
    x_just: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a document does: the behaviour, for how many calls (0: all), and its own time "in process"."""

    behaviour: Behaviour
    first_calls: int = 0
    in_process_s: float | None = None


@dataclass(slots=True)
class Document:
    """One document and its state; times are seconds since 1970."""

    id: str
    provider: ProviderName
    plan: Plan
    asked: int = 0
    looked_up: int = 0
    downloaded: int = 0
    in_flight: int = 0
    in_flight_max: int = 0
    first_call_at: float | None = None
    last_call_at: float | None = None
    in_process_at: float | None = None
    cancelled_at: float | None = None
    protocol: str | None = None
    event: Event | None = None
    evidence_sha256: str | None = None

    def enter(self, kind: Kind, now: float) -> int:
        """Count a call that begins; gives which cancellation request it is, or the last one for other calls."""
        self.asked += kind is Kind.CANCEL
        self.looked_up += kind is Kind.LOOK_UP
        self.downloaded += kind is Kind.DOWNLOAD
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        self.first_call_at = self.first_call_at or now
        self.last_call_at = now
        return self.asked

    def behaviour_at(self, turn: int) -> Behaviour:
        """What the `turn`-th cancellation request meets."""
        behaviour, calls = self.plan.behaviour, self.plan.first_calls
        return behaviour if not calls or turn <= calls else self.then()

    def then(self) -> Behaviour:
        """The behaviour after the first calls, or after "in process"."""
        name = self.plan.behaviour.then
        return BEHAVIOURS[self.provider][name] if name else ORDINARY[self.provider]

    def as_json(self) -> dict[str, object]:
        """What `GET /sandbox/documents/<id>` says."""
        return {
            "document": self.id,
            "provider": self.provider,
            "behaviour": self.plan.behaviour.name,
            "first_calls": self.plan.first_calls,
            "asked": self.asked,
            "looked_up": self.looked_up,
            "downloaded": self.downloaded,
            "cancelled": self.cancelled_at is not None,
            "cancelled_at": _time(self.cancelled_at),
            "in_process_since": _time(self.in_process_at),
            "protocol": self.protocol,
            "evidence_sha256": self.evidence_sha256,
            "in_flight": self.in_flight,
            "in_flight_max": self.in_flight_max,
            "first_call_at": _time(self.first_call_at),
            "last_call_at": _time(self.last_call_at),
        }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Rule:
    """One plan for many documents: all whose number begins with `prefix` and lies from `first` to `last`."""

    provider: ProviderName
    plan: Plan
    prefix: str = ""
    first: str = ""
    last: str = "~"

    def covers(self, document: str, provider: ProviderName) -> bool:
        """Whether the rule is about this document."""
        return provider is self.provider and document.startswith(self.prefix) and self.first <= document <= self.last


@dataclass(slots=True)
class Documents:
    """Every document that was ever asked for or registered by itself; the others exist by their number or a rule."""

    in_process_s: float
    _known: dict[str, Document] = field(default_factory=dict)
    _rules: list[Rule] = field(default_factory=list)
    _protocols: Iterator[int] = field(default_factory=lambda: count(1))

    def find(self, number: str, now: float) -> Document | None:
        """The document of a number in upper case, up to date with the clock; None where there is none."""
        document = self._known.get(number)
        if document is None:
            provider = provider_of(number)
            plan = self._plan_of(number, provider) if provider else None
            if plan is None or provider is None:
                return None
            document = self.put(number, provider, plan, now)
        self._settle(document, now)
        return document

    def put(self, number: str, provider: ProviderName, plan: Plan, now: float) -> Document:
        """A fresh document; what was known of that number is forgotten."""
        document = self._known[number] = Document(number, provider, plan)
        if plan.behaviour.cancelled_before:
            self.cancel(document, now - 3600.0)
        return document

    def clear(self) -> None:
        """Forget every document and every rule."""
        self._known.clear()
        self._rules.clear()

    def put_rule(self, rule: Rule) -> None:
        """A plan for many; the newest rule wins, documents already asked for keep theirs."""
        self._rules.insert(0, rule)

    def cancel(self, document: Document, now: float, event: Event | None = None) -> None:
        """The document stands cancelled from `now` on."""
        document.cancelled_at = now
        document.event = event
        if document.provider is ProviderName.NS_BPE:
            document.protocol = f"14326{next(self._protocols):010d}"

    def start_process(self, document: Document, now: float) -> None:
        """The document is "in process" from its first request on."""
        if document.in_process_at is None:
            document.in_process_at = now
            self._settle(document, now)

    def process_ended_at(self, document: Document, now: float) -> float | None:
        """When "in process" ended; None where it was not begun or is not over."""
        lasts_s = self.in_process_s if document.plan.in_process_s is None else document.plan.in_process_s
        if document.in_process_at is None or now < document.in_process_at + lasts_s:
            return None
        return document.in_process_at + lasts_s

    def _settle(self, document: Document, now: float) -> None:
        """The authority decides by itself, asked or not."""
        ended_at = self.process_ended_at(document, now)
        if ended_at is not None and document.cancelled_at is None and document.then() is ORDINARY[document.provider]:
            self.cancel(document, ended_at)

    def _plan_of(self, number: str, provider: ProviderName) -> Plan | None:
        rule = next((rule for rule in self._rules if rule.covers(number, provider)), None)
        if rule:
            return rule.plan
        placed = read_number(number)
        return Plan(placed.behaviour, placed.first_calls) if placed else None
