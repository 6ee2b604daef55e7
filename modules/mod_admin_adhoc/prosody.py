"""What Prosody's mod_admin_adhoc has beside XEP-0133, with its nodes and forms."""

from __future__ import annotations

from prosody_py.api import CommandError

from .administration import MODULES, declare, failed, field, result

COMMANDS: list = []
CONFIG, HOSTS = "http://prosody.im/protocol/config", "http://prosody.im/protocol/hosts"


@declare(COMMANDS, CONFIG + "#reload", "Reload configuration", everywhere=True,
         needs=["config reload"])
def reload_config(run, _fields):
    """Read the configuration anew."""
    return run.do("config reload")


def host_field(_run):
    """Return the field for a host."""
    return [field("host", "Host:", required=True)]


@declare(COMMANDS, HOSTS + "#activate", "Activate host", layout=host_field, everywhere=True,
         needs=["host activate"])
def activate(run, fields):
    """Put a host of the configuration in service."""
    return run.do("host activate", fields["host"])


@declare(COMMANDS, HOSTS + "#deactivate", "Deactivate host", layout=host_field, everywhere=True,
         needs=["host deactivate"])
def deactivate(run, fields):
    """Take a host out of service."""
    return run.do("host deactivate", fields["host"], None)


# -- modules -------------------------------------------------------------------------------


def modules_of(run) -> list[str]:
    """Return the names of the modules that are loaded on the host."""
    return sorted(run.server.modules.get_modules(run.host))


def choose(kind, label):
    """Return what makes the field for a choice of loaded modules."""
    name = "modules" if kind == "list-multi" else "module"
    return lambda run: [field(name, label, kind, required=True, options=modules_of(run))]


@declare(COMMANDS, MODULES + "#list", "List loaded modules", needs=["module list"])
def list_modules(run, _fields):
    """List the modules of the host."""
    try:
        names = sorted(row[1] for row in run.rows("module list", run.host) if row[2])
    except CommandError as error:
        return failed(error)
    return result({"modules": names},
                  field("modules", "The following modules are loaded:", "text-multi"),
                  title="List of loaded modules", kind=MODULES + "#list")


def each_module(run, names, words, done):
    """Run a command for each module on this host."""
    good, notes = [], []
    for name in dict.fromkeys(names):
        try:
            run(words, name, run.host)
            good.append(name)
        except CommandError as error:
            notes.append(("error", "\n".join([*run.lines, str(error)])))
        run.lines.clear()
    if good:
        notes.insert(0, ("info", f"{done} on {run.host}: {', '.join(good)}"))
    return {"notes": notes}


@declare(COMMANDS, MODULES + "#load", "Load module",
         field("module", "Module to be loaded:", required=True),
         instructions="Specify the module to be loaded", everywhere=True, needs=["module load"])
def load(run, fields):
    """Load a module on this host."""
    return each_module(run, [fields["module"]], "module load", "Loaded")


@declare(COMMANDS, MODULES + "#reload", "Reload modules",
         layout=choose("list-multi", "Modules to be reloaded:"),
         instructions="Select the modules to be reloaded", everywhere=True,
         needs=["module reload"])
def reload(run, fields):
    """Put fresh instances of modules of this host in service."""
    return each_module(run, fields["modules"], "module reload", "Reloaded")


@declare(COMMANDS, MODULES + "#unload", "Unload modules",
         layout=choose("list-multi", "Modules to be unloaded:"),
         instructions="Select the modules to be unloaded", everywhere=True,
         needs=["module unload"])
def unload(run, fields):
    """Unload modules from this host."""
    return each_module(run, fields["modules"], "module unload", "Unloaded")


@declare(COMMANDS, MODULES + "#global-load", "Globally load module",
         field("module", "Module to globally load:", required=True),
         instructions="Specify the module to be loaded on all hosts", everywhere=True,
         needs=["module load"])
def load_everywhere(run, fields):
    """Load a module on all hosts with accounts."""
    return run.do("module load", fields["module"], None)


@declare(COMMANDS, MODULES + "#global-reload", "Globally reload module",
         layout=choose("list-single", "Module to globally reload:"),
         instructions="Specify the module to reload on all hosts", everywhere=True,
         needs=["module reload"])
def reload_everywhere(run, fields):
    """Put a fresh instance of a module in service wherever it is."""
    return run.do("module reload", fields["module"], None)


@declare(COMMANDS, MODULES + "#global-unload", "Globally unload module",
         layout=choose("list-single", "Module to globally unload:"),
         instructions="Specify a module to unload on all hosts", everywhere=True,
         needs=["module unload"])
def unload_everywhere(run, fields):
    """Unload a module wherever it is."""
    return run.do("module unload", fields["module"], None)
