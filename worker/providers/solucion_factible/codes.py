"""The codes of Solución Factible's answers: two code spaces that share numbers and must never be mixed.

Sources: the method's page ("Response codes" and "Additional codes for the new cancellation form") for `STATUS`;
the SAT's acknowledgement of a cancellation for `ESTATUS_UUID`. Why each reacts as it does:
docs/providers/solucion-factible.md.
"""

from collections.abc import Mapping
from types import MappingProxyType

from worker.answer import Disproves, Reaction, Reason
from worker.providers.rule import Rule

STATUS: Mapping[str, Rule] = MappingProxyType(
    {
        "200": Rule("processed", Reaction.CANCELLED, Reason.CANCELLED),
        "204": Rule("the receipt cannot be cancelled", Reaction.REJECTED, Reason.NOT_CANCELLABLE),
        "211": Rule("in process", Reaction.IN_PROCESS, Reason.STILL_IN_PROCESS),
        "213": Rule(
            "rejected by the recipient", Reaction.REJECTED, Reason.REJECTED_BY_RECIPIENT, disproves=Disproves.EVERY_RUN
        ),
        "500": Rule("internal errors, the request was not registered", Reaction.TRANSIENT),
        "501": Rule("no communication with the provider's database", Reaction.TRANSIENT, may_have_acted=True),
        "601": Rule("wrong user or password", Reaction.ACCOUNT),
        "602": Rule("user locked", Reaction.ACCOUNT),
        "603": Rule("password expired", Reaction.ACCOUNT),
        "604": Rule("too many failed attempts", Reaction.ACCOUNT),
        "605": Rule("user inactive", Reaction.ACCOUNT),
        "611": Rule("data incomplete or misplaced", Reaction.REJECTED, Reason.REFUSED_BY_PROVIDER),
        "620": Rule("permission denied", Reaction.ACCOUNT),
        "621": Rule("data invalid", Reaction.REJECTED, Reason.REFUSED_BY_PROVIDER),
        "623": Rule("UUID not in the user's stamping panel", Reaction.REJECTED, Reason.NOT_FOUND),
        "633": Rule("account of the other environment", Reaction.ACCOUNT),
    }
)
"""`status` of the answer. A number that is not here is unknown: never success."""

_DISAGREES = (Reaction.UNRESOLVED, Reason.EVIDENCE_DISAGREES)
ESTATUS_UUID: Mapping[str, Rule] = MappingProxyType(
    {
        "201": Rule("request received", Reaction.CANCELLED, Reason.CANCELLED),
        "202": Rule("requested or cancelled before", Reaction.CANCELLED, Reason.ALREADY_CANCELLED),
        "203": Rule("not this issuer's", *_DISAGREES),
        "204": Rule("cancellation not applicable", *_DISAGREES),
        "205": Rule("unknown UUID", *_DISAGREES),
        "206": Rule("no primary-sector receipt", *_DISAGREES),
        "207": Rule("trouble with motive, substitution or date limit", *_DISAGREES),
        "208": Rule("trouble with motive, substitution or date limit", *_DISAGREES),
        "209": Rule("trouble with motive, substitution or date limit", *_DISAGREES),
        "210": Rule("trouble with motive, substitution or date limit", *_DISAGREES),
        "211": Rule("trouble with motive, substitution or date limit", *_DISAGREES),
        "212": Rule("trouble with motive, substitution or date limit", *_DISAGREES),
    }
)
"""`EstatusUUID` inside the acuse of an answer with status 200. Any other number disagrees as well."""

OTHER_ESTATUS_UUID = Rule("any other number", *_DISAGREES)

DAMAGED_ACUSE = Rule(
    "something can be seen in the acuse, and not all of it", Reaction.UNRESOLVED, Reason.UNREADABLE_ANSWER
)
"""At once, since asking again brings the same acuse or none; a code in it that disagrees counts before this."""
