"""From a reading to the answer's value: one function each for a cancel, a look-up and a download."""

import re
from collections.abc import Mapping
from dataclasses import replace

from worker.answer import Answer, Reaction, Reason
from worker.providers import transport_answers
from worker.providers.evidence_reader import Legible
from worker.providers.ns_bpe import codes, event, situation
from worker.providers.ns_bpe.reading import ANOTHER_KEY, OTHER_ENVIRONMENT, Reading
from worker.providers.ns_bpe.situation import RegisteredEvent
from worker.providers.rule import Rule

_ORIGINAL_PROTOCOL = re.compile(r"\[nProt:\s*([0-9]{15,17})\s*\]")
_ORIGINAL_TIME = re.compile(r"\[dhRegEvento:\s*([0-9T:.+-]{19,35})\s*\]")


def to_cancel(reading: Reading) -> Answer:
    """The answer to the request to cancel: CANCELLED only if it says so and its evidence does not say otherwise.

    The authority's code beats every other layer.
    """
    rule = _by_authority(reading, codes.CANCEL)
    if rule is None:
        by_http = reading.by_http()
        if by_http is not None:
            return by_http
        rule = _access_refused(reading) or _by_provider(reading)
    if reading.names_another_key():
        return reading.unreadable(ANOTHER_KEY)
    if rule is None:
        return reading.unreadable()
    return _confirmed(reading, rule) if rule.reaction is Reaction.CANCELLED else reading.by(rule)


def _confirmed(reading: Reading, rule: Rule) -> Answer:
    """What remains of "cancelled" once the event's XML was read; where it does not agree, the look-up decides."""
    xml = reading.xml
    if event.keys_in(reading.text, reading.chBPe) - {reading.chBPe}:
        return reading.unreadable(ANOTHER_KEY)  # in a field that nobody expects it in
    if xml is not None and xml.legible is Legible.PARTLY:
        return reading.unreadable(event.DAMAGED)
    if xml is not None and xml.speaks_against_it():
        return reading.unreadable(event.DISAGREES)
    return _duplicate(reading, rule) if rule is codes.CANCEL["631"] else reading.registered(rule)


def to_look_up(reading: Reading) -> Answer:
    """The answer to a look-up.

    A linked cancellation event of our key counts as much as the situation 101. 413 (the key is too old for a query)
    reads as NOT_CANCELLED: nothing is known, and sending the same request again is what settles it, since SEFAZ
    answers 631 where it is cancelled already.
    """
    on_record = reading.reply.situation
    rule = _by_authority(reading, codes.LOOK_UP)
    found = situation.cancellation(on_record, reading.chBPe)
    if rule is None and found is None:
        return _no_telling(reading)
    foreign = _foreign(reading)
    if foreign is not None:
        return transport_answers.of_inquiry(reading.unreadable(foreign))
    if found is not None:
        return _on_record(reading, found)
    return reading.by(rule) if rule else _no_telling(reading)


def _foreign(reading: Reading) -> str | None:
    """The warning that a situation is not about what was asked."""
    on_record = reading.reply.situation
    if situation.names_another_key(on_record, reading.chBPe):
        return ANOTHER_KEY
    return OTHER_ENVIRONMENT if situation.is_of_the_other_environment(on_record, reading.tpAmb) else None


def _on_record(reading: Reading, found: RegisteredEvent) -> Answer:
    """A linked cancellation event; unless the situation is 101 as well, the event's own code is what decides."""
    answer = replace(
        reading.by(codes.LOOK_UP["101"]),
        protocol=found.protocol,
        registered_at=found.registered_at,
        evidence=found.evidence,
    )
    return answer if answer.code == "101" else replace(answer, code=found.cStat, message=None)


def to_download(reading: Reading) -> Answer:
    """The answer to a download: CANCELLED with the event, or UNKNOWN where it is not to be had (yet).

    The event itself is what agrees: only a whole one, of our key and registered, counts.
    """
    xml = reading.xml
    if xml is None or reading.reply.cStat not in codes.REGISTERED_EVENT:
        return _no_telling(reading)
    if reading.names_another_key():
        return transport_answers.of_inquiry(reading.unreadable(ANOTHER_KEY))
    if not xml.is_cancellation_of(reading.chBPe, codes.REGISTERED_EVENT):
        return transport_answers.of_inquiry(reading.unreadable(event.DISAGREES))
    return reading.registered(codes.CANCEL["135"])


def _by_authority(reading: Reading, table: Mapping[str, Rule]) -> Rule | None:
    cStat = reading.reply.cStat
    code, words = codes.ABUSE_BY_TEXT
    if cStat == code and words in (reading.reply.words or "").lower():
        return codes.ABUSE
    return table.get(cStat) if cStat else None


def _access_refused(reading: Reading) -> Rule | None:
    """The account's rule, where the provider itself and not some firewall refused the token."""
    if reading.reply.status == "-401":
        return codes.STATUS["-401"]
    rule = codes.HTTP.get(reading.received.status)
    return rule if rule and rule.reaction is Reaction.ACCOUNT and reading.reply.is_own else None


def _by_provider(reading: Reading) -> Rule | None:
    """The rule for an answer whose `cStat`, if there is one, is in no table."""
    reply = reading.reply
    if reply.cStat is not None:
        return codes.UNCLASSIFIED if reply.status == "-3" else None
    if reply.status is not None and reply.status in codes.STATUS:
        return codes.STATUS[reply.status]
    rule = codes.HTTP.get(reading.received.status)
    return rule if rule and rule.reaction is Reaction.REJECTED and (reply.is_own or reply.is_empty) else None


def _duplicate(reading: Reading, rule: Rule) -> Answer:
    """A duplicate: protocol and time are the original event's, from the suffix of the text if that is there."""
    words = reading.reply.words or ""
    protocol, time = _ORIGINAL_PROTOCOL.search(words), _ORIGINAL_TIME.search(words)
    return replace(
        reading.by(rule),
        protocol=protocol[1] if protocol else None,
        registered_at=time[1] if time else None,
    )


def _no_telling(reading: Reading) -> Answer:
    """A look-up or download that leaves the matter open; trouble with account or service reads as it ever does."""
    trouble = _by_authority(reading, codes.TROUBLE) or _access_refused(reading)
    if trouble is not None:
        return reading.by(trouble)
    rule = codes.NO_TELLING if _is_understood(reading) else codes.UNREADABLE
    return transport_answers.of_inquiry(reading.by_http() or reading.by(rule))


def _is_understood(reading: Reading) -> bool:
    """Whether a failed look-up or download names a code that is known, of the authority or of the provider."""
    reply = reading.reply
    if reply.cStat in codes.CANCEL or reply.cStat in codes.LOOK_UP:
        return True
    rule = codes.STATUS.get(reply.status or "")
    return rule is not None and rule.reason is not Reason.UNREADABLE_ANSWER
