"""Errors in handlers: which are answers, which are faults, and what becomes of the stanza."""

import logging

import pytest


def do(act, on):
    return f"<do xmlns='urn:test:router' act='{act}' on='{on}'/>"


@pytest.mark.parametrize("event", ["pre-stanza", "pre-iq/host", "iq/host"])
def test_a_stanza_error_is_the_answer(obedient, romeo, event):
    before = obedient.errors
    answer = romeo.iq("get", do("error", event), to="localhost")
    type, condition, text, extra = answer.get_error()
    assert (answer.attr["type"], answer.attr["from"]) == ("error", "localhost")
    assert (type, condition, text) == ("modify", "gone", "It was here")
    assert (extra.name, extra.attr["xmlns"]) == ("moved", "urn:test:extra")
    assert obedient.errors == before


@pytest.mark.parametrize("name", ["message", "presence"])
def test_a_stanza_error_answers_messages_and_presence_too(obedient, romeo, juliet, name):
    [answer] = romeo.send(f"<{name} id='7' to='juliet@localhost'>"
                          f"{do('error', name + '/bare')}</{name}>").flush()
    assert (answer.name, answer.attr["id"], answer.get_error()[1]) == (name, "7", "gone")
    assert juliet.flush() == []


@pytest.mark.parametrize("stanza", [
    "<message type='error' to='juliet@localhost' id='7'>{}</message>",
    "<presence type='error' to='juliet@localhost' id='7'>{}</presence>",
    "<iq type='error' to='juliet@localhost' id='7'>{}</iq>",
    "<iq type='result' to='juliet@localhost' id='7'>{}</iq>",
])
@pytest.mark.parametrize("act", ["error", "fault", "store:policy-violation"])
def test_no_error_ever_answers_an_answer(obedient, romeo, stanza, act):
    assert romeo.send(stanza.format(do(act, "pre-stanza"))).flush() == []
    assert ("pre-stanza", False) in obedient.seen


@pytest.mark.parametrize("type", ["get", "set"])
@pytest.mark.parametrize("event", ["pre-stanza", "pre-iq/host", "iq/host"])
def test_a_fault_answers_an_iq_and_ends_its_way(obedient, romeo, type, event):
    before = obedient.errors
    answer = romeo.iq(type, do("fault", event), to="localhost")
    assert answer.get_error()[:2] == ("wait", "internal-server-error")
    assert "purpose" not in str(answer)
    assert obedient.seen[-1][0] == event
    assert (obedient.errors, obedient.last_error) == (before + 1, event)


@pytest.mark.parametrize("event", ["pre-stanza", "pre-message/bare", "message/bare"])
def test_a_fault_does_not_stop_a_message(obedient, romeo, juliet, event):
    romeo.send(f"<message to='juliet@localhost'>{do('fault', event)}<body>x</body></message>")
    assert juliet.message(5).get_child_text("body") == "x"
    assert romeo.flush() == []


def test_the_log_names_module_event_and_stanza_but_the_answer_does_not(
        obedient, romeo, caplog):
    with caplog.at_level(logging.ERROR):
        romeo.iq("get", do("fault", "iq/host"), to="localhost", id="the-id")
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    for part in ("obedient", "localhost", "iq/host", "the-id", "ValueError", "on purpose"):
        assert part in record.getMessage()
    assert "mod_obedient.py" in caplog.text


@pytest.mark.parametrize(("condition", "expected"), [
    ("policy-violation", ("modify", "policy-violation")),
    ("resource-constraint", ("wait", "resource-constraint")),
    ("item-not-found", ("cancel", "item-not-found")),
    ("internal-server-error", ("wait", "internal-server-error")),
    ("quota-limit", ("wait", "internal-server-error")),
])
def test_a_store_that_fails_answers_an_iq_with_its_condition_and_is_logged(
        obedient, romeo, caplog, condition, expected):
    before = obedient.errors
    with caplog.at_level(logging.ERROR):
        answer = romeo.iq("set", do("store:" + condition, "iq/host"), to="localhost")
    assert answer.get_error()[:2] == expected
    assert "administrator" not in str(answer)
    assert "a secret of the administrator" in caplog.text
    assert obedient.errors == before + 1


def test_a_store_that_fails_does_not_stop_a_message(obedient, romeo, juliet):
    romeo.send("<message to='juliet@localhost'>"
               f"{do('store:policy-violation', 'message/bare')}<body>x</body></message>")
    assert juliet.message(5).get_child_text("body") == "x"
    assert romeo.flush() == []


def test_after_all_errors_the_session_goes_on(obedient, romeo):
    for act in ("error", "fault", "store:conflict"):
        assert romeo.iq("get", do(act, "iq/host"), to="localhost").attr["type"] == "error"
    assert romeo.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"
