"""The service as a whole: XEP-0133 sections 4.23 to 4.31."""

from __future__ import annotations

from prosody_py.api import CommandError, jid
from prosody_py.api.roles import configured_admins, users_with_role

from .administration import declare, failed, field, wrong

COMMANDS: list = []
ADMIN_ROLE, USER_ROLE = "prosody:admin", "prosody:user"
DELAYS = (("5 seconds", 5), ("30 seconds", 30), ("60 seconds", 60), ("90 seconds", 90),
          ("2 minutes", 120), ("3 minutes", 180), ("4 minutes", 240), ("5 minutes", 300))


@declare(COMMANDS, "#announce", "Send Announcement to Online Users",
         field("subject", "Subject"),
         field("announcement", "Announcement", "text-multi", required=True),
         title="Making an Announcement", instructions="Fill out this form to make an announcement "
         "to all active users of this service.", needs=["announce online"])
def announce(run, fields):
    """Section 4.23."""
    return run.do("announce online", run.host, fields["announcement"],
                  {"subject": fields["subject"]} if fields.get("subject") else {})


def motd_now(run):
    """Return the field with the message of the day that there is."""
    text = run("motd show", run.host)["text"]
    return [field("motd", "Message of the Day", "text-multi", required=True, value=text)]


@declare(COMMANDS, "#set-motd", "Set Message of the Day",
         field("motd", "Message of the Day", "text-multi", required=True),
         title="Setting the Message of the Day",
         instructions="Fill out this form to set the message of the day.", needs=["motd set"])
def set_motd(run, fields):
    """Section 4.24."""
    return run.do("motd set", run.host, fields["motd"])


@declare(COMMANDS, "#edit-motd", "Edit Message of the Day", layout=motd_now,
         title="Editing the Message of the Day",
         instructions="Fill out this form to edit the message of the day.",
         needs=["motd set", "motd show"])
def edit_motd(run, fields):
    """Section 4.25."""
    return run.do("motd set", run.host, fields["motd"])


@declare(COMMANDS, "#delete-motd", "Delete Message of the Day", needs=["motd delete"])
def delete_motd(run, _fields):
    """Section 4.26."""
    return run.do("motd delete", run.host)


def welcome_now(run):
    """Return the field with the welcome message that there is."""
    text = run("welcome show", run.host)["text"]
    return [field("welcome", "Welcome Message", "text-multi", required=True, value=text)]


@declare(COMMANDS, "#set-welcome", "Set Welcome Message", layout=welcome_now,
         title="Setting Welcome Message", instructions="Fill out this form to set the welcome "
         "message for this service.", needs=["welcome set", "welcome show"], accounts=True)
def set_welcome(run, fields):
    """Section 4.27."""
    return run.do("welcome set", run.host, fields["welcome"])


@declare(COMMANDS, "#delete-welcome", "Delete Welcome Message", needs=["welcome delete"],
         accounts=True)
def delete_welcome(run, _fields):
    """Section 4.28."""
    return run.do("welcome delete", run.host)


# -- administrators ------------------------------------------------------------------------


def admins_of(run) -> list[str]:
    """Return who administers the host: by the option, and by their role."""
    given = [f"{name}@{run.host}" for name in users_with_role(run.server, run.host, ADMIN_ROLE)]
    return sorted({*configured_admins(run.server, run.host), *given})


def admins_now(run):
    """Return the field with the administrators that there are."""
    return [field("adminjids", "The admin list", "jid-multi", value=admins_of(run))]


@declare(COMMANDS, "#edit-admin", "Edit Admin List", layout=admins_now,
         title="Editing the Admin List", instructions="Fill out this form to edit the list of "
         "entities who have administrative privileges.", needs=["user setrole"], accounts=True)
def edit_admin(run, fields):
    """Section 4.29: accounts of the host get the role of an administrator or lose it.

    Who is an administrator by the option `admins` cannot be taken from the list here.
    """
    if "adminjids" not in fields:
        raise wrong("The admin list is missing")
    wanted, there = {jid.bare(address) for address in fields["adminjids"]}, set(admins_of(run))
    if jid.bare(run.who) in there - wanted:
        raise wrong("You cannot take yourself from the admin list")
    notes = []
    for address in sorted(wanted ^ there):
        role = ADMIN_ROLE if address in wanted else USER_ROLE
        try:
            run("user setrole", address if address not in wanted else run.own(address), role)
            notes.append(("info", f"{address} has the role {role}"))
        except CommandError as error:
            if len(wanted ^ there) == 1:
                return failed(error)
            notes.append(("error", str(error)))
    return {"notes": notes or [("info", "Nothing has changed")]}


# -- who is kept out -----------------------------------------------------------------------


def listed(run) -> list[str]:
    """Return the addresses that the host has nothing to do with."""
    return [row[0] for row in run.rows("service_blocklist list", run.host)]


def blacklist_now(run):
    """Return the field with the addresses that are listed."""
    return [field("blacklistjids", "The blacklist", "jid-multi", value=listed(run))]


@declare(COMMANDS, "#edit-blacklist", "Edit Blacklist", layout=blacklist_now,
         title="Editing the Blacklist", instructions="Fill out this form to edit the list of "
         "entities with whom communications are disallowed.",
         needs=["service_blocklist list", "service_blocklist add", "service_blocklist remove"])
def edit_blacklist(run, fields):
    """Section 4.11."""
    wanted, there = {*(fields.get("blacklistjids") or ())}, {*listed(run)}
    notes = []
    for address in sorted(wanted ^ there):
        words = "add" if address in wanted else "remove"
        try:
            notes.append(("info", run(f"service_blocklist {words}", run.host, address)["text"]))
        except CommandError as error:
            notes.append(("error", str(error)))
    return {"notes": notes or [("info", "Nothing has changed")]}


# -- the end -------------------------------------------------------------------------------


@declare(COMMANDS, "#shutdown", "Shut Down Service",
         field("delay", "Time delay before shutting down", "list-single", required=True,
               options=[{"label": label, "value": str(seconds), "default": seconds == 30}
                        for label, seconds in DELAYS]),
         field("announcement", "Announcement", "text-multi"),
         title="Shutting Down the Service",
         instructions="Fill out this form to shut down the service.", everywhere=True,
         needs=["server shutdown"])
def shutdown(run, fields):
    """Section 4.31."""
    try:
        delay = int(fields["delay"])
    except ValueError:
        raise wrong("The delay is a number of seconds") from None
    if not 0 <= delay <= run.module.options.admin_adhoc_max_delay:
        raise wrong("Nobody can wait that long")
    text = fields.get("announcement")
    return run.do("server shutdown", text or None, None, delay)
