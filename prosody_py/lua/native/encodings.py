"""Base64, UTF-8, stringprep, IDNA, and what looks alike."""

import binascii
import re
from collections.abc import Callable

from prosody_py.xmpp import confusables, prep

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


def skeleton(data: bytes) -> bytes | None:
    """Return a form that is the same for strings which look the same (Unicode TS 39)."""
    try:
        return confusables.skeleton(data.decode()).encode()
    except UnicodeDecodeError:
        return None


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
