"""Shared rosters: groups of people from a file, who are contacts of each other without asking.

The file that `groups_file` names has Prosody's format:

    ; a comment
    [Team]
    romeo@example.com
    juliet@example.com=Juliet Capulet
    [+Support]
    help@example.com

Members of a group have each other in their rosters; those of a public group ("+") are in the roster
of everybody on the host. Nothing of this is stored: who leaves the group leaves the rosters. The
file is read when the module is loaded or reloaded.

Data and owner: `module.groups` has the groups as they are in the file. What was put into a roster
is marked as not to be stored (`persist`), and is taken out when the module goes.
"""

from __future__ import annotations

from prosody_py.api import Options, bystander, hook, integer, jid, path
from prosody_py.api.errors import LoadError
from prosody_py.hosts import rostermanager
from prosody_py.hosts.roster import forget_roster
from prosody_py.hosts.shared_contacts import Wanted, share
from prosody_py.sessions import presence

OWNER = "groups"


class Config(Options):
    """The file."""

    groups_file = path(None, doc="The file with the groups.")
    groups_file_max_size = integer(
        4 * 1024 * 1024, min=1024, max=1 << 30, doc="Bytes that the file may have.")


class Groups:
    """The groups of the file: name -> {address: display name or None}, and who is in which."""

    def __init__(self) -> None:
        self.members: dict[str, dict[str, str | None]] = {}
        self.public: list[str] = []
        self.of: dict[str, list[str]] = {}
        self.seen_by_all: frozenset[str] = frozenset()

    def contacts(self, address: str) -> dict[str, Wanted]:
        """Return all whom an account shall have as contacts."""
        own = self.of.get(address, [])
        found: dict[str, Wanted] = {}
        for group in (*own, *(name for name in self.public if name not in own)):
            for contact, name in self.members[group].items():
                before = found.get(contact, Wanted(None, ()))
                found[contact] = Wanted(before.name or name, (*before.groups, group))
        found.pop(address, None)
        return found


def read_groups(text: str) -> tuple[Groups, list[str]]:
    """Return the groups of a file, and what is wrong with it, a line each."""
    groups, wrong, current = Groups(), [], None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] in ";#":
            continue
        if line[0] == "[" and line[-1] == "]":
            current = line[1:-1].removeprefix("+").strip()
            if line[1] == "+" and current not in groups.public:
                groups.public.append(current)
            groups.members.setdefault(current, {})
            continue
        text, _, name = line.partition("=")
        address = jid.prep(text.strip())
        if address is None or current is None:
            wrong.append(f"line {number}: " + (f"{text.strip()!r} is no address" if current
                                               else "this stands before the first [group]"))
            continue
        groups.members[current][address] = name.strip() or None
        if current not in groups.of.setdefault(address, []):
            groups.of[address].append(current)
    groups.seen_by_all = frozenset(address for group in groups.public
                                   for address in groups.members[group])
    return groups, wrong


def load(module):
    """Read the file; a module without one is not loaded."""
    options = module.options
    if not options.groups_file:
        raise LoadError("mod_groups needs the option groups_file")
    try:
        with open(options.groups_file, encoding="utf-8") as file:
            text = file.read(options.groups_file_max_size + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"The file of groups_file cannot be read: {error}") from None
    if len(text) > options.groups_file_max_size:
        raise LoadError(f"{options.groups_file} is larger than groups_file_max_size")
    module.groups, wrong = read_groups(text)
    for line in wrong:
        module.log("error", "%s: %s", options.groups_file, line)
    module.log("info", "There are %d groups with %d members", len(module.groups.members),
               len(module.groups.of))
    module.exports.group_contains = lambda group, address: (
        address in module.groups.members.get(group, ()))


def ready(module):
    """Bring the rosters that are in use already to what the file says."""
    forget_others(module)
    for username, user in list(module.host_object.sessions.items()):
        if user.roster is not None:
            push(module, username, share(
                user.roster, OWNER, module.groups.contacts(user.roster.jid)))


def unload(module):
    """Take the contacts out of the rosters again, unless the next instance looks after them."""
    forget_others(module)
    for username, user in list(module.host_object.sessions.items()):
        if user.roster is not None and not module.reloading:
            push(module, username, share(user.roster, OWNER, {}))


def push(module, username: str, contacts: list[str]) -> None:
    """Tell an account's clients how some contacts are now."""
    for contact in contacts:
        rostermanager.roster_push(module.server, username, module.host, contact)


def forget_others(module) -> None:
    """Let rosters of members who are not connected be read anew."""
    for address in module.groups.of:
        username, host = jid.node(address), jid.host(address)
        if username and host == module.host and username not in module.host_object.sessions:
            forget_roster(module.server, username, host)


@hook("roster-load")
def add_contacts(module, event):
    """Put the contacts into a roster that was read."""
    share(event.roster, OWNER, module.groups.contacts(event.roster.jid))


# -- public groups: everybody sees their members, who have not everybody in their rosters --------


def concerns(module, account: str, peer: str) -> bool:
    """Whether presence to an account may be a question that is answered here."""
    return account in module.groups.seen_by_all


@hook("presence/bare", priority=10)
@bystander("presence", unless=concerns)
def show_public(module, event):
    """Let everybody of the host see how a member of a public group is."""
    element = event.stanza
    to, type = element.attr.get("to"), element.attr.get("type")
    seen = module.groups.seen_by_all
    if not seen:
        return None
    if to is None:
        account = event.origin.bare_jid
        if account in seen and type in (None, "unavailable"):
            tell_everybody(module, event.origin, element)
        return None
    sender = element.attr.get("from")
    if type != "probe" or to not in seen or jid.host(sender) != module.host:
        return None
    presence.send_available(module.server, to, sender)
    return True


def tell_everybody(module, session, element) -> None:
    """Send the presence of a member to all who are there and would not get it otherwise.

    Where one of the two has blocked the other, nothing is sent, not even that the member is gone.
    """
    server, roster = module.server, session.roster
    for username in list(module.host_object.sessions):
        other = f"{username}@{module.host}"
        if (other != session.bare_jid and not roster.is_contact_subscribed(other)
                and not has_blocked(module, session.username, other)
                and not has_blocked(module, username, session.bare_jid)):
            for receiver in presence.available_sessions(server, other):
                copy = element.shallow()
                copy.attr["to"] = receiver.full_jid
                receiver.send(copy)


def has_blocked(module, username: str, address: str) -> bool:
    """Whether an account wants nothing to do with an address, as mod_blocklist has it."""
    blocklist = module.host_object.modules.get("blocklist")
    check = getattr(blocklist.exports, "is_blocked", None) if blocklist is not None else None
    return bool(check(username, address)) if callable(check) else False
