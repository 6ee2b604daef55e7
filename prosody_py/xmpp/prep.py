"""Prepare the strings of XMPP addresses and passwords: stringprep profiles and IDNA.

The profiles are nodeprep and resourceprep (RFC 6122 appendices A and B), nameprep (RFC 3491) and
SASLprep (RFC 4013). All are stringprep (RFC 3454), which is frozen at Unicode 3.2; what Unicode got
later is "unassigned". A *query* may contain such code points, a *stored string* should not: that is
the ``strict`` argument. Addresses default to the lax form, because nicknames with newer emoji are
everyday traffic; a password that is about to be stored defaults to the strict one.
"""

import re
import stringprep
from unicodedata import ucd_3_2_0

import idna

__all__ = [
    "MAX_BYTES",
    "PrepError",
    "idna_to_ascii",
    "idna_to_unicode",
    "nameprep",
    "nodeprep",
    "resourceprep",
    "saslprep",
]

MAX_BYTES = 1023
"""Largest size of a part of an address in bytes of UTF-8, before and after preparation."""

MAX_DOMAIN_LENGTH = 254
"""Longest domain name in characters, trailing dot included (RFC 1035)."""


class PrepError(ValueError):
    """Say why a string cannot be prepared; the text never quotes the string."""


# RFC 3454 appendix C, without the ASCII tables C.1.1 and C.2.1.
_NON_ASCII_SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000"
_PROHIBITED = (
    "\u0080-\u009f\u06dd\u070f\u180e\u200c\u200d\u2028\u2029\u2060-\u2063\u206a-\u206f\ufeff"
    "\ufff9-\ufffc\U0001d173-\U0001d17a"  # C.2.2 control characters
    "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"  # C.3 private use
    "\ufdd0-\ufdef"  # C.4 not characters; the last two of every plane follow
    + "".join(chr(i) + chr(i + 1) for i in range(0xFFFE, 0x110000, 0x10000))
    + "\ud800-\udfff"  # C.5 surrogates
    "\ufff9-\ufffd"  # C.6 unfit for plain text
    "\u2ff0-\u2ffb"  # C.7 unfit for canonical representation
    "\u0340\u0341\u200e\u200f\u202a-\u202e"  # C.8 display properties
    "\U000e0001\U000e0020-\U000e007f"  # C.9 tagging
)
_CONTROLS = "\x00-\x1f\x7f"

_RIGHT_TO_LEFT = re.compile(  # appendix D.1, RandALCat
    "[\u05be\u05c0\u05c3\u05d0-\u05ea\u05f0-\u05f4\u061b\u061f\u0621-\u063a\u0640-\u064a"
    "\u066d-\u066f\u0671-\u06d5\u06dd\u06e5\u06e6\u06fa-\u06fe\u0700-\u070d\u0710\u0712-\u072c"
    "\u0780-\u07a5\u07b1\u200f\ufb1d\ufb1f-\ufb28\ufb2a-\ufb36\ufb38-\ufb3c\ufb3e\ufb40\ufb41"
    "\ufb43\ufb44\ufb46-\ufbb1\ufbd3-\ufd3d\ufd50-\ufd8f\ufd92-\ufdc7\ufdf0-\ufdfc\ufe70-\ufe74"
    "\ufe76-\ufefc]"
)


def _deletions() -> dict[int, None]:
    """Build table B.1, what is mapped to nothing, for ``str.translate``."""
    return dict.fromkeys(i for i in range(0x80, 0x10000) if stringprep.in_table_b1(chr(i)))


def _case_folding() -> dict[int, str]:
    """Build table B.2, case folding for use with NFKC, for ``str.translate``.

    The standard library folds with the case mappings of today's Unicode. A pair that was completed
    after Unicode 3.2 must stay as it is, or two servers would see two different addresses.
    """
    ranges = (range(0x2FFF), range(0x3000, 0x3400), range(0xF900, 0x10000))
    astral = (range(0x10400, 0x10450), range(0x1D400, 0x1D800))
    table = {}
    for code in (code for part in (*ranges, *astral) for code in part):
        char = chr(code)
        folded = stringprep.map_table_b2(char)
        if folded != char and not any(ucd_3_2_0.category(c) == "Cn" for c in char + folded):
            table[code] = folded
    return table


_DELETE = _deletions()
_FOLD = _case_folding() | _DELETE
_SASL_MAP = _DELETE | {
    code: " " for code in range(0x80, 0x3001) if stringprep.in_table_c12(chr(code))
}


