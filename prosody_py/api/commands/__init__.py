"""Commands: an administrative action is declared once and appears in every face of the server.

A module in Python marks a function, `@command("room", "destroy", "room:jid", "reason:text?")`, the
core has `Section`s (app/shell/sections), a module in Lua an item "shell-command". Each is a
`Command`: words, typed arguments, a permission. `Registry.of(server)` holds those of this moment;
it is made anew for each use, so modules come and go without anybody keeping a copy.
A face turns words or a data form into arguments (`Command.parse`, `forms.read`), asks `access`
whether this person may, runs the handler with a `Call` (`running`), and shows its result: a text
or a `Table`. Faces are the admin socket (mod_admin_shell: the shell and the command line),
and XEP-0050 (mod_adhoc). Who talks on the admin socket may everything; anybody else needs a role on
the host that the arguments name, or on the whole server when they name none. What fails raises
CommandError, whose `condition` is the stanza error that fits. A password is an argument of its own
type: it is never shown in a log, kept in a history, or sent back.
"""

from prosody_py.api.commands.arguments import SECRET, Argument, CommandError
from prosody_py.api.commands.command import Call, Command, Section, Table
from prosody_py.api.commands.registry import Registry

__all__ = ["SECRET", "Argument", "Call", "Command", "CommandError", "Registry", "Section", "Table"]
