-- Filters of a session: functions that see and change what goes in and out.
--
-- session.filter(kind, data) passes data through the filters of that kind ("stanzas/in",
-- "stanzas/out", "bytes/in", "bytes/out"), higher priorities first; nil drops it. A session whose
-- filters the server keeps brings `filter` and the functions `add_filter(kind, f, priority)` and
-- `remove_filter(kind, f)`; any other table gets its own here.

local pairs, ipairs, t_insert, t_remove = pairs, ipairs, table.insert, table.remove;

-- There is none where the library runs without a server.
local has_server, server = pcall(require, "native.server");

local new_session_hooks = {};

local function own_filters(session)
	local filters = {};
	session.filters = filters;
	function session.filter(kind, data)
		local list = filters[kind];
		if list then
			for i = 1, #list do
				data = list[i](data, session);
				if data == nil then return nil; end
			end
		end
		return data;
	end
end

-- Give a session its filters and run the hooks for new sessions. Return session.filter.
local function initialize(session)
	if not session.filter then
		own_filters(session);
		for _, hook in ipairs(new_session_hooks) do hook(session); end
	end
	return session.filter;
end

local function add_filter(session, kind, callback, priority)
	if session.add_filter then return session.add_filter(kind, callback, priority); end
	if not session.filters then initialize(session); end
	local list = session.filters[kind];
	if not list then
		list = { priorities = {} };
		session.filters[kind] = list;
	end
	priority = priority or 0;
	local i = 1;
	while list[i] and list.priorities[i] >= priority do i = i + 1; end
	t_insert(list, i, callback);
	t_insert(list.priorities, i, priority);
end

local function remove_filter(session, kind, callback)
	if session.remove_filter then return session.remove_filter(kind, callback); end
	local list = session.filters and session.filters[kind];
	if not list then return; end
	for i = #list, 1, -1 do
		if list[i] == callback then
			t_remove(list, i);
			t_remove(list.priorities, i);
		end
	end
end

local function run_hooks(session)
	for _, hook in pairs({ (table.unpack or unpack)(new_session_hooks) }) do hook(session); end
end

local watching = false;

-- callback(session) runs for each session that gets its filters from now on.
local function add_filter_hook(callback)
	if has_server and not watching then
		watching = true;
		server.on_new_session(run_hooks);
	end
	t_insert(new_session_hooks, callback);
end

local function remove_filter_hook(callback)
	for i = #new_session_hooks, 1, -1 do
		if new_session_hooks[i] == callback then t_remove(new_session_hooks, i); end
	end
end

return {
	initialize = initialize; add_filter = add_filter; remove_filter = remove_filter;
	add_filter_hook = add_filter_hook; remove_filter_hook = remove_filter_hook;
};
