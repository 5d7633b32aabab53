"""The codes of NS Tecnologia's answers and of the authority (SEFAZ) behind it.

Sources: `cStat`: facts gathered from a published snapshot of the SVRS authoriser and the BP-e schemas, BP-e numbers and
not the NF-e ones; `status`: the provider's page "BPe Cancellation" (200, -2, -3) and its published SDKs (the others).
Why each reacts as it does: docs/providers/ns-bpe.md.
"""

from collections.abc import Mapping
from types import MappingProxyType

from worker.answer import Disproves, Reaction, Reason
from worker.providers.rule import Rule

CLOCK_TOLERANCE_S = 300.0
"""SEFAZ accepts an event time up to 5 minutes ahead of its own clock."""
HALTED_HOLD_S = 900.0
"""How long an account rests when SEFAZ is halted without forecast."""
STILL_PROCESSING_WAIT_S = 2.0


def _cancelled(meaning: str, *, warning: str | None = None) -> Rule:
    return Rule(meaning, Reaction.CANCELLED, Reason.CANCELLED, warning=warning)


def _rejected(
    meaning: str, reason: Reason = Reason.REFUSED_BY_AUTHORITY, *, disproves: Disproves = Disproves.THIS_RUN
) -> Rule:
    """Plainly a rejection of the request, which says nothing about another request of an earlier run."""
    return Rule(meaning, Reaction.REJECTED, reason, disproves=disproves)


def _not_cancellable(meaning: str) -> Rule:
    """A state of the ticket that excludes "cancelled", and that SEFAZ looks at after it has looked for duplicates."""
    return _rejected(meaning, Reason.NOT_CANCELLABLE, disproves=Disproves.EVERY_RUN)


def _transient(meaning: str) -> Rule:
    return Rule(meaning, Reaction.TRANSIENT)


def _unknown(meaning: str, reason: Reason | None = None) -> Rule:
    return Rule(meaning, Reaction.UNKNOWN, reason, may_have_acted=True)


CANCEL: Mapping[str, Rule] = MappingProxyType(
    {
        "101": _cancelled("cancellation homologated"),
        "108": _transient("service halted for a while"),
        "109": Rule("service halted without forecast", Reaction.TRANSIENT, hold_account_s=HALTED_HOLD_S),
        "134": _cancelled("event registered with an alert", warning="the event was registered with an alert"),
        "135": _cancelled("event registered and linked"),
        "136": _cancelled(
            "event registered, not linked", warning="the event was registered but not linked to the document"
        ),
        "155": _cancelled("event registered late"),
        "203": _rejected("issuer not enabled", disproves=Disproves.NOTHING),
        "215": _rejected("schema"),
        "216": _rejected("key differs from the registered one"),
        "217": _rejected("unknown ticket", Reason.NOT_FOUND, disproves=Disproves.NOTHING),
        "218": Rule(
            "already cancelled in SEFAZ's base", Reaction.CONFIRM, Reason.ALREADY_CANCELLED, may_have_acted=True
        ),
        "220": _not_cancellable("past the legal deadline"),
        "222": _rejected("protocol differs from the registered one"),
        "224": _not_cancellable("ticket substituted"),
        "226": _rejected("wrong state"),
        "236": _rejected("invalid key"),
        "252": _rejected("wrong environment"),
        "286": _transient("certificate list not accessible"),
        "296": _transient("certificate list not accessible"),
        "504": _not_cancellable("ticket has a no-boarding event"),
        "600": _rejected("key differs from the registered one"),
        "627": _rejected("event data"),
        "628": _rejected("event data"),
        "629": _rejected("event data"),
        "630": _rejected("schema of the event"),
        "631": Rule("duplicate event", Reaction.CANCELLED, Reason.ALREADY_CANCELLED),
        "632": _rejected("event data"),
        "633": _rejected("event data"),
        "634": _rejected("event data"),
        "635": Rule("event time ahead of SEFAZ's clock", Reaction.TRANSIENT, least_wait_s=CLOCK_TOLERANCE_S),
        "636": _rejected("event data"),
        "637": _rejected("event data"),
        "678": Rule("abuse of the service", Reaction.ABUSE),
        "996": Rule(
            "still processing (the provider's own code)",
            Reaction.TRANSIENT,
            may_have_acted=True,
            least_wait_s=STILL_PROCESSING_WAIT_S,
        ),
        "997": _transient("certificate store not accessible"),
        "999": _unknown("uncatalogued error"),
    }
)
"""`cStat` in an answer to a cancel."""

