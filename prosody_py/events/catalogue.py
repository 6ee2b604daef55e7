"""The events that this server and its modules fire: names, fields, who fires, what a result means.

The manual and the shell's `events explain` come from here, and so does the warning for a hook
whose name is a slip of the pen. Modules may fire events of their own that are not listed.
A `*` in a name stands for a part that varies.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from prosody_py.events.room_events import ROOM_EVENTS

HANDLED = "anything but None: the stanza is handled; nobody: an error goes to the sender"
STOP = "anything but None: the stanza is not delivered"
IGNORED = "ignored"


@dataclass(frozen=True)
class Declared:
    """One declared event; `on` is "host", "global" (the server's events) or "http"."""

    name: str
    on: str
    fields: tuple[str, ...]
    by: str
    text: str
    result: str = IGNORED


def _declare(on: str, by: str, *rows: tuple[str, str, str, str]) -> list[Declared]:
    return [Declared(name, on, tuple(fields.split()), by, text, result or IGNORED)
            for name, fields, text, result in rows]


_STANZA = "origin stanza to_self"
_KINDS = ("full", "bare", "host")
_ONE = {"message": "a message", "presence": "a presence", "iq": "an iq"}
_TO = {"full": "to a full address of this host, such as alice@host/phone",
       "bare": "to a bare address of this host, such as alice@host", "host": "to the host itself"}

CATALOGUE: tuple[Declared, ...] = (
    *(row for name in ("message", "presence", "iq") for kind in _KINDS for row in _declare(
        "host", "router/deliver",
        (f"{name}/{kind}", _STANZA, f"{_ONE[name].capitalize()} {_TO[kind]}.", HANDLED),
        (f"pre-{name}/{kind}", _STANZA,
         f"A client of this host has sent {_ONE[name]} to a {kind} address anywhere.", STOP))),
    *(row for name in ("message", "presence", "iq") for row in _declare(
        "host", "router/deliver",
        (f"{name}/self", _STANZA, f"{_ONE[name].capitalize()} of a user to the own account.",
         HANDLED))),
    *_declare(
        "host", "router",
        ("pre-stanza", _STANZA, "A client of this host has sent a stanza.", STOP),
        ("route/remote", "origin stanza from_host to_host",
         "A stanza for a domain that is not ours.", "true: it is on its way"),
        ("stanza/*", "origin stanza",
         "An element that is not a stanza, by namespace and name; or one before binding.",
         "true: handled; else the stream ends")),
    *_declare(
        "host", "mod_iq",
        ("iq/host/*", _STANZA, "An iq get or set to the host, by its payload.", HANDLED),
        ("iq/bare/*", _STANZA, "An iq get or set to an account, by its payload.", HANDLED),
        ("iq/self/*", _STANZA, "An iq get or set to the own account.", HANDLED),
        ("iq-get/*", _STANZA, "An iq get: iq-get/<host|bare|self>/<xmlns>:<name>.", HANDLED),
        ("iq-set/*", _STANZA, "An iq set: iq-set/<host|bare|self>/<xmlns>:<name>.", HANDLED),
        ("iq-result/*", _STANZA, "An answer: iq-result/<host|bare|self>/<id>.", HANDLED),
        ("iq-error/*", _STANZA, "An error: iq-error/<host|bare|self>/<id>.", HANDLED)),
    *_declare(
        "host", "mod_c2s",
        ("stream-features", "origin features stream",
         "A stream is open; handlers add their features.", ""),
        ("pre-session-close", "session reason", "A client's stream is about to be closed.", ""),
        ("c2s-pre-ondrain", "session", "What waits for a client is about to be written.", ""),
        ("c2s-ondrain", "session", "Everything that waited for a client is written.", ""),
        ("c2s-read-timeout", "session", "A client is silent.", "true: the connection is kept"),
        ("c2s-disconnected", "session reason", "A client's connection is gone.",
         "anything but None: the session stays (stream management)")),
    *_declare(
        "host", "mod_saslauth",
        ("authentication-success", "session", "A client has logged in.", ""),
        ("authentication-failure", "session condition text",
         "A client could not log in; condition and text may be changed.", "")),
    *_declare(
        "host", "mod_sasl2, mod_sasl2_bind2",
        ("advertise-sasl-features", "origin features stream authentication",
         "SASL 2 is offered; handlers add to features what may be asked for along with it.", ""),
        ("advertise-bind-features", "origin features",
         "Bind 2 is offered; handlers add what can be enabled along with it.", ""),
        ("enable-bind-features", "session request result",
         "A resource was bound; handlers enable what is in the request and add to the result.",
         ""),
        ("sasl2/c2s/tasks", "session username tasks",
         "A client has proved who it is; handlers add what it has to do before it is let in.", ""),
        ("sasl2/c2s/success", "session message success authenticated",
         "A client is let in; handlers do what it has asked for and add to the answer.",
         "anything but None: no handler after it is called"),
        ("sasl2/c2s/challenge", "session message", "A client is asked for more.",
         "anything but None: it has been asked"),
        ("sasl2/c2s/failure", "session message error_text", "A client could not log in.",
         "anything but None: it has been told")),
    *_declare(
        "host", "mod_client_management",
        ("client_management/new-client", "client session",
         "A client that was not known has logged in to an account.", "")),
    *_declare(
        "host", "sessions/lifecycle",
        ("pre-resource-bind", "session resource",
         "A session is going to be bound; a handler may choose another resource.",
         "false: refused, with the event's error"),
        ("resource-bind", "session", "A session is bound to a resource.", ""),
        ("pre-resource-unbind", "session error", "A session ends; it is still known.",
         "true: it is kept"),
        ("resource-unbind", "session error", "A session has ended.", "")),
    *_declare(
        "host", "mod_presence, mod_message, mod_offline",
        ("presence/initial", "origin stanza", "A resource comes online.", ""),
        ("presence/final", "origin stanza", "A resource is not online any more.", ""),
        ("subscription-requested", "username contact stanza",
         "Somebody has asked to see a user's presence, and waits for an answer.", ""),
        ("message/offline/handle", "username origin stanza key when",
         "A message for somebody who is not there; key and when it came are given for one that "
         "was tried to deliver before.", "true: it is kept; else it bounces"),
        ("message-bounced", "session stanza",
         "A client's message has been answered with an error by the server itself: the error.", ""),
        ("message/offline/broadcast", "origin", "A resource may get what was kept.", ""),
        ("message/offline/delivered", "session items",
         "Kept messages, (id, stanza) each, have been sent to a session and are about to be "
         "deleted.", "false: keep them"),
        ("message/offline/delete", "username", "What was kept is to be thrown away.", ""),
        ("message/bare/groupchat", "origin stanza", "A groupchat message to an account.",
         "true: handled; else it bounces")),
    *_declare(
        "host", "hosts",
        ("roster-load", "username host roster", "A roster is read from the store.", ""),
        ("user-registering", "username host password ip session allowed",
         "Somebody wants an account; a handler may set allowed to false.", ""),
        ("user-registered", "username host source session", "There is a new account.", ""),
        ("user-created", "username host",
         "An account was made, in whichever way. Fired on the server, too.", ""),
        ("user-deleted", "username host",
         "An account is gone: forget what you keep of it. Fired on the server, too.", ""),
        ("user-password-reset", "username host", "A password was set by an invitation.", ""),
        ("user-password-changed", "username host resource",
         "A password has changed. Fired on the server, too.", ""),
        ("user-deregistered", "username host source session",
         "A user has removed the own account.", ""),
        ("roster-item-updated", "username jid item before origin roster",
         "A client has added or changed a contact; `before` is the item that was there, or None.",
         ""),
        ("roster-item-removed", "username jid item origin roster",
         "A user has removed a contact.", ""),
        ("vcard-updated", "origin stanza", "A user has a new vCard.", ""),
        ("user-enabled", "username host", "An account may log in again.", ""),
        ("user-disabled", "username host meta", "An account may not log in any more.", ""),
        ("c2s-capabilities-changed", "origin",
         "What is known of a client's capabilities has changed (mod_cache_c2s_caps).", ""),
        ("spam_reporting/*", "origin stanza item report jid reason messages processing",
         "A user has reported an address: spam-report, abuse-report or unknown-report.", ""),
        ("user-deregistered-pending", "username host source session",
         "A user has removed the own account, which is disabled until its time is over.", ""),
        ("group-user-added", "id user host group_info", "An account is in a group.", ""),
        ("group-user-removed", "id user host group_info", "An account is not in a group any more.",
         ""),
        ("group-chat-added", "group_id group_info muc", "A group has one more room.", ""),
        ("group-chat-removed", "group_id group_info muc", "A room of a group is gone.", ""),
        ("invite-created", "type jid allow_registration uri additional_data expires created_at "
         "token reusable inviter landing_page",
         "There is a new invitation; a handler may give it a landing_page.", ""),
        ("external_service/services", "origin stanza requested_type services",
         "Somebody asks for external services; handlers change the list.", ""),
        ("external_service/credentials", "origin stanza requested_credentials services",
         "Somebody asks for credentials of external services; handlers change the list.", ""),
        ("c2s-session-updated", "session from_session replaced_conn",
         "A session goes on over the connection of another one.", ""),
        ("s2sin-destroyed", "session reason", "A stream of another server has ended.", ""),
        ("s2sout-destroyed", "session reason", "A stream to another server has ended.", ""),
        ("s2s-destroyed", "session reason", "A stream with another server has ended.", ""),
        ("s2s-read-timeout", "session", "Another server is silent.",
         "true: the connection is kept"),
        ("s2s-pre-ondrain", "session", "What waits for another server is about to be written.",
         ""),
        ("s2s-ondrain", "session", "Everything that waited for another server is written.", ""),
        ("module-status/updated", "name", "A module's status has changed.", "")),
    *_declare(
        "host", "mod_disco",
        ("host-disco-info-node", "origin stanza reply node exists",
         "Somebody asks for a node of the host.", "true: reply is the answer"),
        ("host-disco-items", "origin stanza reply", "Handlers add items of the host.", ""),
        ("host-disco-items-node", "origin stanza reply node exists",
         "Somebody asks for the items of a node.", "true: reply is the answer"),
        ("account-disco-info", "origin stanza reply", "Handlers add features of an account.", ""),
        ("account-disco-items", "origin stanza reply", "Handlers add items of an account.", ""),
        ("account-disco-info-node", "origin stanza reply node exists",
         "Somebody asks for a node of an account.", "true: reply is the answer"),
        ("account-disco-items-node", "origin stanza reply node exists",
         "Somebody asks for the items of a node.", "true: reply is the answer")),
    *_declare(
        "host", "mod_mam, mod_carbons",
        ("archive-should-store", "session stanza",
         "A message may go into an archive; a handler may say why in `reason`.",
         "true or false: whether it does"),
        ("archive-message-added", "origin stanza for_user id",
         "A message has been put into the archive of a user, under this id.", ""),
        ("carbons-should-copy", "session stanza",
         "A message may be copied to the user's other clients; a handler may say why in `reason`.",
         "true or false: whether it is")),
    *_declare(
        "host", "mod_pep, mod_pubsub, mod_bookmarks",
        ("pep-published/*", "username service node item",
         "An item was published to an account's node, by the node's name.", ""),
        ("pep-retracted/*", "username service node id",
         "An item was retracted from an account's node; id is None when all are gone.", ""),
        ("pubsub-summary/*", "kind payload",
         "A text for a payload is wanted, by the payload's namespace.", "the text"),
        ("bookmarks/empty", "session", "A user who has come has no bookmarks at all.", "")),
    *_declare(
        "host", "mod_csi",
        ("csi-client-active", "origin", "Somebody looks at a client.", ""),
        ("csi-client-inactive", "origin", "A client is in the background.", "")),
    *_declare("host", "mod_muc", *ROOM_EVENTS),
    *_declare(
        "host", "mod_csi_simple",
        ("csi-is-stanza-important", "session stanza reason",
         "Something is to be sent to a client in the background; a handler may set reason.",
         "true: it is sent at once, with all that waits; false: it waits"),
        ("csi-flushing", "session reason",
         "What was held back for a client is about to be sent.", "")),
    *_declare(
        "host", "mod_smacks",
        ("smacks-hibernation-start", "origin queue",
         "The connection of a session is gone; it waits for its client.", ""),
        ("smacks-hibernation-stanza-queued", "origin queue stanza",
         "Something is kept for a client that is not there.", ""),
        ("smacks-hibernation-end", "origin resumed queue",
         "The session resumed goes on over the connection of the session origin.", ""),
        ("smacks-ack-delayed", "origin queue stanza",
         "A client does not answer a request for an acknowledgement.", ""),
        ("smacks-session-revived", "session",
         "A session waits for its client as it did before the server's restart.", ""),
        ("delivery/success", "session stanza", "A client has acknowledged a stanza.", ""),
        ("delivery/failure", "session stanza key when",
         "A session has ended that has not acknowledged a stanza, which was sent at when; key is "
         "the same each time that this is tried.",
         "true: the stanza is taken care of; else it goes back")),
    *_declare(
        "host", "mod_cloud_notify",
        ("cloud_notify/registration", "origin stanza push_info",
         "A client registers a push service; handlers may add to push_info.",
         "false: refused, and answered by the handler"),
        ("cloud_notify/push", "notification_stanza notification_payload original_stanza username "
         "push_info push_summary important",
         "A notification is about to be sent; handlers may change its payload.",
         "true: it is not sent")),
    *_declare(
        "host", "storage, loader",
        ("store-opened", "host store_name store_type store",
         "A store is opened; a handler may put another one in its place.", ""),
        ("module-loaded", "module host", "A module has come into service.", ""),
        ("module-reloaded", "module host", "A module has been replaced by a fresh instance.", ""),
        ("module-switched-off", "module host reason",
         "A module had more errors than `module_error_limit` and was unloaded.", ""),
        ("module-unloaded", "module host", "A module has gone out of service.", ""),
        ("item-added/*", "source item", "A module offers an item under the key.", ""),
        ("item-removed/*", "source item", "A module takes an item back.", "")),
    *_declare(
        "host", "modules that answer browsers",
        ("http-message", "response title message warning",
         "A page is wanted that says something to who looks at it with a browser.", "the page")),
    *_declare(
        "http", "net/http",
        ("GET *", "request response",
         "A request, by method, host and path: `GET example.com/path`, before that `GET /path`; "
         "other methods likewise. A name that ends with `/*` stands for all paths below.",
         "the answer: text, a status code, a mapping with status_code, headers and body, or true "
         "when it is sent already or will be"),
        ("http-error", "code request response message private_message error",
         "An error is going to be answered; request may be missing.", "the page"),
        ("directory-index", "path full_path", "A folder without an index file is asked for.",
         "the page")),
    *_declare(
        "global", "app",
        ("server-starting", "", "Hosts are going to be activated.", ""),
        ("server-started", "", "Everything that is going to be loaded is loaded.", ""),
        ("server-stopping", "reason code", "The server ends; handlers may wait.", ""),
        ("server-cleanup", "", "The server has ended its sessions; close what is open.", ""),
        ("server-stopped", "", "The last event.", ""),
        ("reloading-config", "", "The configuration is going to be read again.", ""),
        ("config-reloaded", "filename config", "The configuration was read again.", ""),
        ("reopen-log-files", "", "Log files were moved.", ""),
        ("host-activated", "(the host's name)", "A host is going into service.", ""),
        ("host-deactivating", "host host_session reason", "A host is going out of service.", ""),
        ("host-deactivated", "(the host's name)", "A host is out of service.", ""),
        ("service-added", "name service", "A module offers a network service.", ""),
        ("service-removed", "name service", "A module takes a network service back.", ""),
        ("admin-request", "question user process say", "Somebody asks at the admin socket.",
         "the answer"),
        ("signal/*", "", "The process got SIGUSR1 or SIGUSR2.", ""),
        ("hosts-activated", "(options by name by host)", "All hosts are in service.", ""),
        ("logging-reloaded", "", "The log was opened anew.", ""),
        ("stats-update", "", "Modules report the numbers that they report now and then.", ""),
        ("openmetrics-updated", "metric_registry", "All numbers are up to date.", ""),
        ("user-role-changed", "username host role", "An account has another role.", ""),
        ("user-role-added", "username host role_name role", "An account has one more role.", ""),
        ("user-role-removed", "username host role_name", "An account has lost a further role.",
         "")),
)

_exact = {declared.name: declared for declared in CATALOGUE if "*" not in declared.name}
_patterns = [declared for declared in CATALOGUE if "*" in declared.name]


def find(name: str) -> Declared | None:
    """Return the declaration of an event by its name, None when it is not declared."""
    return _exact.get(name) or next(
        (declared for declared in _patterns if fnmatch.fnmatchcase(name, declared.name)), None)


def slip_of(name: str, fired_by_modules: Iterable[str] = ()) -> str | None:
    """Return the declared event that `name` is probably a slip of the pen for, else None."""
    if find(name) or name in fired_by_modules or ":" in name:
        return None
    close = get_close_matches(name, _exact, 1, cutoff=0.9)
    return close[0] if close else None


def nearest_name(name: str) -> str | None:
    """Return the declared event whose name is most like `name`, None when none is like it."""
    close = get_close_matches(name, [declared.name for declared in CATALOGUE], 1, cutoff=0.75)
    return close[0] if close else None
