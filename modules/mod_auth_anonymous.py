"""Anybody may log in and gets a name of the server's choice (XEP-0175, RFC 4505)."""

from __future__ import annotations

import secrets

from prosody_py.hosts.users import AuthProvider


class Anonymous(AuthProvider):
    """The provider of one host; an account exists while somebody is logged in with it."""

    name = "anonymous"

    def __init__(self, module):
        self.module = module

    def user_exists(self, username):
        return username in self.module.host_object.sessions

    def users(self):
        return list(self.module.host_object.sessions)

    def allows_anonymous(self):
        return True

    def anonymous_username(self):
        return secrets.token_hex(10)


def load(module):
    """Offer anonymous accounts."""
    module.provides("auth", Anonymous(module))
