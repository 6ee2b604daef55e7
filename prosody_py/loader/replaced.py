"""Parts of Prosody that this server has in itself, so that a Lua module of the name cannot be one.

`plugin_paths` may name the whole `modules` folder of an installed Prosody. A Lua file of a name in
`REPLACED` is passed over there: the module that comes with this server is taken, and where there
is none, the name loads as nothing, so that a configuration that lists it starts. A Python file of
the name is taken as ever: who writes one writes it for this server.
"""

from __future__ import annotations

REPLACED: dict[str, str] = {
    # module: why a Lua file of the name is not taken
    "admin_shell": "the server has its own shell",
    "admin_socket": "the server has its own admin socket",
    "admin_telnet": "the server has its own shell, on its admin socket",
    "c2s": "the server has its own connection layer",
    "http": "the server has its own HTTP listener",
    "posix": "the server itself deals with signals, its pid file and its user",
    "windows": "the server runs on Linux",
}
