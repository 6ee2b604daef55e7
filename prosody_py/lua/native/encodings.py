"""Base64, UTF-8, stringprep, IDNA, and what looks alike."""

import binascii
import re
from collections.abc import Callable
from unicodedata import combining, normalize

from prosody_py.xmpp import prep

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_WHITE_SPACE = re.compile(rb"[\s\x00]+")
_GROUPS = re.compile(rb"([A-Za-z0-9+/]+)=*")


def base64_encode(data: bytes) -> bytes:
    """Return `data` in base64 (RFC 4648 section 4) on one line."""
    return binascii.b2a_base64(data, newline=False)


def base64_decode(text: bytes) -> bytes | None:
    """Return what the base64 `text` holds, None when it has a foreign character.

    White space is skipped, padding may be missing, and padding in the middle starts a new part;
    characters at the end that are too few for a byte are ignored.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        pass
    text = _WHITE_SPACE.sub(b"", text)
    if _NOT_BASE64.search(text):
        return None
    out = []
    for part in _GROUPS.findall(text):
        if len(part) % 4 == 1:
            part = part[:-1]
        out.append(binascii.a2b_base64(part + b"=" * (-len(part) % 4)))
    return b"".join(out)


def utf8_valid(data: bytes) -> bool:
    """Return whether `data` is UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _on_bytes(function: Callable[..., str], **options: bool) -> Callable[..., bytes | None]:
    """Let a function on text take bytes and return None where it raises."""
    def call(data: bytes, strict: object = None) -> bytes | None:
        try:
            text = data.decode()
            return function(text, **{key: bool(strict) for key in options}).encode()
        except ValueError:
            return None

    return call


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


def skeleton(data: bytes) -> bytes | None:
    """Return a form that is the same for strings which look the same (Unicode TS 39)."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if not text.isascii():
        text = "".join(map(_plain_form, normalize("NFD", text)))
    text = normalize("NFD", text.translate(_LOOKALIKES))
    return text.encode()


def functions() -> dict[str, Callable]:
    """Return the functions of util.encodings under flat names."""
    return {
        "base64_encode": base64_encode,
        "base64_decode": base64_decode,
        "utf8_valid": utf8_valid,
        "nodeprep": _on_bytes(prep.nodeprep, strict=True),
        "nameprep": _on_bytes(prep.nameprep, strict=True),
        "resourceprep": _on_bytes(prep.resourceprep, strict=True),
        "saslprep": _on_bytes(prep.saslprep, strict=True),
        "idna_to_ascii": _on_bytes(prep.idna_to_ascii),
        "idna_to_unicode": _on_bytes(prep.idna_to_unicode),
        "skeleton": skeleton,
    }
