-- Loggers: init(name) returns log(level, format, ...).

local driver = require "native.driver";
local format = require "util.format".format;

local ipairs, t_remove = ipairs, table.remove;

local sinks = {}; -- level -> list of functions (name, level, format, ...)
local levels = { "debug", "info", "warn", "error" };

-- Functions that log to all, made once per level so that a call costs no string work.
local function make_logger(source, level)
	return function (form, ...)
		driver.log(source, level, format(form, ...));
		local list = sinks[level];
		if list then
			for _, sink in ipairs(list) do sink(source, level, form, ...); end
		end
	end;
end

local function init(name)
	local by_level = {};
	return function (level, form, ...)
		local log = by_level[level];
		if not log then
			log = make_logger(name, level);
			by_level[level] = log;
		end
		return log(form, ...);
	end;
end

local function add_level_sink(level, sink)
	sinks[level] = sinks[level] or {};
	sinks[level][#sinks[level] + 1] = sink;
end

-- sink(name, level, message), for the levels in the list (all when missing).
local function add_simple_sink(sink, wanted)
	local function simple(name, level, form, ...)
		return sink(name, level, format(form, ...));
	end
	for _, level in ipairs(wanted or levels) do add_level_sink(level, simple); end
	return simple;
end

-- Remove what add_simple_sink returned.
local function remove_sink(sink)
	local removed = false;
	for _, list in next, sinks do
		for i = #list, 1, -1 do
			if list[i] == sink then
				t_remove(list, i);
				removed = true;
			end
		end
	end
	return removed;
end

local function reset()
	sinks = {};
end

return {
	init = init; make_logger = make_logger; new = make_logger; add_level_sink = add_level_sink;
	add_simple_sink = add_simple_sink; remove_sink = remove_sink; reset = reset;
};
