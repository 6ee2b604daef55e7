"""What passwords have to be like, when an account is made and when a password is changed.

Other modules ask before they set one: `depends("password_policy")` gives `check_password` and
`get_policy`.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import Options, StanzaError, boolean, hook, integer, mapping

REGISTER = "jabber:iq:register"
_SHORTEST_NAME = 3  # a username that is shorter is part of many good passwords by chance


class Config(Options):
    """The policy."""

    password_policy = mapping(fields={
        "length": integer(8, min=1, max=1000, doc="Characters that a password has at least."),
        "exclude_username": boolean(True, doc="Whether a password must not contain the username."),
    }, doc="What passwords have to be like.")


_policy: dict[str, Any] = {}  # the settings; a file's names belong to one instance


def load(module):
    """Take the settings."""
    _policy.update(module.options.password_policy)


def get_policy(_module: Any = None) -> dict[str, Any]:
    """Return the settings, `length` and `exclude_username`; Lua may call it with a colon."""
    return _policy


def check_password(password: str | None, info: Any = None) -> tuple:
    """Return True, or None, why not in words, and the name of the rule.

    info: what is known besides: a table with `username`.
    """
    return verdict(password, info.get("username") if info is not None else None)


def verdict(password: str | None, username: str | None) -> tuple:
    """Return what `check_password` returns."""
    if not password:
        return None, "No password was given", "no-password"
    if len(password) < _policy["length"]:
        return None, f"The password needs at least {_policy['length']} characters", "length"
    if _policy["exclude_username"] and username and len(username) >= _SHORTEST_NAME and (
            username.casefold() in password.casefold()):
        return None, "The password must not contain the username", "exclude_username"
    return (True,)


@hook("user-registering", priority=10)
def check_new_account(module, event):
    """Refuse an account whose password is too weak; who has set it elsewhere has checked it."""
    password = getattr(event, "password", None)
    if password is None:
        return
    ok, *why = verdict(password, event.username)
    if not ok:
        event.allowed, event.reason = False, why[0]
        event.error_type, event.error_condition = "modify", "not-acceptable"


@hook(f"iq-set/self/{REGISTER}:query", priority=10)
@hook(f"iq-set/host/{REGISTER}:query", priority=10)
def check_change(module, event):
    """Refuse a change to a password that is too weak."""
    query = event.stanza.tags[0]
    password = query.get_child_text("password")
    if password is None or query.get_child("remove") is not None:
        return
    ok, *why = verdict(password, getattr(event.origin, "username", None))
    if not ok:
        raise StanzaError("not-acceptable", why[0], type="modify")
