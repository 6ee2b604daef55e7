"""XEP-0388: logging in with SASL 2, in one request together with what else the client wants.

An attempt is kept on its session: `sasl_handler` (the exchange), `client_id` (of the client's
user-agent) and `sasl2_tasks` (what is left to do once the exchange has succeeded). While one goes
on (`negotiating`) a stream ends on which anything else comes. What may be asked for along with
logging in other modules offer (`advertise-sasl-features`), note
(`stanza/urn:xmpp:sasl:2:authenticate`, before this module at 0) and carry out
(`sasl2/c2s/success`: above -1000 before the client is told of its success, between -1000 and -1500
after that and before the features). Tasks (`<continue>`) are generators in the `tasks` of the event
`sasl2/c2s/tasks`; an account whose password changes meanwhile is not let in. All failures are
`sasl2/c2s/failure` and leave the session as it was. SASL 2 is spoken over TLS only.
"""

from __future__ import annotations

import base64
from weakref import WeakSet

from prosody_py.api import Event, hook, stanza
from prosody_py.sessions import lifecycle
from prosody_py.sessions.authentication import (
    LoginOptions,
    advertise_bindings,
    begin,
    claimed_username,
    count_failure,
    fire_failure,
    offer,
    step,
)
from prosody_py.xmpp import jid, ns, sasl

from .tasks import Tasks

DEPENDS = ("saslauth",)  # for who binds a resource afterwards
XMLNS = "urn:xmpp:sasl:2"
MAX_AGENT_TEXT = 256  # characters of what a client says of itself


class Config(LoginOptions):
    """Which mechanisms are offered."""


def load(module):
    """Begin with nobody who has tasks to do."""
    module.at_tasks = WeakSet()


def save(module):
    """Return who has tasks to do."""
    return {"at_tasks": module.at_tasks}


def restore(module, saved):
    """Go on with their tasks."""
    module.at_tasks = saved["at_tasks"]


# -- what is offered -----------------------------------------------------------------------


@hook("stream-features", priority=1)
def features(module, event):
    """Offer SASL 2 and what may be asked for along with it."""
    session = event.origin
    if session.type != "c2s_unauthed" or not session.secure:
        return
    stream = getattr(event, "stream", None) or {}
    claimed = jid.prepped_split(stream.get("from") or "")
    if claimed[1] is not None and claimed[1] != module.host:
        session.close("invalid-from", "The address in 'from' is not of this host")
        return
    session.extras["sasl2_from"] = claimed_username(session, stream)
    names = offer(event, module.options)
    if not names:
        return
    offered = stanza.stanza("authentication", xmlns=XMLNS)
    for name in names:
        offered.text_tag("mechanism", name)
    inline = stanza.stanza("inline")
    module.fire_event("advertise-sasl-features", Event(
        origin=session, features=inline, stream=stream, authentication=offered))
    if inline.children:
        offered.add_child(inline)
    event.features.add_child(offered)
    advertise_bindings(event)


# -- what the client says ------------------------------------------------------------------


def is_at_it(session) -> bool:
    """Whether an attempt goes on, and nothing else may come meanwhile (section 2.3.1)."""
    return session.extras.get("negotiating") == XMLNS


@hook(f"stanza/{XMLNS}:authenticate")
def authenticate(module, event):
    """Begin an attempt."""
    session, element = event.origin, event.stanza
    if session.type != "c2s_unauthed" or session.notopen:
        return None
    if is_at_it(session):
        session.close("not-authorized", "You are authenticating already")
        return True
    handler = getattr(event, "sasl_handler", None)  # of a handler before this one
    problem = getattr(event, "failure", None)
    if problem is None and not session.secure:
        problem = sasl.Failure("encryption-required")
    if problem is None:
        problem = note_agent(session, element)
    if problem is None and handler is None:
        problem = begin(session, element.attr.get("mechanism", ""), module.options)
    if problem is not None:
        return fail(module, session, problem)
    if handler is not None:
        session.sasl_handler = handler
    return advance(module, session, element.get_child_text("initial-response"))


