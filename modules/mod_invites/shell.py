"""Invitations from the shell and from the command line; names and options are Prosody's."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from prosody_py.api import StanzaError, datetime, jid
from prosody_py.config.values import period
from prosody_py.hosts import users

from .invite import is_over

SECTION = "invite"


def commands(module) -> list[dict[str, Any]]:
    """Return the shell's commands."""
    def command(name, desc, handler, args, flags=None):
        item = {"section": SECTION, "section_desc": "Create and manage invitations", "name": name,
                "desc": desc, "handler": handler, "host_selector": args[0]["name"],
                "args": args}
        return {**item, "flags": flags} if flags else item

    account = [{"name": "user_jid", "type": "string"}]
    token = [{"name": "host", "type": "host"}, {"name": "token", "type": "string"}]
    return [
        command("create_account", "Invite somebody to make an account USER@HOST, or any on HOST",
                lambda call, user_jid, flags=None: create_account(module, user_jid, flags or {}),
                account, {"value_params": {"role": True, "expires_after": True},
                          "array_params": {"group": True}}),
        command("create_reset", "Let somebody choose a new password for an account",
                lambda call, user_jid, flags=None: create_reset(module, user_jid, flags or {}),
                account, {"value_params": {"expires_after": True}}),
        command("create_contact", "Invite somebody to become a contact of an account",
                lambda call, user_jid, flags=None: create_contact(module, user_jid, flags or {}),
                account, {"value_params": {"expires_after": True}}),
        command("list", "List the open invitations of a host",
                lambda call, host: list_open(module), token[:1]),
        command("show", "Show what an invitation is for",
                lambda call, host, token: show(module, token), token),
        command("delete", "Take an invitation back",
                lambda call, host, token: delete(module, token), token)]


def lifetime(flags: dict[str, Any]) -> float | None:
    """Return the seconds of --expires-after; raises ValueError."""
    text = flags.get("expires_after")
    try:
        return None if text is None else period(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a period such as \"3 days\"") from None


def told(make: Callable[[], Any]) -> tuple[bool, str]:
    """Return what the shell says of an invitation that `make` makes."""
    try:
        invite = make()
    except (StanzaError, ValueError, TypeError) as error:
        return False, getattr(error, "text", None) or str(error)
    return True, invite.landing_page or invite.uri


def create_account(module, address: str, flags: dict[str, Any]) -> tuple[bool, str]:
    """Make an invitation for an account with a name, or for one without."""
    prepared = jid.prep(address)
    if prepared is None or jid.resource(prepared):
        return False, f"{address} is no account and no host"
    username = jid.node(prepared)
    if username and users.user_exists(module.server, username, module.host):
        return False, f"The account {prepared} exists; create_reset is for a new password"
    additional = {"source": "shell"}
    if flags.get("role"):
        additional["roles"] = [str(flags["role"])]
    if flags.get("group"):
        additional["groups"] = [str(group) for group in flags["group"]]
    return told(lambda: module.exports.create_account(username, additional, lifetime(flags)))


def existing(module, address: str) -> str | None:
    """Return the user name of an account that exists."""
    username = jid.node(jid.prep(address))
    found = username and users.user_exists(module.server, username, module.host)
    return username if found else None


def create_reset(module, address: str, flags: dict[str, Any]) -> tuple[bool, str]:
    """Make an invitation to choose a new password."""
    username = existing(module, address)
    if username is None:
        return False, f"There is no account {address}"
    return told(lambda: module.exports.create_account_reset(username, lifetime(flags)))


def create_contact(module, address: str, flags: dict[str, Any]) -> tuple[bool, str]:
    """Make an invitation to become somebody's contact."""
    username = existing(module, address)
    if username is None:
        return False, f"There is no account {address}"
    return told(lambda: module.exports.create_contact(
        username, bool(flags.get("allow_registration")), {"source": "shell"}, lifetime(flags)))


def list_open(module) -> tuple[bool, str]:
    """Tell what is open, one line each."""
    now = time.time()
    lines = [f"{invite.token}  {invite.type:8}  {invite.jid}  until "
             f"{datetime.format_datetime(invite.expires)}"
             for invite in module.invites if not is_over(invite, now)]
    return True, "\n".join([*lines, f"{len(lines)} open invitations"])


def show(module, token: str) -> tuple[bool, str]:
    """Tell what an invitation is for."""
    invite = module.invites.get(token)
    if invite is None:
        return False, "There is no such invitation"
    return True, "\n".join(f"{name}: {value}" for name, value in invite.stored().items())


def delete(module, token: str) -> tuple[bool, str]:
    """Take an invitation back."""
    if not module.invites.remove(token):
        return False, "There is no such invitation"
    return True, "The invitation is gone"


def generate(server, words: list[str]) -> int:
    """Make an invitation from the command line and print it; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="prosody-py module command invites", exit_on_error=False, add_help=False)
    parser.add_argument("action", choices=["generate"])
    parser.add_argument("host", choices=sorted(server.hosts))
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
    exports = server.modules.load(given.host, "invites").exports
    done, text = told(lambda: exports.create_account_reset(given.reset, ttl) if given.reset
                      else exports.create_account(None, additional, ttl))
    print(text)
    return 0 if done else 1
