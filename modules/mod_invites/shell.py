"""Invitations from the shell and from the command line; names and options are Prosody's."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from prosody_py.api import CommandError, StanzaError, Table, command, datetime, jid
from prosody_py.config.values import period
from prosody_py.hosts import users

from .invite import is_over

EXPIRES = {"value_params": {"expires_after"}}
ACCOUNT = {"value_params": {"role", "expires_after"}, "array_params": {"group"}}
CONTACT = {"value_params": {"expires_after"}}


def lifetime(flags: dict[str, Any]) -> float | None:
    """Return the seconds of --expires-after; raises ValueError."""
    text = flags.get("expires_after")
    try:
        return None if text is None else period(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a period such as \"3 days\"") from None


def made(make: Callable[[], Any]) -> str:
    """Return the address of an invitation that `make` makes; raises CommandError."""
    try:
        invite = make()
    except (StanzaError, ValueError) as error:
        raise CommandError(getattr(error, "text", None) or str(error)) from None
    return invite.landing_page or invite.uri


@command("invite", "create_account", "jid:string", host_selector="jid", flags=ACCOUNT,
         help="Invitations")
def invite_account(module, call, address, flags):
    """Invite somebody to make an account: USER@HOST, or any on HOST.

    --role ROLE, --group GROUP, --expires-after TIME.
    """
    prepared = jid.prep(address)
    if prepared is None or jid.resource(prepared):
        raise CommandError(f"{address} is no account and no host")
    username = jid.node(prepared)
    if username and users.user_exists(module.server, username, module.host):
        raise CommandError(f"The account {prepared} exists; create_reset is for a new password")
    additional = {"source": call.who or "shell"}
    if flags.get("role"):
        additional["roles"] = [str(flags["role"])]
    if flags.get("group"):
        additional["groups"] = [str(group) for group in flags["group"]]
    return made(lambda: module.exports.create_account(username, additional, lifetime(flags)))


def existing(module, address: str) -> str:
    """Return the user name of an account that exists; raises CommandError."""
    username = jid.node(address)
    if not users.user_exists(module.server, username, module.host):
        raise CommandError(f"There is no account {address}", "item-not-found")
    return username


@command("invite", "create_reset", "jid:bare_jid", flags=EXPIRES)
def invite_reset(module, call, address, flags):
    """Let somebody choose a new password for an account (--expires-after TIME)."""
    username = existing(module, address)
    return made(lambda: module.exports.create_account_reset(username, lifetime(flags)))


@command("invite", "create_contact", "jid:bare_jid", flags=CONTACT)
def invite_contact(module, call, address, flags):
    """Invite somebody to become a contact of an account.

    --allow-registration: and to make an account here; --expires-after TIME.
    """
    username = existing(module, address)
    return made(lambda: module.exports.create_contact(
        username, bool(flags.get("allow_registration")), {"source": call.who or "shell"},
        lifetime(flags)))


@command("invite", "list", "host:host")
def list_open(module, call, host):
    """List the open invitations of a host."""
    now = time.time()
    return Table(("token", "type", "for", "until"), [
        (invite.token, invite.type, invite.jid, datetime.format_datetime(invite.expires))
        for invite in module.invites if not is_over(invite, now)])


@command("invite", "show", "host:host", "token:string")
def show(module, call, host, token):
    """Show what an invitation is for."""
    invite = module.invites.get(token)
    if invite is None:
        raise CommandError("There is no such invitation", "item-not-found")
    return Table(("what", "value"), [(name, str(value))
                                     for name, value in invite.stored().items()])


@command("invite", "delete", "host:host", "token:string")
def delete(module, call, host, token):
    """Take an invitation back."""
    if not module.invites.remove(token):
        raise CommandError("There is no such invitation", "item-not-found")
    return "The invitation is gone"


def generate(hosts: list[str], functions_on: Callable[[str], Any], words: list[str]) -> int:
    """Make an invitation from the command line and print it; return the exit code.

    `functions_on(host)` gives the functions of a host.
    """
    parser = argparse.ArgumentParser(
        prog="prosody-py module command invites", exit_on_error=False, add_help=False)
    parser.add_argument("action", choices=["generate"])
    parser.add_argument("host", choices=hosts)
    parser.add_argument("--reset", metavar="USERNAME")
    parser.add_argument("--role", action="append", default=[])
    parser.add_argument("--admin", action="append_const", dest="role", const="prosody:admin")
    parser.add_argument("--group", action="append", default=[])
    parser.add_argument("--expires-after", dest="expires_after", metavar="PERIOD")
    try:
        given = parser.parse_args(words)
        ttl = lifetime({"expires_after": given.expires_after})
    except (argparse.ArgumentError, ValueError, SystemExit) as error:
        print(f"{error}\n{parser.format_usage()}")
        return 2
    additional: dict[str, Any] = {"source": "command"}
    if given.role:
        additional["roles"] = given.role
    if given.group:
        additional["groups"] = given.group
    exports = functions_on(given.host)
    print(made(lambda: exports.create_account_reset(given.reset, ttl) if given.reset
               else exports.create_account(None, additional, ttl)))
    return 0
