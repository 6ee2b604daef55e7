"""Runs the periodic tasks of modules: `module.hourly`, `daily`, `weekly` and `cron`.

A task is an item "task": `name`, `when` ("hourly", "daily", "weekly") and `run(task, now)`. When
each one ran last is kept in the store "cron", that of a global module's tasks in the first host's,
so that a restart neither forgets nor repeats a task. One that is new runs when the next hour, day
or week begins (in UTC; weeks begin on a Thursday). Tasks run one after the other.

Data and owner: the global instance has the tasks of all hosts.
"""

from __future__ import annotations

import re
import time

from prosody_py.api import Table, command, datetime
from prosody_py.storage.interface import StorageError

GLOBAL = True
PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 7 * 86400}
CHECK = 30  # seconds between two looks at what is due
EARLY = 0.995  # what is nearly due is due, so that a task does not wander through the day
_SIGNS = re.compile(r"[^0-9A-Za-z]")  # what Prosody replaces in the id of a task


def load(module):
    """Take the tasks of global modules."""
    module.tasks = []
    take_tasks(module, module)


def add_host(module):
    """Take the tasks of a host's modules."""
    take_tasks(module.parent, module)


def take_tasks(module, place) -> None:
    """Note the tasks of the modules that are loaded where `place` is."""
    place.handle_items("task", lambda event: add(module, event),
                       lambda event: remove(module, event))


def ready(module):
    """Begin to look at what is due."""
    module.add_timer(1, lambda now: run_due(module, now))


def add(module, event) -> None:
    """Note a task; it gets an `id`."""
    task, source = event.item, event.source
    when = task.get("when")
    if when not in PERIODS or not callable(task.get("run")):
        module.log("error", "mod_%s has a task that is not hourly, daily or weekly, or has nothing "
                   "to run", source.name)
        return
    if not task.get("name"):
        task["name"] = when
    if not task.get("id"):
        task["id"] = f"{source.name}/{_SIGNS.sub('_', task['name']).lower()}"
    module.tasks.append((task, source))
    module.log("debug", "%s task %s", when, task["id"])


def remove(module, event) -> None:
    """Forget a task; when it ran last stays known."""
    module.tasks = [entry for entry in module.tasks if entry[0] is not event.item]


def last_runs(module, host: str):
    """Return the store of when a host's tasks ran last; None on a server without hosts."""
    if host == "*":
        host = next(iter(module.server.hosts), None)
    return module.context(host).open_store("cron", "map") if host is not None else None


def run_due(module, now: float) -> float:
    """Run what is due; return the seconds until the next look."""
    for task, source in module.tasks:
        if not source.loaded:
            continue
        try:
            store = last_runs(module, source.host)
            if is_due(store, task, now):
                run(module, store, task, source, now)
        except StorageError as error:
            module.log("error", "Cannot tell when %s ran last: %s", task["id"], error)
    return CHECK


def is_due(store, task, now: float) -> bool:
    """Whether a task has to run; a new one counts as run when its period began."""
    period = PERIODS[task["when"]]
    if task.get("last") is None and store is not None:
        task["last"] = store.get(None, task["id"])
    if task.get("last") is None:
        task["last"] = now - now % period
        keep(store, task)
    return task["last"] + period * EARLY <= now


def keep(store, task) -> None:
    """Keep when a task ran last."""
    if store is not None:
        store.set(None, task["id"], task["last"])


def run(module, store, task, source, now: float) -> None:
    """Run one task; an error stays with the module that it belongs to."""
    begun = time.monotonic()
    task["last"] = now
    keep(store, task)
    try:
        task["run"](task, now)
    except Exception as error:
        source.count_error("task")
        source.log("error", "Error in the %s task %s: %s", task["when"], task["id"],
                   getattr(error, "lua_traceback", None) or error, exc_info=error)
    module.log("debug", "%s took %.3f seconds", task["id"], time.monotonic() - begun)


@command("cron", "tasks", "host:host?", help="Periodic tasks of modules")
def tasks(module, call, host):
    """List the periodic tasks, when they ran last, and when they are due."""
    rows = []
    for task, source in module.tasks:
        if host not in (None, source.host):
            continue
        store = last_runs(module, source.host)
        last = task.get("last")
        if last is None and store is not None:
            last = store.get(None, task["id"])
        due = None if last is None else last + PERIODS[task["when"]]
        rows.append((source.host, task["id"], task["when"],
                     *(moment and datetime.format_datetime(moment) for moment in (last, due))))
    return Table(("host", "task", "when", "last", "due"), sorted(rows, key=lambda row: row[:2]))
