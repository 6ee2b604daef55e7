-- Connections and listeners. A listener is a table of callbacks: onconnect(conn),
-- onincoming(conn, data), ondisconnect(conn, reason), onreadtimeout, ondrain, onpredrain, onstatus,
-- onattach, ondetach. The loop itself is the server's; there is nothing to run here.

local native = require "native.server";
local timer = require "util.timer";
local descriptors = require "net.descriptors";
local log = require "util.logger".init("net.server");

local pcall, tonumber, type = pcall, tonumber, type;

local function read_size(pattern)
	return tonumber(pattern);
end

-- A connection to an IP address; what is written waits until it is there.
local function addclient(address, port, listeners, pattern, tls_ctx, kind, extra)
	if kind and kind ~= "tcp" and kind ~= "tcp4" and kind ~= "tcp6" and kind ~= "unix" then
		return nil, "invalid socket type";
	end
	local conn, err = native.net_connect(address, port, listeners, read_size(pattern), tls_ctx,
		extra and extra.servername);
	if conn and extra then conn.extra = extra; end
	return conn, err;
end

-- A connection made of a connected socket of LuaSocket's.
local function wrapclient(socket, _, _, listeners, pattern, tls_ctx, extra)
	local conn, err = native.net_adopt(socket, listeners, read_size(pattern), tls_ctx,
		extra and extra.servername);
	if conn and extra then conn.extra = extra; end
	return conn, err;
end

local function listen(address, port, listeners, config)
	config = config or {};
	return native.net_listen(address, port, listeners, read_size(config.read_size), config.tls_ctx,
		config.tls_direct);
end

local function addserver(address, port, listeners, pattern, tls_ctx)
	return listen(address, port, listeners, {
		read_size = pattern; tls_ctx = tls_ctx; tls_direct = tls_ctx ~= nil;
	});
end

-- Connections that a listening socket of LuaSocket's accepts.
local function wrapserver(socket, _, _, listeners, config)
	local server, watch = {}, nil;
	watch = native.net_watch(socket, function ()
		local client, err = socket:accept();
		if client then
			wrapclient(client, nil, nil, listeners, config and config.read_size);
		elseif err ~= "timeout" then
			log("error", "Cannot accept a connection: %s", err);
		end
	end);
	function server.close() watch:close(); socket:close(); end
	function server.ip() return (socket:getsockname()); end
	function server.port() local _, number = socket:getsockname(); return number; end
	server.serverport = server.port;
	return server;
end

-- What `from` receives goes to `to`; `from` is read again when that is written.
local function link(from, to, size)
	from:set_mode(size);
	function from:onincoming(data)
		self:pause();
		to:write(data);
	end
	function to.ondrain() from:resume(); end
end

local quitting = nil;

return {
	addclient = addclient; wrapclient = wrapclient; addserver = addserver; listen = listen;
	wrapserver = wrapserver; link = link;
	add_task = timer.add_task;
	timer = timer;
	watchfd = function (fd, readable, writable)
		return native.net_watch(fd, readable, writable);
	end;
	event = descriptors.event; addevent = descriptors.addevent; event_base = descriptors.base;
	hook_signal = function (signal, f)
		local name = type(signal) == "string" and signal or nil;
		if name ~= "SIGUSR1" and name ~= "SIGUSR2" then
			return nil, "only SIGUSR1 and SIGUSR2 are for modules";
		end
		prosody.events.add_handler("signal/" .. name, f);
		return true;
	end;
	-- "once" and true end the server; it is asked to, in good order.
	setquitting = function (how)
		quitting = how;
		if how then prosody.shutdown("asked to by a module"); end
	end;
	quitting = function () return quitting; end;
	get_backend = function () return "epoll"; end;
	set_config = function () end;
	changesettings = function () return true; end;
	getsettings = function () return {}; end;
	loop = function () return nil, "the loop runs already"; end;
	step = function () return nil, "the loop runs already"; end;
	tls_builder = function (dir)
		local certmanager = require "core.certmanager";
		return { build = function (_, config) return certmanager.create_context(dir, "client", config); end };
	end;
	call_protected = pcall;
};
