"""Commands as data forms (XEP-0004): a form for the arguments, and one for the result.

    form_of(command, hosts)          # to fill in; None when the command has no arguments
    read(command, form, x)           # the arguments, or CommandError
    result_of(answer, title)         # <x type='result'/> of a table; None for a text
    value_of(field, text)            # what a word means as the value of any field
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prosody_py.api.commands.arguments import Argument, CommandError
from prosody_py.api.commands.command import Command
from prosody_py.xmpp.dataforms import XMLNS, Form, FormError
from prosody_py.xmpp.stanza import Stanza

FORM_TYPE = "urn:prosody-py:commands"
_TYPES = {
    "boolean": "boolean", "jid": "jid-single", "bare_jid": "jid-single", "host": "list-single",
    "password": "text-private", "text": "text-multi", "choice": "list-single",
}
_FLAGS = {"array_params": "text-multi", "switches": "boolean"}
_INTEGERS = ("integer", "number")


def form_of(command: Command, hosts: list[str]) -> Form | None:
    """Return the form for a command's arguments; `hosts` are those to choose from."""
    fields = [_field(argument, hosts) for argument in command.arguments]
    for kind, names in sorted((command.flags or {}).items()):
        fields += [{"name": f"--{name}", "label": name.replace("_", " ").capitalize(),
                    "type": _FLAGS.get(kind, "text-single")} for name in sorted(names)]
    if not fields:
        return None
    fields.insert(0, {"name": "FORM_TYPE", "type": "hidden", "value": FORM_TYPE})
    return Form(fields, title=" ".join(command.words), instructions=command.help)


def _field(argument: Argument, hosts: list[str]) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": argument.name, "label": argument.name.replace("_", " ").capitalize(),
        "type": _TYPES.get(argument.type, "text-single"), "required": not argument.optional}
    if argument.type in _INTEGERS:
        field["datatype"] = "xs:integer"
    if argument.choices:
        field["options"] = list(argument.choices)
    elif argument.type == "host":
        field["options"], field["value"] = hosts, hosts[0]
    return field


def read(command: Command, form: Form, x: Stanza) -> list[Any]:
    """Return the arguments that a filled in form gives; raises CommandError ("bad-request")."""
    try:
        given = form.read(x)
    except FormError as error:
        raise CommandError("; ".join(f"{name}: {text}" for name, text in error.errors.items()),
                           "bad-request") from None
    values: list[Any] = []
    for argument in command.arguments:
        value = given.get(argument.name)
        if value is None or value == "":
            if not argument.optional:
                raise CommandError(f"{argument.name}: a value is needed", "bad-request")
            values.append(None)
            continue
        try:
            values.append(argument.convert(_word(value)))
        except CommandError as error:
            raise CommandError(str(error), "bad-request") from None
    if command.flags is not None:
        arrays = command.flags.get("array_params", ())
        values.append({name[2:]: value.split("\n") if name[2:] in arrays else value
                       for name, value in given.items() if name.startswith("--") and value})
    return values


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def result_of(answer: dict[str, Any], title: str) -> Stanza | None:
    """Return the form of an answer's table: <reported/> and items, or a field for each fact."""
    if "rows" not in answer:
        return None
    columns = [str(name) for name in answer["columns"]]
    rows = [["" if value is None else str(value) for value in row] for row in answer["rows"]]
    x = Stanza("x", {"xmlns": XMLNS, "type": "result"}).text_tag("title", title)
    if columns == ["what", "value"]:
        facts: dict[str, list[str]] = {}
        for what, value in rows:
            facts.setdefault(what.strip(), []).append(value)
        for what, values in facts.items():
            x.tag("field", var=what, label=what,
                  type="text-multi" if len(values) > 1 else "text-single")
            for value in values:
                x.text_tag("value", value)
            x.up()
        return x.reset()
    x.tag("reported")
    for name in columns:
        x.tag("field", var=name, label=name, type="text-single").up()
    x.up()
    for row in rows:
        x.tag("item")
        for name, value in zip(columns, row, strict=True):
            x.tag("field", var=name).text_tag("value", value).up()
        x.up()
    return x.reset()


def value_of(field: Mapping[str, Any], text: str) -> Any:
    """Return what a text means as the value of a form's field; raises CommandError.

    Lines, or several values of a list, are separated by commas; yes and no are as good as 1 and 0.
    """
    kind = field.get("type") or "text-single"
    value: Any = text
    if kind == "boolean":
        value = Argument(str(field.get("name")), "boolean").convert(text)
    elif kind.endswith("-multi"):
        value = [part.strip() for part in text.split(",") if part.strip()]
    chosen = value if isinstance(value, list) else [value]
    known = [one["value"] if isinstance(one, Mapping) else one
             for one in field.get("options") or ()]
    if known and (unknown := [one for one in chosen if one not in known]):
        raise CommandError(f"{field['name']}: {unknown[0]!r} is not one of {', '.join(known)}",
                           "not-acceptable")
    form = Form([field])
    try:
        return form.read(form.element({field["name"]: value}, "submit")).get(field["name"], "")
    except FormError as error:
        raise CommandError("; ".join(f"{name}: {why}" for name, why in error.errors.items()),
                           "not-acceptable") from None
