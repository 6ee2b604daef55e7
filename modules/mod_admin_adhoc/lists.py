"""Numbers and lists of users: XEP-0133 sections 4.13 to 4.22."""

from __future__ import annotations

from functools import partial

from prosody_py.api import CommandError

from .administration import declare, failed, field, result

COMMANDS: list = []
MAX_ITEMS = ("25", "50", "75", "100", "150", "200")
MOST = 10_000  # addresses in one answer, whatever is asked for

# What the XEP calls it in its nodes: how many, and the list; the field of the list.
KINDS = {
    "registered": ("get-registered-users-num", "get-registered-users-list", "registereduserjids"),
    "disabled": ("get-disabled-users-num", "get-disabled-users-list", "disableduserjids"),
    "online": ("get-online-users-num", "get-online-users-list", "onlineuserjids"),
    "active": ("get-active-users-num", "get-active-users", "activeuserjids"),
    "idle": ("get-idle-users-num", "get-idle-users", "activeuserjids"),  # so it is in the XEP
}
LIMIT = field("max_items", "Maximum number of items to show", "list-single",
              options=[*({"value": number, "label": number} for number in MAX_ITEMS),
                       {"value": "none", "label": "None"}])


def number_of(kind, run, _fields):
    """Return how many users there are of a kind."""
    try:
        ((_what, count),) = run.rows("user count", run.host, kind)
    except CommandError as error:
        return failed(error)
    name = f"{kind}usersnum"
    return result({name: count}, field(name, f"The number of {kind} users"))


def list_of(kind, var, run, fields):
    """Return the users of a kind, as many as are wanted."""
    try:
        rows = run.rows("user list", run.host, None, kind)
    except CommandError as error:
        return failed(error)
    wanted = fields.get("max_items") or "none"
    most = int(wanted) if wanted in MAX_ITEMS else MOST
    shown = result({var: [row[0] for row in rows[:most]]},
                   field(var, f"The list of {kind} users", "jid-multi"))
    if len(rows) > most:
        shown["warn"] = f"These are {most} of {len(rows)}"
    return shown


for _kind, (_number, _list, _var) in KINDS.items():
    declare(COMMANDS, "#" + _number, f"Get Number of {_kind.capitalize()} Users",
            needs=["user count"], accounts=True)(partial(number_of, _kind))
    declare(COMMANDS, "#" + _list, f"Get List of {_kind.capitalize()} Users", LIMIT,
            title=f"Requesting List of {_kind.capitalize()} Users",
            instructions=f"Fill out this form to request the {_kind} users of this service.",
            needs=["user list"], accounts=True)(partial(list_of, _kind, _var))
