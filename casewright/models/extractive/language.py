"""A guess at the language of a text: by script, else by its commonest small words."""

import re
import unicodedata
from collections import Counter

UNKNOWN = "und"
_SCRIPTS = (
    ("CYRILLIC", "ru"),
    ("HIRAGANA", "ja"),
    ("KATAKANA", "ja"),
    ("HANGUL", "ko"),
    ("CJK", "zh"),
    ("ARABIC", "ar"),
    ("HEBREW", "he"),
    ("GREEK", "el"),
    ("DEVANAGARI", "hi"),
    ("THAI", "th"),
)
_SMALL_WORDS = {
    "en": "the and to of i my was that they for in it is on with have not this",
    "es": "el la de que y en los las por con una mi no se para es del",
    "fr": "le la les de et des que je mon dans une pour est pas sur avec ce",
    "de": "der die und ich das nicht ist mein den mit auf ein eine zu von wurde",
    "pt": "o a de que e em os as por com uma meu não se para do da",
    "it": "il la di che e in i le per con una mio non si è del della",
}
_WORD = re.compile(r"[^\W\d_]+")
_LEAST = 2
_READ = 4_000


def language_of(text: str) -> str:
    """An ISO 639 code, or `und` when nothing tells."""
    start = text[:_READ]
    script = _script(start)
    if script:
        return script
    words = Counter(_WORD.findall(start.casefold()))
    counts = {code: sum(words[word] for word in small.split()) for code, small in _SMALL_WORDS.items()}
    code = max(counts, key=lambda one: (counts[one], one == "en"))
    return code if counts[code] >= _LEAST else UNKNOWN


def _script(text: str) -> str:
    letters = [character for character in text if character.isalpha()]
    found = Counter(code for character in letters for name, code in _SCRIPTS if _named(character, name))
    if not found:
        return ""
    if found["ja"]:
        return "ja"
    code, count = found.most_common(1)[0]
    return code if count * 2 > len(letters) else ""


def _named(character: str, script: str) -> bool:
    return unicodedata.name(character, "").startswith(script)
