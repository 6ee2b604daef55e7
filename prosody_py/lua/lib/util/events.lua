-- Event objects: handlers by priority, wrappers around the firing.
--
-- Higher priorities run first, equal ones in the order of registration. The first handler that
-- returns something else than nil ends the event. A handler added twice is there once, with its
-- last priority. The list of handlers is fixed when an event starts.

local pairs, next = pairs, next;
local t_insert, t_remove, t_sort = table.insert, table.remove, table.sort;

local function new()
	local handlers = {}; -- event -> sorted list, made when needed
	local event_map = {}; -- event -> { [handler] = priority }
	local order = {}; -- event -> { [handler] = number of registration }
	local serial = 0;
	local wrappers = {}; -- event or false -> list, the last added is outermost
	local debug_hook;
	local events = {};

	local function rebuild(event)
		local map = event_map[event];
		if not map or next(map) == nil then
			handlers[event] = nil;
			return nil;
		end
		local list, numbers = {}, order[event];
		for handler in pairs(map) do list[#list + 1] = handler; end
		t_sort(list, function (a, b)
			if map[a] ~= map[b] then return map[a] > map[b]; end
			return numbers[a] < numbers[b];
		end);
		handlers[event] = list;
		return list;
	end

	local function get_handlers(event)
		return handlers[event] or (event_map[event] and rebuild(event)) or nil;
	end

	function events.add_handler(event, handler, priority)
		local map = event_map[event];
		if not map then
			map = {};
			event_map[event], order[event] = map, {};
		end
		serial = serial + 1;
		map[handler] = priority or 0;
		order[event][handler] = serial;
		handlers[event] = nil;
	end

	function events.remove_handler(event, handler)
		local map = event_map[event];
		if not map then return; end
		map[handler], order[event][handler] = nil, nil;
		handlers[event] = nil;
		if next(map) == nil then event_map[event], order[event] = nil, nil; end
	end

	function events.add_handlers(map)
		for event, handler in pairs(map) do events.add_handler(event, handler); end
	end

	function events.remove_handlers(map)
		for event, handler in pairs(map) do events.remove_handler(event, handler); end
	end

	local function run(event, data)
		local list = get_handlers(event);
		if not list then return nil; end
		if debug_hook then
			for i = 1, #list do
				local result = debug_hook(list[i], event, data);
				if result ~= nil then return result; end
			end
			return nil;
		end
		for i = 1, #list do
			local result = list[i](data);
			if result ~= nil then return result; end
		end
		return nil;
	end

	-- Own wrappers are outside of those of all events; a wrapper calls on with (event, data).
	local function enter(i, own, all, event, data)
		if i == 0 then return run(event, data); end
		local wrapper = i > #all and own[i - #all] or all[i];
		return wrapper(function (next_event, next_data)
			return enter(i - 1, own, all, next_event, next_data);
		end, event, data);
	end

	local none = {};

	function events.fire_event(event, data)
		local own, all = wrappers[event], wrappers[false];
		if own or all then
			own, all = own or none, all or none;
			return enter(#own + #all, own, all, event, data);
		end
		return run(event, data);
	end

	function events.add_wrapper(event, wrapper)
		local list = wrappers[event] or {};
		wrappers[event] = list;
		t_insert(list, wrapper);
	end

	function events.remove_wrapper(event, wrapper)
		local list = wrappers[event];
		if not list then return; end
		for i = #list, 1, -1 do
			if list[i] == wrapper then t_remove(list, i); end
		end
		if #list == 0 then wrappers[event] = nil; end
	end

	function events.set_debug_hook(hook)
		local old = debug_hook;
		debug_hook = hook;
		return old;
	end

	events.get_handlers = get_handlers;
	events.wrappers = { add_handler = events.add_wrapper; remove_handler = events.remove_wrapper };
	events._handlers, events._event_map = handlers, event_map;
	return events;
end

return { new = new };
