"""XEP-0484: FAST, logging in with a token in one round trip.

A client that has logged in in full can ask for a token (`<request-token/>`), bound to the id of
its user-agent and to one HT mechanism, and from then on authenticates with that. The tokens are in
a store (see tokens.py). A token that is older than `sasl2_fast_token_min_ttl` is exchanged when it
is used; the one before holds until the new one is used. All tokens of an account end with its
password. What the client asks for is kept on the session (`fast_token_request`) and done when the
login has succeeded. TLS early data is not read by this server, so `tls-0rtt` is not offered; a
`count` has to grow all the same.
"""

from __future__ import annotations

import time

from prosody_py.api import Event, Options, array, datetime, enum, hook, integer, period, stanza
from prosody_py.sessions.authentication import AccountProfile
from prosody_py.xmpp import sasl

from .tokens import Tokens

DEPENDS = ("sasl2",)
SASL2 = "urn:xmpp:sasl:2"
XMLNS = "urn:xmpp:fast:0"
MAX_COUNT = 2 ** 53


class Config(Options):
    """How long tokens hold, and how they are proved."""

    sasl2_fast_token_ttl = period("21 days", min="1 minute",
                                  doc="Time after which a token cannot be used any more.")
    sasl2_fast_token_min_ttl = period("1 day", min="0 seconds",
                                      doc="Age from which a token is exchanged when it is used.")
    sasl2_fast_hashes = array(("SHA-256",), of=enum(*sasl.HT_HASHES),
                              doc="Hashes of the HT mechanisms that are offered.")
    sasl2_fast_clients = integer(50, min=1, max=10_000,
                                 doc="Clients of an account that can have tokens; with more, "
                                     "those of the oldest end.")


def load(module):
    """Open the store; say what other modules may ask (as Prosody's module does)."""
    options = module.options
    tokens = module.tokens = Tokens(
        module.open_store("fast_tokens", "keyval+"), module.server.secret(f"fast {module.host}"),
        options.sasl2_fast_token_ttl, options.sasl2_fast_clients)

    def is_client_fast(username, client_id, last_password_change=None):
        """Whether a client has a token that is newer than the password."""
        return tokens.has(username, client_id, last_password_change)

    def revoke_fast_tokens(username, client_id):
        """Take a client's tokens."""
        tokens.revoke(username, client_id)
        return True

    module.exports.is_client_fast = is_client_fast
    module.exports.revoke_fast_tokens = revoke_fast_tokens


# -- what is offered -----------------------------------------------------------------------


@hook("advertise-sasl-features")
def offer(module, event):
    """Offer the mechanisms that tokens can be used with on this connection."""
    session, users = event.origin, module.host_object.users
    names = session.extras["fast_mechanisms"] = []
    if not session.secure or users is None or users.allows_anonymous():
        return
    disabled = module.server.config.get(module.host, "disable_sasl_mechanisms") or ()
    bindings = AccountProfile(session).channel_bindings()
    names += [name for name in sasl.ht_mechanisms(module.options.sasl2_fast_hashes, bindings)
              if name not in disabled]
    if names:
        event.features.tag("fast", xmlns=XMLNS)
        for name in names:
            event.features.text_tag("mechanism", name)
        event.features.up()


# -- what the client asks for --------------------------------------------------------------


class TokenUse(AccountProfile):
    """Answers the questions of an HT mechanism for one session (xmpp.sasl.ht.TokenProfile).

    `rotate` says after success that the token is old enough to be exchanged.
    """

    rotate = False

    def __init__(self, module, session, client_id: str, count: int | None, invalidate: bool):
        super().__init__(session)
        self.module, self.client_id = module, client_id
        self.count, self.invalidate = count, invalidate

    def token(self, username, mechanism, proves):
        """Return the token that the client has proved to know."""
        self.claimed = username
        found = self.module.tokens.use(username, self.client_id, mechanism, self.count, proves,
                                       self.invalidate)
        if found is None:
            return None
        token, issued_at = found
        age = time.time() - issued_at
        self.rotate = not self.invalidate and age > self.module.options.sasl2_fast_token_min_ttl
        return token


@hook(f"stanza/{SASL2}:authenticate", priority=100)
def note(module, event):
    """Let the client prove a token; keep whether it asks for one."""
    session, element = event.origin, event.stanza
    if session.type != "c2s_unauthed":
        return
    offered = session.extras.get("fast_mechanisms") or []
    request = element.get_child("request-token", XMLNS)
    wanted = request.attr.get("mechanism") if request is not None else None
    session.extras["fast_token_request"] = wanted if wanted in offered else None
    fast = element.get_child("fast", XMLNS)
    if fast is None:
        return
    client_id = element.get_child_attr("user-agent", None, "id")
    count = fast.attr.get("count")
    if not client_id:
        event.failure = sasl.Failure("malformed-request", "A token needs the user-agent's id")
    elif count is not None and not (count.isascii() and count.isdigit()
                                    and 0 < int(count[:17]) < MAX_COUNT):
        event.failure = sasl.Failure("malformed-request", "This is not a count")
    else:
        use = TokenUse(module, session, client_id, int(count) if count else None,
                       fast.attr.get("invalidate") in ("1", "true"))
        event.sasl_handler = sasl.Exchange(element.attr.get("mechanism", ""), use,
                                           advertised=offered)


# -- what it gets --------------------------------------------------------------------------


@hook("sasl2/c2s/success", priority=900)
def remember(module, event):
    """Keep what is asked for beside the session, which may be given up for a resumed one."""
    session = event.session
    mechanism, profile = session.extras.get("fast_token_request"), session.sasl_handler.profile
    if mechanism is None and isinstance(profile, TokenUse) and profile.rotate:
        mechanism = session.sasl_handler.selected
    if session.sasl_handler.role is not None:
        mechanism = None  # who may do less than the account must not come back with all of it
    session.extras["fast_token_request"] = None
    event.fast = mechanism, session.username, session.extras.get("client_id")


@hook("sasl2/c2s/success", priority=75)
def give(module, event):
    """Give the client a token."""
    mechanism, username, client_id = event.fast
    if mechanism is None or not client_id:
        return
    token, expires_at = module.tokens.issue(username, client_id, mechanism)
    event.success.add_child(stanza.stanza(
        "token", xmlns=XMLNS, token=token, expiry=datetime.format_datetime(expires_at)))


@hook("user-password-changed")
@hook("user-password-reset")
@hook("user-deleted")
def revoke(module, event: Event):
    """All clients have to log in in full again."""
    module.tokens.revoke_all(event.username)
