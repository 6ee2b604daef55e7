"""modules.md and modules/: what each bundled module does, a page for each."""

from __future__ import annotations

from prosody_py.app.checks.modules import ALWAYS
from prosody_py.app.manual import events, option_text
from prosody_py.app.manual.bundled import Bundled, bundled
from prosody_py.app.manual.markdown import code, inline, page, prose, specifications, table
from prosody_py.app.manual.options import home
from prosody_py.config.hosts import AUTOLOAD
from prosody_py.config.option import Option
from prosody_py.hosts.users import DEFAULT_PROVIDER
from prosody_py.storage.open import DEFAULT_DRIVER

_INTRO = """\
A module is loaded when [`modules_enabled`](options.md#modules_enabled) names it (without `mod_`),
when another one needs it, or always, where its page says so. A component is what its `module`
is."""
_HANDLERS = """\
Handlers of one event run from the highest priority to the lowest; `*` in the name of an event
stands for a part that is known only when the module runs."""
_ON = {"host": "host", "server": "server"}


def render() -> str:
    """Return the page that leads to all the others."""
    index = table(("module", "what it does"),
                  [(f"[`{module.name}`](modules/mod_{module.name}.md)", inline(summary(module)))
                   for module in bundled()])
    return page("Modules", _INTRO, index)


def render_module(module: Bundled) -> str:
    """Return the page of a module."""
    parts = [prose(module.doc), _facts(module)]
    if entries := own_options(module):
        parts += ["## Options", *(option_text.entry(option, module.file.is_global)
                                  for option in entries)]
    if module.handlers:
        rows = [(events.link(handler.event, "../"), f"{handler.priority:g}", _ON[handler.on],
                 inline(handler.text)) for handler in module.handlers]
        parts += ["## Events", _HANDLERS,
                  table(("handles", "priority", "on", "to do what"), rows)]
    return page(f"mod_{module.name}", *parts)


def own_options(module: Bundled) -> list[Option]:
    """Return the options that a module declares."""
    return module.file.config.declared() if module.file.config else []


def summary(module: Bundled) -> str:
    """Return the first line of a module's text."""
    return module.doc.strip().partition("\n")[0]


def _link(name: str) -> str:
    """Return a link to a module, or its name when it does not come with the server."""
    return f"[`{name}`](mod_{name}.md)" if name in {one.name for one in bundled()} else code(name)


def _facts(module: Bundled) -> str:
    where = home()
    names = module.file.names
    own = {option.name for option in own_options(module)}
    options = [option_text.link(name, "" if name in own else "../options.md")
               if name in own or name in where else code(name) for name in sorted(names)]
    facts = {
        "File": f"`{module.path}`, in {module.language}",
        "Loaded": _loaded(module),
        "Specifications": ", ".join(specifications(module.doc + module.text)),
        "Options": ", ".join(options),
        "Ports": ", ".join(option_text.link(f"{service}_ports", "../options.md")
                           for service in sorted(module.file.services)),
        "Needs": ", ".join(_link(name) for name in sorted(module.file.depends)),
        "Announces": ", ".join(map(code, module.features)),
    }
    return "\n".join(f"- {name}: {text}" for name, text in facts.items() if text)


def _loaded(module: Bundled) -> str:
    if module.name in AUTOLOAD or module.name in ALWAYS:
        how = "always, unless `modules_disabled` names it"
    elif module.name == f"auth_{DEFAULT_PROVIDER}":
        how = "for hosts whose `authentication` names it; the default"
    elif module.name.startswith("auth_"):
        how = "for hosts whose `authentication` names it"
    elif module.name == f"storage_{DEFAULT_DRIVER}":
        how = "when `storage` or `default_storage` names it; the default"
    elif module.name.startswith("storage_"):
        how = "when `storage` or `default_storage` names it"
    else:
        how = "when `modules_enabled` names it, or another module needs it"
    return how + ("; one instance for the whole server" if module.file.is_global else "")
