"""xeps.md and prosody-py.doap: the XMPP extensions that the server implements.

They are listed in xeps.yaml, beside this file: for each XEP the version that was implemented, the
modules, what is left out and why, and the tests that show it working. The DOAP file (XEP-0453) says
the same to programs, such as those of the XSF's list of software.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape

import yaml

from prosody_py.app.manual.markdown import code, inline, page, table

_INTRO = """\
What is left out is said in the table, with the reason; a file or folder of tests shows the rest
working. [prosody-py.doap](prosody-py.doap) says the same to programs."""
_COMPLETE = "complete"
_XMPP = "https://linkmauve.fr/ns/xmpp-doap#"
_HEAD = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by `prosody-py manual`; a change belongs in prosody_py/app/manual/xeps.yaml. -->
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
         xmlns="http://usefulinc.com/ns/doap#" xmlns:xmpp="{_XMPP}">
  <Project>
    <name>prosody-py</name>
    <shortdesc xml:lang="en">XMPP server in Python with Prosody's module API</shortdesc>
    <programming-language>Python</programming-language>
    <programming-language>Lua</programming-language>
    <os>Linux</os>
    <implements rdf:resource="https://www.rfc-editor.org/rfc/rfc6120"/>
    <implements rdf:resource="https://www.rfc-editor.org/rfc/rfc6121"/>
    <implements rdf:resource="https://www.rfc-editor.org/rfc/rfc7590"/>
"""
_TAIL = "  </Project>\n</rdf:RDF>\n"


@dataclass(frozen=True)
class Xep:
    """One extension: `modules` without mod_, `core` parts as paths; `tests` are paths.

    `community` names Lua modules of Prosody's community that do it here, unmodified.
    """

    number: str
    name: str
    version: str
    modules: tuple[str, ...] = ()
    core: tuple[str, ...] = ()
    community: tuple[str, ...] = ()
    left_out: str = ""
    tests: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """Return "complete" or "partial", in the words of XEP-0453."""
        return "partial" if self.left_out else _COMPLETE


@cache
def xeps() -> tuple[Xep, ...]:
    """Return all that are listed, in the order of their numbers."""
    path = os.path.join(os.path.dirname(__file__), "xeps.yaml")
    with open(path, encoding="utf-8") as file:
        entries = yaml.safe_load(file)
    return tuple(Xep(number, entry["name"], str(entry["version"]),
                     tuple(entry.get("modules", ())), tuple(entry.get("core", ())),
                     tuple(entry.get("community", ())), entry.get("left_out", ""),
                     tuple(entry.get("tests", ())))
                 for number, entry in sorted(entries.items()))


def render() -> str:
    """Return the page."""
    return page("XMPP extensions", _INTRO, table(
        ("XEP", "name", "version", "module", "left out", "shown by"), map(_row, xeps())))


def _row(xep: Xep) -> tuple[str, ...]:
    modules = [f"[`{name}`](manual/modules/mod_{name}.md)" for name in xep.modules]
    community = [f"the community's `mod_{name}`" for name in xep.community]
    places = ", ".join([*modules, *map(code, xep.core), *community])
    return (f"[{xep.number}](https://xmpp.org/extensions/xep-{xep.number}.html)", xep.name,
            xep.version, places, inline(xep.left_out), ", ".join(map(code, xep.tests)))


def render_doap() -> str:
    """Return the DOAP file."""
    return _HEAD + "".join(map(_implements, xeps())) + _TAIL


def _implements(xep: Xep) -> str:
    note = f"\n        <xmpp:note>{escape(xep.left_out)}</xmpp:note>" if xep.left_out else ""
    return f"""\
    <implements>
      <xmpp:SupportedXep>
        <xmpp:xep rdf:resource="https://xmpp.org/extensions/xep-{xep.number}.html"/>
        <xmpp:version>{xep.version}</xmpp:version>
        <xmpp:status>{xep.status}</xmpp:status>{note}
      </xmpp:SupportedXep>
    </implements>
"""