def note_agent(session, element) -> sasl.Failure | None:
    """Keep what the client says of itself: `client_id`, and `user_agent` {software, device}."""
    agent = element.get_child("user-agent")
    client_id = agent.attr.get("id") if agent is not None else None
    if client_id is not None and not 0 < len(client_id) <= MAX_AGENT_TEXT:
        return sasl.Failure("malformed-request", "Not an id of a user-agent")
    session.extras["client_id"] = client_id
    session.extras["user_agent"] = None if agent is None else {
        name: text[:MAX_AGENT_TEXT] for name in ("software", "device")
        if (text := agent.get_child_text(name))}
    return None


@hook(f"stanza/{XMLNS}:response")
def response(module, event):
    """Go on with an exchange."""
    session = event.origin
    if session.type != "c2s_unauthed":
        return None
    if session.sasl_handler is None or session.extras.get("sasl2_tasks") is not None:
        return fail(module, session, sasl.Failure("malformed-request"))
    return advance(module, session, event.stanza.get_text())


@hook(f"stanza/{XMLNS}:abort")
def abort(module, event):
    """End an attempt at the client's wish."""
    if event.origin.type != "c2s_unauthed":
        return None
    return fail(module, event.origin, sasl.Failure("aborted"))


def advance(module, session, text: str | None) -> bool:
    """Take one message of the exchange; without an element there is none, not even an empty one."""
    outcome = step(session, None if text is None else text.strip())
    if session.destroyed:  # the accounts took longer than the client or its time
        return True
    if isinstance(outcome, sasl.Challenge):
        session.extras["negotiating"] = XMLNS
        module.fire_event("sasl2/c2s/challenge", Event(session=session, message=outcome.data))
    elif isinstance(outcome, sasl.Success):
        proved(module, session, outcome)
    else:
        fail(module, session, outcome)
    return True


def proved(module, session, outcome: sasl.Success) -> None:
    """The client is who it says: do what is left to do, then let it in."""
    claimed = session.extras.get("sasl2_from")
    if outcome.authzid is not None and claimed is not None and claimed != outcome.username:
        fail(module, session, sasl.Failure(
            "invalid-authzid", "The stream is from somebody else"))
        return
    event = Event(session=session, username=outcome.username, tasks=[])
    if not session.sasl_handler.selected.startswith("HT-"):  # XEP-0484 section 4.2 forbids tasks
        module.fire_event("sasl2/c2s/tasks", event)
    if event.tasks:
        session.extras["sasl2_tasks"] = Tasks(event.tasks)
        module.at_tasks.add(session)
        next_task(module, session, outcome.data)
    else:
        succeed(module, session, outcome.data)


# -- tasks ---------------------------------------------------------------------------------


def next_task(module, session, data: bytes | None = None) -> None:
    """Ask for the next task."""
    session.extras["negotiating"] = XMLNS
    answer = stanza.stanza("continue", xmlns=XMLNS)
    if data is not None:
        answer.text_tag("additional-data", encode(data))
    answer.tag("tasks")
    for name in session.extras["sasl2_tasks"].steps[0][0]:
        answer.text_tag("task", name)
    session.send(answer)


@hook("user-password-changed")
@hook("user-disabled")
@hook("user-deleted")
def too_late(module, event):
    """Turn away who has proved something that does not hold any more."""
    for session in list(module.at_tasks):
        if session.sasl_handler is not None and session.sasl_handler.username == event.username:
            fail(module, session, sasl.Failure(
                "not-authorized", "The account was changed meanwhile"))


@hook(f"stanza/{XMLNS}:next")
def begin_task(module, event):
    """Begin the task that the client has chosen."""
    return work(module, event, running=False)


@hook(f"stanza/{XMLNS}:task-data")
def task_data(module, event):
    """Go on with a task."""
    return work(module, event, running=True)


