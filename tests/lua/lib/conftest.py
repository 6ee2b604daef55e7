"""A Lua runtime with the libraries, on each of the two Lua versions, and a small driver loop."""

from pathlib import Path
from types import SimpleNamespace

import lupa.lua54
import lupa.luajit21
import pytest

import prosody_py.lua.native as native
from prosody_py.lua import searcher
from prosody_py.lua.flat import StanzaBorder

LIB_DIR = Path(native.__file__).parent.parent / "lib"

# The driver of the real server, in small: a clock that only run() moves, each entry a coroutine.
DRIVER = b"""
local driver = { log_lines = {} };
local clock, serial, ready, timers = 0, 0, {}, {};

local function enter(co, ...)
	local ok, err = coroutine.resume(co, ...);
	if not ok then error(err, 0); end
end

function driver.now() return clock; end
function driver.next_tick(f) ready[#ready + 1] = coroutine.create(f); end
function driver.add_timer(delay, f)
	serial = serial + 1;
	timers[serial] = { at = clock + delay, f = f, id = serial };
	return serial;
end
function driver.cancel_timer(id) timers[id] = nil; end
function driver.log(source, level, text)
	driver.log_lines[#driver.log_lines + 1] = source .. " " .. level .. " " .. text;
end
function driver.wait(state)
	if state.woken then return; end
	state.waiting = coroutine.running();
	coroutine.yield("driver");
end
function driver.wake(state)
	state.woken = true;
	if state.waiting then ready[#ready + 1] = state.waiting; end
end

local function next_timer(limit)
	local first;
	for _, timer in pairs(timers) do
		if timer.at <= limit and (not first or timer.at < first.at
			or (timer.at == first.at and timer.id < first.id)) then
			first = timer;
		end
	end
	return first;
end

-- Run everything that is due in the next `seconds`.
function driver.run(seconds)
	local limit = clock + (seconds or 0);
	while true do
		while ready[1] do enter(table.remove(ready, 1)); end
		local timer = next_timer(limit);
		if not timer then break; end
		timers[timer.id] = nil;
		clock = timer.at;
		enter(coroutine.create(timer.f));
	end
	clock = limit;
end

function driver.start(f) driver.next_tick(f); driver.run(); end

return driver;
"""


def make_runtime(module):
    """Return a runtime of a lupa module with the libraries installed."""
    runtime = module.LuaRuntime(encoding=None, unpack_returned_tuples=True, register_eval=False,
                                register_builtins=False)
    native.install(runtime)
    searcher.install(runtime, LIB_DIR)
    loaded = runtime.globals()[b"package"][b"loaded"]
    loaded[b"native.driver"] = runtime.execute(DRIVER)
    return runtime


MODULES = {"lua54": lupa.lua54, "luajit": lupa.luajit21}


def _environment(name):
    runtime = make_runtime(MODULES[name])

    def run(code, *args):
        """Run Lua code; its results come back as bytes, numbers and so on."""
        return runtime.execute(b"local driver = require 'native.driver';" + code.encode(), *args)

    st = runtime.execute(b"return (require 'util.stanza')")
    return SimpleNamespace(runtime=runtime, run=run, border=StanzaBorder(st), st=st)


@pytest.fixture(params=MODULES, scope="module")
def lua(request):
    """The environment of one Lua version, shared by the tests that leave nothing behind."""
    return _environment(request.param)


@pytest.fixture(params=MODULES)
def fresh_lua(request):
    """An environment of its own."""
    return _environment(request.param)
