-- LuaSocket. What waits lets the server go on meanwhile; what must not wait has to set a timeout of
-- 0, as everywhere.

local clock = require "native.clock";
local native = require "native.server";
local async = require "util.async";

local pcall, error, select, type, ipairs, tonumber = pcall, error, select, type, ipairs, tonumber;

-- newtry and protect: errors as values, for code written in LuaSocket's style.
local function newtry(finalizer)
	return function (...)
		if (...) then return ...; end
		if finalizer then pcall(finalizer); end
		return error({ (select(2, ...)) }, 0);
	end;
end

local function answer(ok, ...)
	if ok then return ...; end
	local err = ...;
	if type(err) == "table" then return nil, err[1]; end
	return error(err, 0);
end

local function protect(f)
	return function (...) return answer(pcall(f, ...)); end;
end

-- Connected and listening sockets ---------------------------------------------------------------

local function connect(host, port, own_address, own_port, family)
	local socket = native.socket_tcp(family);
	if own_address then
		local ok, err = socket:bind(own_address, own_port or 0);
		if not ok then return nil, err; end
	end
	local ok, err = socket:connect(host, port);
	if not ok then
		socket:close();
		return nil, err;
	end
	return socket;
end

local function bind(host, port, backlog)
	local socket = native.socket_tcp();
	socket:setoption("reuseaddr", true);
	local ok, err = socket:bind(host, port);
	if ok then ok, err = socket:listen(backlog); end
	if not ok then
		socket:close();
		return nil, err;
	end
	return socket;
end

-- A list that also has what is in it as keys.
local function indexed(list)
	for i, socket in ipairs(list) do list[socket] = i; end
	return list;
end

local function select_sockets(read, write, timeout)
	local readable, writable, err = native.socket_select(read, write, timeout);
	if not readable then return {}, {}, err; end
	if not readable[1] and not writable[1] then err = "timeout"; end
	return indexed(readable), indexed(writable), err;
end

-- Names -----------------------------------------------------------------------------------------

local dns = {
	gethostname = native.socket_own_name;
	getaddrinfo = native.socket_resolve;
	tohostname = native.socket_name_of;
};

-- The first address of a host, those of IPv4 before others; all of them are in the second result.
function dns.toip(name)
	local found, err = native.socket_resolve(name);
	if not found then return nil, err; end
	local addresses = {};
	for _, entry in ipairs(found) do
		if entry.family == "inet" then addresses[#addresses + 1] = entry.addr; end
	end
	for _, entry in ipairs(found) do
		if entry.family ~= "inet" then addresses[#addresses + 1] = entry.addr; end
	end
	return addresses[1], { name = name; ip = addresses; alias = {} };
end

function dns.getnameinfo(address)
	local name, err = native.socket_name_of(address);
	if not name then return nil, err; end
	return { name };
end

-- Sources and sinks for LTN12 ---------------------------------------------------------------------

local function source(kind, socket, length)
	local left = tonumber(length);
	return setmetatable({ getfd = function () return socket:getfd(); end }, {
		__call = function ()
			if not socket or left and left <= 0 then return nil; end
			local chunk, err, partial = socket:receive(left and math.min(left, 2048) or 2048);
			if err == "closed" and kind == "until-closed" then
				socket:close();
				socket = nil;
				return partial ~= "" and partial or nil;
			elseif not chunk then
				return nil, err;
			end
			if left then left = left - #chunk; end
			return chunk;
		end;
	});
end

local function sink(kind, socket)
	return setmetatable({ getfd = function () return socket:getfd(); end }, {
		__call = function (_, chunk)
			if chunk then return socket:send(chunk); end
			if kind == "close-when-done" then socket:close(); end
			return 1;
		end;
	});
end

return {
	gettime = clock.now;
	sleep = async.sleep;
	newtry = newtry; try = newtry(); protect = protect;
	skip = function (count, ...) return select(count + 1, ...); end;
	tcp = function () return native.socket_tcp(); end;
	tcp4 = function () return native.socket_tcp("inet"); end;
	tcp6 = function () return native.socket_tcp("inet6"); end;
	udp = function () return native.socket_udp(); end;
	udp4 = function () return native.socket_udp("inet"); end;
	udp6 = function () return native.socket_udp("inet6"); end;
	connect = connect;
	connect4 = function (host, port, own, own_port) return connect(host, port, own, own_port, "inet"); end;
	connect6 = function (host, port, own, own_port) return connect(host, port, own, own_port, "inet6"); end;
	bind = bind; select = select_sockets; dns = dns; source = source; sink = sink;
	unix = require "socket.unix";
	BLOCKSIZE = 2048;
	_SETSIZE = 1024;
	_DATAGRAMSIZE = 8192;
	_VERSION = "LuaSocket 3.0.0";
};
