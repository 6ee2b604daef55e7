"""Accounts: XEP-0133 sections 4.1 to 4.10."""

from __future__ import annotations

from prosody_py.api import CommandError, jid, stanza
from prosody_py.hosts.rostermanager import load_roster

from .administration import account, declare, failed, field, result, several, wrong

COMMANDS: list = []


@declare(COMMANDS, "#add-user", "Add User", account("The Jabber ID for the account to be added"),
         field("password", "The password for this account", "text-private", required=True),
         field("password-verify", "Retype password", "text-private"),
         title="Adding a User", instructions="Fill out this form to add a user.",
         needs=["user create"], accounts=True)
def add_user(run, fields):
    """Section 4.1; an e-mail address and a name are not asked for, nothing here keeps them."""
    again = fields.get("password-verify")
    if again is not None and again != fields["password"]:
        raise wrong("The two passwords differ")
    address = run.own(fields["accountjid"])
    return run.do("user create", address, fields["password"], done="Account successfully created")


@declare(COMMANDS, "#delete-user", "Delete User", several("The Jabber ID(s) to delete"),
         title="Deleting a User", instructions="Fill out this form to delete a user.",
         needs=["user delete"], accounts=True)
def delete_user(run, fields):
    """Section 4.2."""
    return run.each(fields["accountjids"], "user delete", "Deleted")


@declare(COMMANDS, "#disable-user", "Disable User", several("The Jabber ID(s) to disable"),
         title="Disabling a User", instructions="Fill out this form to disable a user.",
         needs=["user disable"], accounts=True)
def disable_user(run, fields):
    """Section 4.3."""
    return run.each(fields["accountjids"], "user disable", "Disabled")


@declare(COMMANDS, "#reenable-user", "Re-Enable User", several("The Jabber ID(s) to re-enable"),
         title="Re-Enable a User", instructions="Fill out this form to re-enable a user.",
         needs=["user enable"], accounts=True)
def reenable_user(run, fields):
    """Section 4.4."""
    return run.each(fields["accountjids"], "user enable", "Enabled")


@declare(COMMANDS, "#end-user-session", "End User Session",
         several("The Jabber ID(s) for which to end sessions"), title="Ending a User Session",
         instructions="Fill out this form to end a user's session.", needs=["c2s close"],
         accounts=True)
def end_user_session(run, fields):
    """Section 4.5; a full address ends one session, a bare one all of the account."""
    good, notes = [], []
    for address in dict.fromkeys(fields["accountjids"]):
        run.own(address)
        try:
            run("c2s close", address, None)
            good.append(address)
        except CommandError as error:
            notes.append(("error", str(error)))
    if good:
        notes.insert(0, ("info", f"Users were successfully disconnected: {', '.join(good)}"))
    return {"notes": notes}


@declare(COMMANDS, "#change-user-password", "Change User Password",
         account("The Jabber ID for this account"),
         field("password", "The password for this account", "text-private", required=True),
         title="Changing a User Password",
         instructions="Fill out this form to change a user's password.",
         needs=["user password"], accounts=True)
def change_user_password(run, fields):
    """Section 4.7."""
    return run.do("user password", run.own(fields["accountjid"]), fields["password"],
                  done="Password successfully changed")


@declare(COMMANDS, "#get-user-roster", "Get User Roster",
         several("The Jabber ID(s) for which to retrieve the roster"),
         title="Getting a User's Roster",
         instructions="Fill out this form to get a user's roster.", needs=["roster show"],
         accounts=True)
def get_user_roster(run, fields):
    """Section 4.8: a <query/> for each account, inside the form."""
    addresses = [run.own(address) for address in dict.fromkeys(fields["accountjids"])]
    shown = result({"accountjids": addresses}, several("The Jabber ID(s)"))["result"]
    form = shown["layout"].element(shown["values"], "result")
    for address in addresses:
        try:
            run("roster show", address)
        except CommandError as error:
            return failed(error)
        form.add_child(roster_query(run, jid.node(address)))
    return {"result": form}


def roster_query(run, username):
    """Return a roster as jabber:iq:roster has it."""
    query = stanza.stanza("query", xmlns="jabber:iq:roster")
    for contact, item in sorted(load_roster(run.server, username, run.host).items()):
        query.tag("item", jid=contact, name=item.name, subscription=item.subscription,
                  ask=item.ask)
        for group in sorted(item.groups):
            query.text_tag("group", group)
        query.up()
    return query.reset()


@declare(COMMANDS, "#get-user-lastlogin", "Get User Last Login Time",
         several("The Jabber ID(s) for which to retrieve the last login time"),
         title="Getting a User's Last Login Time",
         instructions="Fill out this form to get a user's last login time.",
         needs=["user activity"], accounts=True)
def get_user_lastlogin(run, fields):
    """Section 4.9: an account and its time after the other; "" for one that was never here."""
    addresses = [run.own(address) for address in dict.fromkeys(fields["accountjids"])]
    times = []
    for address in addresses:
        try:
            facts = dict(run.rows("user activity", address))
        except CommandError as error:
            return failed(error)
        times.append(facts.get("last login") or "")
    return result({"accountjids": addresses, "lastlogin": times},
                  several("The Jabber ID(s)"),
                  field("lastlogin", "Last login time", "text-multi" if len(times) > 1
                        else "text-single"))


@declare(COMMANDS, "#user-stats", "Get User Statistics", account("The Jabber ID for statistics"),
         title="Get User Statistics", instructions="Fill out this form to gather user statistics.",
         needs=["user show"], accounts=True)
def user_stats(run, fields):
    """Section 4.10; stanzas and logins are not counted for each account."""
    try:
        facts = run.rows("user show", run.own(fields["accountjid"]))
    except CommandError as error:
        return failed(error)

    def all_of(what):
        return [str(value) for name, value in facts if name == what]

    return result(
        {"ipaddresses": all_of("ip"), "rostersize": all_of("contacts")[0],
         "onlineresources": all_of("resource")},
        field("ipaddresses", "IP addresses of the account's sessions", "list-multi"),
        field("rostersize", "Number of roster items"),
        field("onlineresources", "Names of the account's sessions", "text-multi"))

