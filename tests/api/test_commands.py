"""Commands: arguments, whose they are, what the log may have of them."""

from __future__ import annotations

import pytest

from prosody_py.api.commands import Argument, Command, CommandError, Registry, Section, Table
from prosody_py.api.commands.forms import form_of, read, result_of, value_of
from prosody_py.api.commands.running import answer_of


def command(*arguments, handlers=None, **more):
    return Command(("room", "open"), "Open a room.", tuple(map(Argument.parse, arguments)),
                   handlers or {"*": print}, **more)


@pytest.mark.parametrize(("argument", "word", "value"), [
    ("x", "a b", "a b"), ("x:integer", "-3", -3), ("x:boolean", "Yes", True),
    ("x:boolean", "off", False), ("x:jid", "A@X/R", "a@x/R"), ("x:bare_jid", "A@X", "a@x"),
    ("x:host", "EXAMPLE.org", "example.org"), ("x:module", "mod_ping", "ping"),
    ("x:one|two", "two", "two"), ("x:role", "prosody:user", "prosody:user")])
def test_a_word_becomes_what_the_type_says(argument, word, value):
    assert command(argument).parse([word]) == [value]


@pytest.mark.parametrize(("argument", "word"), [
    ("x:integer", "3.5"), ("x:boolean", "perhaps"), ("x:jid", "@"), ("x:bare_jid", "a@x/r"),
    ("x:bare_jid", "x"), ("x:host", "a@x"), ("x:one|two", "three")])
def test_a_word_that_is_none_of_these_is_refused(argument, word):
    with pytest.raises(CommandError, match="x: "):
        command(argument).parse([word])


def test_the_rest_of_the_line_is_one_text_and_what_is_optional_may_be_missing():
    one = command("host:host", "text:text?")
    assert one.parse(["x.y", "a", "b"]) == ["x.y", "a b"] and one.parse(["x.y"]) == ["x.y", None]
    for words in ([], ):
        with pytest.raises(CommandError, match=r"Usage: room open HOST \[TEXT\]"):
            one.parse(words)


def test_whose_a_command_is_goes_by_its_first_host_or_address():
    on_hosts = {"a.x": "of a", "b.x": "of b"}
    one = command("n:integer", "room:jid?", handlers=on_hosts)
    assert one.handler_for([1, "r@b.x"]) == "of b" and one.scope([1, "r@b.x"]) == "b.x"
    assert one.handler_for([1, None], "b.x") == "of b" and one.scope([1, None], "b.x") == "b.x"
    assert one.handler_for([1, None]) == "of a" and one.scope([1, None]) == "a.x"
    with pytest.raises(CommandError, match="not available on c.x") as error:
        one.handler_for([1, "r@c.x"])
    assert error.value.condition == "item-not-found"
    assert command("room:jid").scope(["r@b.x"]) == "b.x"
    assert command("room:jid", everywhere=True).scope(["r@b.x"]) == "*"
    assert command("room:jid?").scope([None], "b.x") == "*"


def test_the_log_has_no_secret():
    one = command("jid:jid", "password:password", flags={"value_params": {"token", "name"}})
    words = ["a@x", "hush", "--token", "hush", "--name=n"]
    shown = "room open a@x (secret) --token=(secret) --name=n"
    assert one.shown(words) == shown and one.shown_values(one.parse(words)) == shown


def test_of_two_commands_that_are_not_the_same_the_first_one_counts():
    section = Section("server", "The server")
    section.command("end", "code:integer?")(lambda call, code: None)
    registry = Registry([section])
    registry.add(Command(("server", "end"), "", (), {"a.x": print}))
    assert list(registry.commands["server", "end"].handlers) == ["*"]
    registry.add(command("room:jid", handlers={"a.x": "of a"}), "Rooms")
    registry.add(command("room:jid", handlers={"b.x": "of b"}))
    registry.add(command("room:jid", "size:integer", handlers={"c.x": "of c"}))
    registry.add(command("room:jid", handlers={"d.x": "of d"}, role="prosody:user"))
    assert list(registry.commands["room", "open"].handlers) == ["a.x", "b.x"]
    assert registry.sections["room"] == "Rooms"


def test_a_form_gives_the_same_arguments_as_words_do():
    one = command("host:host", "size:integer", "public:boolean?", "text:text?",
                  flags={"value_params": {"name"}, "switches": {"hidden"},
                         "array_params": {"group"}})
    form = form_of(one, ["x.y", "z.y"])
    filled_in = form.element({"host": "x.y", "size": 3, "public": True, "text": "a\nb",
                              "--name": "n", "--hidden": True, "--group": "g\nh"}, "submit")
    assert read(one, form, filled_in) == [
        "x.y", 3, True, "a\nb", {"name": "n", "hidden": True, "group": ["g", "h"]}]
    with pytest.raises(CommandError, match="host: a value is needed") as error:
        read(one, form, form.element({"host": "", "size": 3}, "submit"))
    assert error.value.condition == "bad-request"
    assert form_of(command(), ["x.y"]) is None


@pytest.mark.parametrize(("field", "text", "value"), [
    ({"name": "x"}, "a b", "a b"), ({"name": "x", "type": "boolean"}, "no", False),
    ({"name": "x", "datatype": "xs:integer"}, "7", 7),
    ({"name": "x", "type": "list-multi", "options": ["a", "b"]}, "b, a", ["b", "a"]),
    ({"name": "x", "type": "jid-multi"}, "A@x", ["a@x"])])
def test_a_text_becomes_the_value_of_a_field(field, text, value):
    assert value_of(field, text) == value


def test_results_are_plain_data():
    assert answer_of(None) == {"text": ""} and answer_of((True, "x")) == {"text": "x"}
    table = {"columns": ["a", "b"], "rows": [[1, None], [2, 3]]}
    assert answer_of(Table(("a", "b"), [(1, None), (2, 3)])) == table
    assert answer_of({"columns": ["a", "b"], "rows": [[1], {1: 2, 2: 3}]}) == table
    for failed in (False, (False, "why"), (None, "why")):
        with pytest.raises(CommandError):
            answer_of(failed)
    assert result_of({"text": "x"}, "t") is None
    facts = result_of({"columns": ["what", "value"], "rows": [["a", 1], ["b", 2], ["b", 3]]}, "t")
    assert [(field.attr["var"], field.attr["type"], len(field.tags)) for field in facts.childtags(
        "field")] == [("a", "text-single", 1), ("b", "text-multi", 2)]
