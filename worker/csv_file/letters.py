"""How well a text reads as Spanish or Portuguese: what tells encodings of one byte a letter apart."""

import re
from itertools import islice

_USUAL = frozenset("áàâãéêíóôõúüçñÁÀÂÃÉÊÍÓÔÕÚÜÇÑªº°§¿¡“”‘’–")
_VOWELS = "aeiouáàâãéêíóôõú"
_STRAY_CEDILLA = re.compile(rf"(?<![{_VOWELS}])(?<![{_VOWELS}][lnrcp])ç|ç(?![{_VOWELS}])", re.IGNORECASE)
"""Where no word has it: NÇO is a NÃO of the code page 850, rodoviçria a rodoviária of the Macintosh."""
_UNLIKELY = re.compile(
    r"[a-zà-ÿ][À-Þ]"  # JosÚ
    r"|[à-ÿ][A-Z]"  # éLTIMO
    r"|[A-Z]{2}[à-ÿ]"  # AVâ
    r"|\b[ÂÃÊÍÓÔÕÚâãêíôõú]\b"  # viagem Ó cidade
    r"|[à-ÿ]\d|\d[à-ÿ]"  # 5 õ2
    r"|\w§"  # 1§ assento
    r"|[ÂÃ][ºª°¡¿]"  # Ãºltimo
)
_WORD = re.compile(r'[^\s,;"]+')
_IMPOSSIBLE = 2
"""Weight of what stands in no text; that of what stands in few is 1."""


def strangeness(text: str) -> int:
    """What speaks against a reading: 0 where nothing does."""
    foreign = sum(not (letter.isascii() or letter in _USUAL) for letter in text)
    stray = len(_STRAY_CEDILLA.findall(text))
    return _IMPOSSIBLE * (foreign + stray) + len(_UNLIKELY.findall(text))


def telling_words(text: str, *, unlike: str = "", most: int = 3) -> tuple[str, ...]:
    """The first different words with other letters than those of English, without those that `unlike` has too."""
    words = dict.fromkeys(word for word in _WORD.findall(text) if not word.isascii())
    others = set(_WORD.findall(unlike))
    return tuple(islice((word for word in words if word not in others), most))