class _Profile:
    """One stringprep profile: a mapping, a set of forbidden characters, and a fast path."""

    def __init__(self, name: str, mapping: dict, forbidden: str, unchanged: str):
        self.name = name
        self.mapping = mapping
        self.find_forbidden = re.compile(f"[{forbidden}]").search
        # ASCII text that the profile gives back as it is.
        self.is_unchanged = re.compile(rf"[{unchanged}]{{0,{MAX_BYTES}}}\Z").match

    def prepare(self, text: str, strict: bool) -> str:
        """Map, normalise, prohibit and check directions (RFC 3454 section 2)."""
        self.check_size(text)
        result = ucd_3_2_0.normalize("NFKC", text.translate(self.mapping))
        if self.find_forbidden(result):
            raise PrepError(f"{self.name}: prohibited character")
        if strict and any(map(stringprep.in_table_a1, result)):
            raise PrepError(f"{self.name}: character is not in Unicode 3.2")
        if _RIGHT_TO_LEFT.search(result):
            self.check_directions(result)
        self.check_size(result)
        return result

    def check_size(self, text: str) -> None:
        """Refuse text beyond the limit; a lone surrogate has no UTF-8 form at all."""
        try:
            size = len(text) if len(text) > MAX_BYTES else len(text.encode())
        except UnicodeEncodeError:
            raise PrepError(f"{self.name}: lone surrogate") from None
        if size > MAX_BYTES:
            raise PrepError(f"{self.name}: longer than {MAX_BYTES} bytes")

    def check_directions(self, text: str) -> None:
        """Refuse mixed directions (RFC 3454 section 6); ``text`` has right-to-left characters."""
        if any(ucd_3_2_0.bidirectional(char) == "L" for char in text):
            raise PrepError(f"{self.name}: text of both directions")
        if not (_RIGHT_TO_LEFT.match(text[0]) and _RIGHT_TO_LEFT.match(text[-1])):
            raise PrepError(f"{self.name}: right-to-left text must begin and end with its kind")


_ALWAYS = _NON_ASCII_SPACES + _PROHIBITED
_NODE = _Profile("nodeprep", _FOLD, _ALWAYS + _CONTROLS + " \"&'/:<>@", r"!#-%(-.0-9;=?\[-~")
_NAME = _Profile("nameprep", _FOLD, _ALWAYS, r"\x00-@\[-\x7f")
_RESOURCE = _Profile("resourceprep", _DELETE, _ALWAYS + _CONTROLS, " -~")
_SASL = _Profile("saslprep", _SASL_MAP, _ALWAYS + _CONTROLS, " -~")

# Bound once: the attribute lookups would cost as much as the match.
_is_node = _NODE.is_unchanged
_is_name = _NAME.is_unchanged
_is_resource = _RESOURCE.is_unchanged
_is_sasl = _SASL.is_unchanged


def nodeprep(text: str, strict: bool = False) -> str:
    """Prepare a local part (RFC 6122 appendix A); case is folded.

    ``strict`` refuses code points unassigned in Unicode 3.2. Empty text is given back: whether a
    part may be empty is the caller's rule. Raises PrepError.
    """
    if _is_node(text):
        return text
    if text.isascii() and _is_node(lowered := text.lower()):
        return lowered
    return _NODE.prepare(text, strict)


def nameprep(text: str, strict: bool = False) -> str:
    """Prepare a domain part (RFC 3491); case is folded. Arguments and errors as in nodeprep.

    The profile forbids nothing in ASCII; ``jid`` adds the rules for hosts.
    """
    if _is_name(text):
        return text
    if text.isascii() and _is_name(lowered := text.lower()):
        return lowered
    return _NAME.prepare(text, strict)


def resourceprep(text: str, strict: bool = False) -> str:
    """Prepare a resource (RFC 6122 appendix B); case stays. Arguments and errors as in nodeprep."""
    if _is_resource(text):
        return text
    return _RESOURCE.prepare(text, strict)


def saslprep(text: str, strict: bool = True) -> str:
    """Prepare a user name or a password (RFC 4013).

    ``strict`` is for strings that will be stored; pass False for what a client sent to be compared.
    Raises PrepError.
    """
    if _is_sasl(text):
        return text
    return _SASL.prepare(text, strict)


_PLAIN_NAME = re.compile(
    r"(?!xn--)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.(?!xn--))*"
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?\Z"
).match


def idna_to_ascii(text: str) -> str:
    """Return a domain name in the form that DNS and certificates use (IDNA2008, UTS 46).

    Case is folded; a trailing dot stays. Raises PrepError for what is no host name: wrong
    characters, an underscore, an empty or long label, more than 254 characters.
    """
    if len(text) <= MAX_DOMAIN_LENGTH - 1 and _PLAIN_NAME(text):
        return text
    # idna works label by label in more than linear time, so size comes first.
    if len(text) > MAX_DOMAIN_LENGTH:
        raise PrepError(f"domain name longer than {MAX_DOMAIN_LENGTH} characters")
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise PrepError("not a domain name") from error


def idna_to_unicode(text: str) -> str:
    """Return a domain name in the form that people read (IDNA2008, UTS 46).

    Takes and refuses what idna_to_ascii does. Raises PrepError.
    """
    ascii_form = idna_to_ascii(text)
    if "xn--" not in ascii_form:
        return ascii_form
    try:
        return idna.decode(ascii_form)
    except (idna.IDNAError, UnicodeError) as error:
        raise PrepError("not a domain name") from error