ABUSE = CANCEL["678"]
ABUSE_BY_TEXT = ("656", "consumo indevido")
"""Code 656 is another matter in BP-e, unless its text speaks of misuse."""

UNREADABLE = _unknown("nothing of the kind", Reason.UNREADABLE_ANSWER)
"""What no table knows."""
UNCLASSIFIED = Rule("any other cStat under status -3", Reaction.REJECTED, Reason.UNCLASSIFIED)
"""Never retried by itself, since repeated rejections lead to 678. It may come from a check before that for an
earlier event, so it proves nothing about earlier calls.
"""

STATUS: Mapping[str, Rule] = MappingProxyType(
    {
        "200": _unknown("success without a cStat", Reason.UNREADABLE_ANSWER),
        "135": _cancelled("event registered and linked, as some suites say it"),
        "-2": Rule("invalid key", Reaction.REJECTED, Reason.REFUSED_BY_PROVIDER),
        "-3": _unknown("refused without a cStat", Reason.UNREADABLE_ANSWER),
        "-6": _unknown("the query failed"),
        "-400": Rule("mandatory fields", Reaction.REJECTED, Reason.REFUSED_BY_PROVIDER),
        "-401": Rule("no permission", Reaction.ACCOUNT),
        "-500": _unknown("internal error"),
        "-999": _unknown("internal error"),
    }
)
"""`status` in an answer to a cancel that holds no `cStat`. Any other number is unknown."""

HTTP: Mapping[int, Rule] = MappingProxyType(
    {
        400: Rule("wrongly assembled data (comes without a body)", Reaction.REJECTED, Reason.REFUSED_BY_PROVIDER),
        401: Rule("token missing or invalid, in the provider's own JSON", Reaction.ACCOUNT),
        403: Rule("token without permission, in the provider's own JSON", Reaction.ACCOUNT),
    }
)
"""HTTP statuses of the provider's own, in an answer to a cancel whose body does not say more."""

LOOK_UP: Mapping[str, Rule] = MappingProxyType(
    {
        "100": Rule("authorised", Reaction.NOT_CANCELLED, disproves=Disproves.EVERY_RUN),
        "101": Rule("cancelled", Reaction.CANCELLED, Reason.ALREADY_CANCELLED),
        "102": _not_cancellable("number made void"),
        "108": CANCEL["108"],
        "109": CANCEL["109"],
        "150": Rule("authorised late", Reaction.NOT_CANCELLED, disproves=Disproves.EVERY_RUN),
        "413": Rule("key older than six months, no query", Reaction.NOT_CANCELLED),
        "678": ABUSE,
    }
)
"""`cStat` in an answer to a look-up. 413 gives no answer at all and disproves nothing; sending the same request again
is safe all the same, because a repeat is answered with 631. Any other code: ask again later.
"""

TROUBLE: Mapping[str, Rule] = MappingProxyType({code: LOOK_UP[code] for code in ("108", "109", "678")})
"""Codes about the service or the issuer, not about the document: they mean the same whatever was asked."""

NO_TELLING = _unknown("understood, but it does not say what became of the document")
"""A look-up or download that failed in words that are known: giving up on it is no trouble with reading."""

LINKED_EVENT = frozenset({"134", "135", "155"})
"""`cStat` of an event that is registered and linked to its ticket."""
REGISTERED_EVENT = LINKED_EVENT | {"136"}
"""The same, linked or not: its XML is evidence."""
CANCELLATION_EVENT = "110111"
"""`tpEvento` of a cancellation (BP-e schema `eventoBPe`)."""
