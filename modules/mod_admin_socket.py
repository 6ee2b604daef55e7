"""The admin socket: a UNIX socket through which the server's own user and root may ask questions.

Data and owner: the listening socket is kept in the shared table "socket", so that a reload of
this module keeps it and its connections. Each question fires the global event `admin-request`
{question, user, process, say}; the first handler's result (a dict) is the answer. What a question
looks like is in prosody_py/app/shell/protocol.py.
"""

from __future__ import annotations

import os
from functools import partial

from prosody_py.api import Event, Options, hook, path
from prosody_py.api.errors import LoadError
from prosody_py.app.places import SOCKET
from prosody_py.app.shell.server import AdminServer

GLOBAL = True


class Config(Options):
    """Where the socket is."""

    admin_socket = path(None, where="global", doc="The socket of the administration shell; by "
                        "default prosody-py.sock in the data folder.")


def load(module):
    """Open the socket, or take over that of the instance before this one."""
    wanted = module.options.admin_socket or os.path.join(module.server.paths["data"], SOCKET)
    shared = module.shared("socket")
    server = shared.get("server")
    if server is not None and server.path == wanted:
        server.answer = partial(answer, module)
        return
    try:
        shared["server"] = AdminServer(wanted, partial(answer, module))
    except OSError as error:
        raise LoadError(f"Cannot open the admin socket {wanted}: {error.strerror}. See the "
                        "option admin_socket.") from None
    if server is not None:
        server.close()


def unload(module):
    """Close the socket, unless another instance takes over."""
    if not module.reloading:
        close(module)


@hook("server-cleanup", priority=-900)
def stop(module, event):
    """Close the socket when the server ends."""
    close(module)


def close(module):
    """Close the socket and remove its file."""
    server = module.shared("socket").pop("server", None)
    if server is not None:
        server.close()


def answer(module, question, peer, say):
    """Return the answer of whoever handles `admin-request`."""
    process, user, _group = peer
    event = Event(question=question, user=user, process=process, say=say)
    found = module.server.events.fire_event("admin-request", event)
    return found if found is not None else {"ok": False, "error": "Nobody answers such questions; "
                                            "is the module admin_shell loaded?"}