def work(module, event, running: bool) -> bool | None:
    """Take an element about a task."""
    session = event.origin
    if session.type != "c2s_unauthed":
        return None
    tasks = session.extras.get("sasl2_tasks")
    if tasks is None or (tasks.running is not None) != running:
        return fail(module, session, sasl.Failure("malformed-request"))
    try:
        told = tasks.take(event.stanza)
    except sasl.SaslError as error:
        return fail(module, session, sasl.Failure(error.condition, error.text))
    except Exception:
        session.log.exception("Error in a task of a client that logs in")
        return fail(module, session, sasl.Failure("temporary-auth-failure"))
    if session.destroyed:
        return True
    if told is not None:
        session.send(stanza.stanza("task-data", xmlns=XMLNS).add_child(told))
    elif tasks.steps:
        next_task(module, session)
    else:
        succeed(module, session, None, tasks.results)
    return True


# -- the end of an attempt -----------------------------------------------------------------


def encode(data: bytes) -> str:
    """Return base64; nothing for no bytes."""
    return base64.b64encode(data).decode()


def succeed(module, session, data: bytes | None, results=()) -> None:
    """Log the session in, do what it has asked for, and tell it."""
    session.extras["negotiating"] = session.extras["sasl2_tasks"] = None
    module.at_tasks.discard(session)
    handler = session.sasl_handler
    try:
        lifecycle.make_authenticated(session, handler.username, handler.role)
    except Exception:
        session.log.exception("Error while a client logged in")
        fail(module, session, sasl.Failure("temporary-auth-failure"))
        return
    if session.destroyed:
        return
    session.extras["sasl_mechanism"] = handler.selected
    session.log.info("Authenticated as %s by %s", session.bare_jid, handler.selected)
    module.fire_event("authentication-success", Event(session=session))
    answer = stanza.stanza("success", xmlns=XMLNS)
    for result in results:
        answer.add_child(result)
    module.fire_event("sasl2/c2s/success", Event(
        session=session, message=data, success=answer, authenticated=session))


@hook("sasl2/c2s/success", priority=-1000)
def tell(module, event):
    """Tell the client who it is now: a full address if it has a resource."""
    session = event.session
    if event.message is not None:
        event.success.text_tag("additional-data", encode(event.message))
    event.success.text_tag("authorization-identifier", session.full_jid or session.bare_jid)
    session.send(event.success)


@hook("sasl2/c2s/success", priority=-1500)
def new_features(module, event):
    """Send the features of the stream, which goes on; a resumed one needs none (XEP-0198)."""
    session = event.session
    if session is event.authenticated and not session.destroyed:
        found = stanza.stanza("stream:features")
        module.fire_event("stream-features", Event(origin=session, features=found, stream={}))
        session.send(found)


@hook("sasl2/c2s/success", priority=-2000)
def forget(module, event):
    """Forget the exchange."""
    event.session.sasl_handler = None
    return True


@hook("sasl2/c2s/challenge")
def challenge(module, event):
    """Ask the client for more."""
    event.session.send(stanza.stanza("challenge", xmlns=XMLNS).text(encode(event.message)))
    return True


def fail(module, session, failure: sasl.Failure) -> bool:
    """Turn the client away; the session stays as it was."""
    session.extras["negotiating"] = session.extras["sasl2_tasks"] = None
    module.at_tasks.discard(session)
    module.fire_event("sasl2/c2s/failure", Event(
        session=session, message=failure.condition, error_text=failure.text or None))
    return True


@hook("sasl2/c2s/failure")
def tell_failure(module, event):
    """Tell the client why."""
    session = event.session
    event = fire_failure(session, sasl.Failure(event.message, event.error_text or ""), event)
    answer = stanza.stanza("failure", xmlns=XMLNS).tag(event.condition, xmlns=ns.SASL).up()
    if event.text:
        answer.text_tag("text", event.text)
    session.send(answer)
    count_failure(session)
    return True
