-- Looking into event objects while developing.

local logger = require "util.logger";

local t_sort, t_concat = table.sort, table.concat;

local hooks = setmetatable({}, { __mode = "k" });

-- Log each event that an event object fires.
local function log_events(events, name, log)
	log = log or logger.init("events");
	name = name or tostring(events);
	local function wrapper(next_handlers, event, data)
		log("debug", "%s firing event: %s", name, event);
		return next_handlers(event, data);
	end
	hooks[events] = wrapper;
	events.add_wrapper(false, wrapper);
	return events;
end

local function revert_log_events(events)
	if hooks[events] then
		events.remove_wrapper(false, hooks[events]);
		hooks[events] = nil;
	end
end

-- Return the handlers of all events as text, highest priority first.
local function show_events(events, specific_event)
	local names, lines = {}, {};
	for event in pairs(events._event_map) do
		if not specific_event or event == specific_event then names[#names + 1] = tostring(event); end
	end
	t_sort(names);
	for _, name in ipairs(names) do
		lines[#lines + 1] = name;
		local priorities = events._event_map[name] or {};
		for _, handler in ipairs(events.get_handlers(name) or {}) do
			lines[#lines + 1] = "\t" .. tostring(handler) .. " " .. tostring(priorities[handler] or 0);
		end
	end
	return t_concat(lines, "\n");
end

local function get_upvalue(f, wanted)
	local i, name, value = 0, nil, nil;
	repeat
		i = i + 1;
		name, value = debug.getupvalue(f, i);
	until name == wanted or name == nil;
	return value;
end

return {
	log_events = log_events; revert_log_events = revert_log_events; show_events = show_events;
	get_upvalue = get_upvalue;
	log_host_events = function (host) return log_events(prosody.hosts[host].events, host); end;
	revert_log_host_events = function (host) return revert_log_events(prosody.hosts[host].events); end;
};
