"""What was found, as data (for other programs) and as text."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from prosody_py.app.scan.facts import Place
from prosody_py.app.scan.survey import Survey
from prosody_py.app.scan.verdict import FAILS, LACKS, REPLACED, RUNS, Verdict

_COUNTED = {RUNS: "run here", LACKS: "load and lack something", FAILS: "do not load",
            REPLACED: "not taken, the server has its own"}


def as_data(survey: Survey) -> dict[str, Any]:
    """Return everything as JSON can have it."""
    counts = Counter(one.result for one in survey.verdicts)
    return {"runtime": survey.kind, "modules": [_module(one) for one in survey.verdicts],
            "python": survey.others, "summary": {name: counts[name] for name in _COUNTED}}


def _module(verdict: Verdict) -> dict[str, Any]:
    facts, source = verdict.scanned.facts, verdict.scanned.source
    missing = {(one.kind, one.name): one for one in verdict.missing}
    return {
        "name": source.name, "file": source.path, "verdict": verdict.result, "text": verdict.told,
        "files": list(verdict.scanned.texts), "header": _header(verdict),
        "global": facts.is_global, "callbacks": sorted(facts.callbacks),
        "requires": [{"name": name, "when": when, **_why(missing.get(("library", name)))}
                     for name, when in dict.fromkeys((one.name, one.when)
                                                     for one in facts.libraries)],
        "methods": sorted({one.name for one in facts.methods}),
        "missing": [{"kind": one.kind, "name": one.name, "when": one.when, "why": one.why,
                     **_place(one.place)} for one in verdict.missing],
        "events": [{"name": one.event, "call": one.call, "priority": one.priority,
                    "known": one.event not in verdict.strange_events,
                    "nearest": verdict.strange_events.get(one.event), **_place(one.place)}
                   for one in facts.hooks],
        "fires": sorted(facts.fires),
        "options": [{"name": one.name, "type": one.kind, "default": one.default,
                     "required": one.name in facts.required, **_place(one.place)}
                    for one in facts.options],
        "depends": [{"name": one.name, "when": one.when,
                     "found": verdict.origins.get(one.name), **_place(one.place)}
                    for one in facts.depends],
        "provides": [{"kind": one.kind, "name": one.name, **_place(one.place)}
                     for one in facts.items],
    }


def _header(verdict: Verdict) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, values in verdict.scanned.header:
        found.setdefault(key, []).extend(values)
    return found


def _why(missing: Any) -> dict[str, Any]:
    return {"missing": missing is not None, "why": missing.why if missing else ""}


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line}


def as_lines(survey: Survey, short: bool = False) -> list[str]:
    """Return everything as lines of text; with `short` only a line for each module."""
    lines: list[str] = []
    for one in survey.verdicts:
        lines.append(f"mod_{one.scanned.source.name}: {_ways(one.told)}")
        if not short:
            lines += [f"  {name}: {text}" for name, text in _details(one) if text]
    counts = Counter(one.result for one in survey.verdicts)
    parts = [f"{counts[name]} {text}" for name, text in _COUNTED.items() if counts[name]]
    total = f"{len(survey.verdicts)} Lua module{'' if len(survey.verdicts) == 1 else 's'}"
    lines.append(f"{total} ({survey.kind}): {', '.join(parts)}" if parts else total)
    if survey.others:
        lines.append(f"Not looked at, since they are in Python: {', '.join(survey.others)}")
    return lines


def _details(one: Verdict) -> list[tuple[str, str]]:
    facts = one.scanned.facts
    return [
        ("file", _way(one.scanned.source.path)),
        ("parts", ", ".join(_way(path) for path in list(one.scanned.texts)[1:])),
        ("header", "; ".join(f"{key}: {', '.join(values)}" for key, values in one.scanned.header)),
        ("requires", _list(library.name for library in facts.libraries)),
        ("calls", _list(f"module:{method.name}" for method in facts.methods)),
        ("missing", "".join(f"\n    {_way(at.place.file)}:{at.place.line}: {at.kind} {at.name}"
                            f"{_remark(at)}" for at in one.missing)),
        ("handles", _list(hook.event + (f" ({hook.priority:g})" if hook.priority else "")
                          for hook in facts.hooks)),
        ("events that nobody is known to fire", _list(
            name + (f" (did you mean {near}?)" if near else "")
            for name, near in one.strange_events.items())),
        ("fires", _list(sorted(facts.fires - {"*"}))),
        ("options", _list(_option(option, facts.required) for option in facts.options)),
        ("needs", _list(f"mod_{name} ({origin})" for name, origin in one.origins.items())),
        ("provides", _list(" ".join(filter(None, (item.kind, item.name)))
                           for item in facts.items)),
    ]


def _remark(missing: Any) -> str:
    told = [{"later": "in a function or below a condition", "optional": "it can do without"}.get(
        missing.when, "when it loads"), missing.why]
    return f" ({'; '.join(filter(None, told))})"


def _option(option: Any, required: Any) -> str:
    facts = [option.kind if option.kind != "option" else "any type"]
    if option.name in required:
        facts.append("required")
    elif option.default not in (None, "nil"):
        facts.append(f"default {option.default}")
    return f"{option.name} ({', '.join(facts)})"


def _list(texts: Any) -> str:
    return ", ".join(dict.fromkeys(texts))


def _way(path: str) -> str:
    """Return a path as one would type it from here."""
    short = os.path.relpath(path)
    return path if short.startswith("..") else short


def _ways(text: str) -> str:
    """Return a text with the paths in the working folder made short."""
    return text.replace(os.getcwd() + os.sep, "")
