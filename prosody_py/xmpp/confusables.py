"""Texts that look the same (Unicode Technical Standard 39), such as "paypal" and "p\u0430ypal"."""

from __future__ import annotations

from unicodedata import combining, normalize

# What is drawn like a Latin letter or digit, after decomposition (a selection from Unicode TS 39).
_LOOKALIKE_TEXT = {
    "a": "\u0430\u03b1\u0251", "c": "\u0441\u03f2", "d": "\u0501", "e": "\u0435\u04bd",
    "g": "\u0261\u0581", "h": "\u04bb\u0570", "i": "\u0456\u03b9\u0131", "j": "\u0458\u03f3",
    "k": "\u03ba", "l": "1I|\u01c0\u04cf\u2113\u0661\u06f1", "n": "\u0578",
    "o": "\u043e\u03bf\u0585\u03c3",
    "p": "\u0440\u03c1", "q": "\u051b\u0566", "s": "\u0455", "u": "\u03c5\u057d",
    "v": "\u03bd\u0475", "w": "\u051d", "x": "\u0445\u03c7", "y": "\u0443\u03b3", "z": "\u1d22",
    "A": "\u0410\u0391", "B": "\u0412\u0392", "C": "\u0421\u03f9", "E": "\u0415\u0395",
    "H": "\u041d\u0397", "J": "\u0408", "K": "\u041a\u039a", "M": "\u041c\u039c", "N": "\u039d",
    "O": "\u041e\u039f", "P": "\u0420\u03a1", "S": "\u0405", "T": "\u0422\u03a4",
    "X": "\u0425\u03a7", "Y": "\u04ae\u03a5", "Z": "\u0396", "b": "\u044c",
    "-": "\u2010\u2011\u2012\u2013\u2212", "/": "\u2044\u2215", ".": "\u2024", "rn": "m",
}
_LOOKALIKES = str.maketrans(
    {char: target for target, chars in _LOOKALIKE_TEXT.items() for char in chars}
    | {"0": "O", '"': "''"}
)


def _plain_form(char: str) -> str:
    """Return the letters that a ligature, a wide or a mathematical letter stands for."""
    plain = normalize("NFKD", char)
    return plain if all(part.isascii() or combining(part) for part in plain) else char


def skeleton(text: str) -> str:
    """Return a form that is the same for texts which look the same; it is not for people."""
    if not text.isascii():
        text = "".join(map(_plain_form, normalize("NFD", text)))
    return normalize("NFD", text.translate(_LOOKALIKES))
