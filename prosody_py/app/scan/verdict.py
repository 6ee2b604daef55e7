"""Judge a module: does it load here, and what will it miss?"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from prosody_py.api.errors import LoadError
from prosody_py.app.scan.facts import ALWAYS, OPTIONAL, Facts, Place
from prosody_py.app.scan.module import Scanned
from prosody_py.app.scan.truth import Truth, libraries
from prosody_py.config.nearest import nearest
from prosody_py.events import catalogue
from prosody_py.loader.lua_code import check_header

RUNS, LACKS, FAILS, REPLACED = "runs", "lacks", "fails", "replaced"
"""What becomes of a module: it runs; it loads and lacks something then; it does not load; the
server has this part in itself and does not take the file."""
BUNDLED = "bundled"
"""Where a module is found that comes with the server."""
_LEAST_PATTERN = 4  # characters: the name of an event that is not known at all says nothing
_WHY = re.compile(r"is not provided: (.+)")
_PROSODYS = ("util", "core", "net")
_WORDS = {"library": ("library ", "libraries "), "member": ("", ""), "file": ("file ", "files "),
          "method": ("module method ", "module methods "), "module": ("module ", "modules ")}


@dataclass(frozen=True)
class Missing:
    """Something that is not here; `kind` is "library", "member", "method", "module" or "file"."""

    kind: str
    name: str
    when: str
    place: Place
    why: str = ""


@dataclass
class Verdict:
    """What was found out of one module."""

    scanned: Scanned
    result: str
    told: str
    missing: list[Missing] = field(default_factory=list)
    strange_events: dict[str, str | None] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)


Where = Callable[[str], str | None]
"""Says where a module is found, such as BUNDLED; None for nowhere."""


def judge(scanned: Scanned, truth: Truth, where: Where, fired: Iterable[str] = ()) -> Verdict:
    """Return the verdict on a module; `fired` are events that other modules fire."""
    source, facts = scanned.source, scanned.facts
    if source.remark:
        return Verdict(scanned, REPLACED, f"not taken: {source.replaced}")
    refusal = scanned.error or _refusal(scanned, truth)
    if refusal:
        return Verdict(scanned, FAILS, refusal)
    missing = [*_libraries(facts, truth), *_members(facts, truth), *_methods(facts, truth),
               *(Missing("file", one.name, one.when, one.place) for one in scanned.lacking)]
    origins = {}
    for needed in facts.depends:
        origin = where(needed.name)
        origins[needed.name] = origin or "missing"
        if origin is None:
            missing.append(Missing("module", needed.name, needed.when, needed.place))
    result, told = _result(missing, facts)
    return Verdict(scanned, result, told, missing, _strange(facts, fired), origins)


def _refusal(scanned: Scanned, truth: Truth) -> str:
    """Return why the server does not even begin to load a module."""
    for path, text in scanned.texts.items():
        if complaint := truth.complaint(text, path):
            return complaint
    try:
        check_header(scanned.texts[scanned.source.path], scanned.source.path, truth.kind,
                     truth.features)
    except LoadError as error:
        return str(error)
    return ""


def _libraries(facts: Facts, truth: Truth) -> Iterable[Missing]:
    said = set()
    for library in facts.libraries:
        why = truth.why_not(library.name)
        if why is not None and (library.name, library.when) not in said:
            said.add((library.name, library.when))
            yield Missing("library", library.name, library.when, library.place,
                          reason(library.name, why))


def reason(library: str, told: str) -> str:
    """Return in a few words why a library is not here; `told` is what `require` says."""
    if "is not provided" not in told:
        return " ".join(told.split())
    if known := _WHY.search(told):
        return f"not provided, {known[1]}"
    if library.partition(".")[0] in _PROSODYS:
        text = "not provided, a part of Prosody that this server does not have"
    else:
        text = "not provided, no part of Prosody; what a module brings itself it takes with " \
               "module:require"
    names = {name.rpartition(".")[2]: name for name in libraries()
             if name.partition(".")[0] == library.partition(".")[0]}
    close = get_close_matches(library.rpartition(".")[2], names, 1, cutoff=0.825)
    return text + (f"; did you mean {names[close[0]]}?" if close else "")


def _members(facts: Facts, truth: Truth) -> Iterable[Missing]:
    tested = {(one.library, one.path) for one in facts.members if one.when == OPTIONAL}
    found: dict[str, Missing] = {}
    for one in facts.members:
        if truth.why_not(one.library) is not None or facts.is_own(one.library, one.path):
            continue
        if not truth.has(one.library, one.path) and truth.has(one.library, one.path[:-1]):
            name = ".".join((one.library, *one.path))
            when = OPTIONAL if (one.library, one.path) in tested else one.when
            if name not in found or when == ALWAYS != found[name].when:
                found[name] = Missing("member", name, when, one.place)
    return found.values()


def _methods(facts: Facts, truth: Truth) -> Iterable[Missing]:
    tested = {one.name for one in facts.methods if one.when == OPTIONAL}
    said = set()
    for one in facts.methods:
        if one.when == OPTIONAL or one.name in said or one.name in truth.methods or (
                "module", one.name) in facts.assigned:
            continue
        said.add(one.name)
        when = OPTIONAL if one.name in tested else one.when
        guess = nearest(one.name, truth.methods)
        hint = f"did you mean {guess}?" if guess else ""
        yield Missing("method", one.name, when, one.place, hint)


def _result(missing: list[Missing], facts: Facts) -> tuple[str, str]:
    """Return the result and the line that says it."""
    fatal = [one for one in missing if one.when == ALWAYS]
    if fatal:
        return FAILS, "lacks " + _listed(fatal)
    options = f"needs option {', '.join(facts.required)}" if facts.required else ""
    later = [one for one in missing if one.when != OPTIONAL]
    if later:
        told = "loads, but in places lacks " + _listed(later)
        return LACKS, f"{options}; {told}" if options else told
    return RUNS, options or "runs here"


def _listed(missing: list[Missing]) -> str:
    """Return what is missing in one line: by kind and reason, each said once."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in missing:
        names = groups.setdefault((one.kind, one.why), [])
        if one.name not in names:
            names.append(one.name)
    texts = []
    for (kind, why), names in groups.items():
        word = _WORDS[kind][len(names) > 1]
        texts.append(word + ", ".join(names) + (f" ({why})" if why else ""))
    return "; ".join(texts)


def _strange(facts: Facts, fired: Iterable[str]) -> dict[str, str | None]:
    """Return the hooked events that nobody is known to fire, with the nearest known name."""
    own, found = {*fired, *facts.fires}, {}
    patterns = [name for name in own if "*" in name and len(name) > _LEAST_PATTERN]
    for hook in facts.hooks:
        name = hook.event
        is_known = "*" in name or name in own or catalogue.find(name) is not None or any(
            fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
        if not is_known and "object_event" not in hook.call:
            found[name] = catalogue.nearest_name(name)
    return found


def spread(verdicts: list[Verdict]) -> None:
    """Let those fail whose modules fail that they need, where both were looked at."""
    failed = {one.scanned.source.name for one in verdicts if one.result == FAILS}
    waiting = True
    while waiting:
        waiting = False
        for one in verdicts:
            broken = [needed.name for needed in one.scanned.facts.depends
                      if needed.when == ALWAYS and needed.name in failed
                      and one.origins.get(needed.name) != BUNDLED]
            if broken and one.result in (RUNS, LACKS):
                one.result = FAILS
                one.told = f"needs {', '.join('mod_' + name for name in broken)}, and that fails"
                failed.add(one.scanned.source.name)
                waiting = True
