"""The errors of RFC 6120: of a stream (section 4.9) and of a stanza (section 8.3).

Both are exceptions, so code anywhere below a session raises them and one place answers.
"""

from __future__ import annotations

# RFC 6120 section 8.3.3: the error type that belongs to a condition unless said otherwise.
STANZA_ERROR_TYPES = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "redirect": "modify",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    "undefined-condition": "cancel",
    "unexpected-request": "wait",
}

STREAM_CONDITIONS = frozenset((
    "bad-format", "bad-namespace-prefix", "conflict", "connection-timeout", "host-gone",
    "host-unknown", "improper-addressing", "internal-server-error", "invalid-from",
    "invalid-namespace", "invalid-xml", "not-authorized", "not-well-formed",
    "policy-violation", "remote-connection-failed", "reset", "resource-constraint",
    "restricted-xml", "see-other-host", "system-shutdown", "undefined-condition",
    "unsupported-encoding", "unsupported-feature", "unsupported-stanza-type",
    "unsupported-version",
))


class StreamError(Exception):
    """Ends a stream with `condition` (RFC 6120 section 4.9.3) and an optional text."""

    def __init__(self, condition: str, text: str | None = None):
        if condition not in STREAM_CONDITIONS:
            raise ValueError(f"{condition!r} is not a stream error condition")
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition
        self.text = text


class StanzaError(Exception):
    """Answers the stanza being handled with an error (RFC 6120 section 8.3).

    `condition` is a name of section 8.3.3, `type` one of auth, cancel, continue, modify, wait
    (the one that RFC 6120 gives for the condition unless named), `text` a sentence for people,
    `extra` an application-specific condition element.
    """

    def __init__(self, condition: str, text: str | None = None, *, type: str | None = None,
                 extra=None):
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition
        self.type = type or STANZA_ERROR_TYPES.get(condition, "cancel")
        self.text = text
        self.extra = extra
