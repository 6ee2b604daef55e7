-- Event data as tables. A handler gets a table that is filled with the fields of the Python
-- object, and what it has changed there goes back to the object when it returns, or before
-- another handler can look at it. Only the handler itself runs in a coroutine: instructions there
-- cost twice as much, because the hook of the time limit sees each of them.

local py, scheduler, hidden, proxies, additions = ...;
local KEY, GIVEN = {}, {}; -- hidden: the number by which Python knows the event; fields as given
hidden[KEY], hidden[GIVEN] = true, true;
local rawget, rawset, next, type, select = rawget, rawset, next, type, select;
local enter, enter_one, raw_request = scheduler.enter, scheduler.enter_one, scheduler.request;
local unpack = table.unpack or unpack;
local tables = {}; -- key -> table, while a handler is at work with it
local look_at, note_change; -- of stanza.lua
local noted, noting, set_metatable = additions.noted, additions.mt, additions.set_metatable;
local is_noting = additions.in_use;
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

local function open(key, stanza, origin_id, to_self)
	local event = {
		stanza = stanza, origin = proxies[origin_id] or py.field(key, "origin"), to_self = to_self,
		[KEY] = key,
	};
	if is_noting then set_metatable(event, noting); end
	tables[key] = event;
	return event;
end

-- `count` is that of the additions before.
local function close(key, event, stanza, origin, to_self, count)
	local more = 0;
	if not is_noting or noted.count ~= count then
		more = event[GIVEN] and 1 or -4;
		for _ in next, event do more = more + 1; end
	end
	if more ~= 0 or event.stanza ~= stanza or event.origin ~= origin or event.to_self ~= to_self then
		event[GIVEN] = event[GIVEN] or { stanza = stanza, origin = origin, to_self = to_self };
		write_back(event);
	end
	tables[key] = nil;
	event[KEY] = false;
end

-- The entry goes on, or has failed: `rest` is for the driver.
local function later(event, stanza, origin, to_self, rest)
	event[GIVEN] = event[GIVEN] or { stanza = stanza, origin = origin, to_self = to_self };
	return stanza, unpack(rest, 1, rest.n);
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
	event = open(key, stanza, origin_id, to_self);
	local origin, count = event.origin, noted.count;
	local result, rest = enter_one(f, event);
	if rest then return select(2, later(event, stanza, origin, to_self, rest)); end
	if result == nil then compare(stanza); end -- else hardly anybody will look at it any more
	close(key, event, stanza, origin, to_self, count);
	return result;
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

-- The table of a stanza may be needed in Python while its first handler is still at work.
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

-- What the runners of shapes need; gets two functions of stanza.lua.
local function connect(look, note)
	look_at, note_change = look, note;
	return {
		fresh = fresh; enter = enter_one; close = close; later = later;
		KEY = KEY; tables = tables; proxies = proxies;
		origin_of = function (key) return py.field(key, "origin"); end;
		additions = additions;
		changed = function (stanza, number)
			note_change(stanza, number);
			py.changed(number);
		end;
	};
end

return {
	enter_stanza = enter_stanza; take = take; leave = leave; connect = connect;
	enter_event = enter_event; key_of = key_of; forget = forget;
	request = request; tables = tables;
};
