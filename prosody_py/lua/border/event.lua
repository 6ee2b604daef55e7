-- Event data as tables. A handler gets a table that is filled with the fields of the Python
-- object, and what it has changed there goes back to the object when it returns, or before
-- another handler can look at it. Only the handler itself runs in a coroutine: instructions there
-- cost twice as much, because the hook of the time limit sees each of them.

local py, scheduler, hidden, proxies = ...;
local KEY, GIVEN = {}, {}; -- hidden: the number by which Python knows the event; fields as given
hidden[KEY], hidden[GIVEN] = true, true;
local rawget, rawset, next, type, select = rawget, rawset, next, type, select;
local enter, raw_request = scheduler.enter, scheduler.request;
local tables = {}; -- key -> table, while a handler is at work with it
local makers, look_at; -- of stanza.lua
local fresh = {}; -- number -> a stanza whose table Python has not got yet

local function write_back(event)
	local given = event[GIVEN];
	if not given then
		given = {};
		event[GIVEN] = given;
	end
	local key = event[KEY];
	for field, value in next, event do
		if given[field] ~= value and not hidden[field] then
			py.set_field(key, field, value);
			given[field] = value;
		end
	end
	for field in next, given do
		if rawget(event, field) == nil then
			py.set_field(key, field, nil);
			given[field] = nil;
		end
	end
end

local function take_fields(event, given, field, value, ...)
	if field == nil then return; end
	event[field], given[field] = value, value;
	return take_fields(event, given, ...);
end

-- Read all fields again: other handlers may have changed them.
local function read_again(event)
	local given = event[GIVEN];
	if not given then
		given = { stanza = true, origin = true, to_self = true };
		event[GIVEN] = given;
	end
	for field in next, given do
		event[field], given[field] = nil, nil;
	end
	take_fields(event, given, py.fields(event[KEY]));
end

-- Tell Python when a stanza is not any more what it knows.
local function compare(stanza)
	local _, number = look_at(stanza);
	if number then py.changed(number); end
end

-- An entry that has ended at once returns one value. Anything else is for the driver in Python,
-- which calls `leave` when it is through.

local function leave(key, mine)
	local event = tables[key];
	if not event then return; end
	write_back(event);
	if mine then
		tables[key] = nil;
		event[KEY] = false;
	end
end

local function left(key, mine, ...)
	if select("#", ...) == 1 then leave(key, mine); end
	return ...;
end

-- The common case: the three fields of a stanza's event, and a handler that leaves them alone.
local function left_stanza(key, event, stanza, origin, to_self, ...)
	if select("#", ...) > 1 then
		event[GIVEN] = event[GIVEN] or { stanza = stanza, origin = origin, to_self = to_self };
		return ...;
	end
	if (...) == nil then compare(stanza); end -- else hardly anybody will look at it any more
	local more = event[GIVEN] and 1 or -4;
	for _ in next, event do more = more + 1; end
	if more ~= 0 or event.stanza ~= stanza or event.origin ~= origin or event.to_self ~= to_self then
		event[GIVEN] = event[GIVEN] or { stanza = stanza, origin = origin, to_self = to_self };
		write_back(event);
	end
	tables[key] = nil;
	event[KEY] = false;
	return ...;
end

local function left_inner_stanza(key, stanza, ...)
	if select("#", ...) == 1 then compare(stanza); end
	return left(key, false, ...);
end

local function enter_stanza(f, key, stanza, origin_id, to_self)
	local event = tables[key];
	if event then
		read_again(event);
		return left_inner_stanza(key, stanza, enter(f, event));
	end
	local origin = proxies[origin_id] or py.field(key, "origin");
	event = { stanza = stanza, origin = origin, to_self = to_self, [KEY] = key };
	tables[key] = event;
	return left_stanza(key, event, stanza, origin, to_self, enter(f, event));
end

local function enter_event(f, key, ...)
	local event = tables[key];
	if event then
		read_again(event);
		return left(key, false, enter(f, event));
	end
	local given = {};
	event = { [KEY] = key, [GIVEN] = given };
	take_fields(event, given, ...);
	tables[key] = event;
	return left(key, true, enter(f, event));
end

-- Make the table of a stanza and call a handler with it; the table comes before the results.
-- The handler may already need it in Python: `take` is for that.

local function taken(number, stanza, ...)
	fresh[number] = nil;
	return stanza, ...;
end

local function enter_shape(f, key, origin_id, to_self, number, shape, ...)
	local stanza = makers[shape](number, ...);
	fresh[number] = stanza;
	return taken(number, stanza, enter_stanza(f, key, stanza, origin_id, to_self));
end

local function take(number) return fresh[number]; end


-- The table of an event that Python knows, by what it is to Python.
local function key_of(t)
	return rawget(t, KEY) or nil;
end

local function forget(key)
	local event = tables[key];
	if event then
		tables[key] = nil;
		event[KEY] = false;
	end
end

local function after(event, ...)
	if event[KEY] then read_again(event); end
	return ...;
end

local function carried(value)
	return type(value) == "table" and rawget(value, KEY) and value;
end

-- A request whose arguments may hold the data of an event.
local function request(f, ...)
	local a, b, c, d = ...;
	local event = carried(d) or carried(c) or carried(b) or carried(a);
	if event then
		write_back(event);
		return after(event, raw_request(f, ...));
	end
	return raw_request(f, ...);
end

return {
	enter_stanza = enter_stanza; enter_shape = enter_shape; take = take; leave = leave;
	connect = function (stanza) makers, look_at = stanza.makers, stanza.look_at; end;
	enter_event = enter_event; key_of = key_of; forget = forget;
	request = request; tables = tables;
};
