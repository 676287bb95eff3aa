"""Numbers as list markers print them. Called by the readers whose formats count by themselves."""

_ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def ordinal(number: int, style: str) -> str:
    """The number in a style: `1`, `a`, `A`, `i` or `I`; one below 1 or beyond the style in digits."""
    if style in ("a", "A") and 1 <= number <= 52:
        letters = chr(97 + (number - 1) % 26) * (1 + (number - 1) // 26)
        return letters if style == "a" else letters.upper()
    if style in ("i", "I") and 1 <= number <= 399:
        return _roman(number) if style == "i" else _roman(number).upper()
    return str(number)


def _roman(number: int) -> str:
    found = ""
    for value, letters in _ROMAN:
        while number >= value:
            found += letters
            number -= value
    return found
