-- A WebSocket client (RFC 6455): connect(url, options, listeners) returns a socket with
-- send(data, opcode) and close(code, reason). Listeners, all with the socket first: onopen(),
-- onmessage(data, "text" or "binary"), onclose(code, reason), onerror(reason).
--
-- options: headers (table), protocol (name, or list of names), sslctx, frame_size_limit and
-- message_size_limit in bytes.

local connect = require "net.connect".connect;
local basic = require "net.resolvers.basic";
local frames = require "net.websocket.frames";
local base64, sha1 = require "util.encodings".base64.encode, require "util.hashes".sha1;
local random_bytes = require "util.random".bytes;
local url = require "socket.url";
local is_utf8 = require "util.encodings".utf8.valid;
local log = require "util.logger".init("websocket");

local ipairs, pairs, setmetatable, type = ipairs, pairs, setmetatable, type;
local t_concat, t_insert = table.concat, table.insert;

local GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
local HEADER_LIMIT = 8192;
local CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10;
local KINDS = { [TEXT] = "text"; [BINARY] = "binary" };

local methods = {};
local mt = { __index = methods };

local function say(self, name, ...)
	local listener = self.listeners[name];
	if listener then return listener(self, ...); end
end

-- The connection is over: who listens hears of it once.
local function finish(self, name, ...)
	if self.readyState == 3 then return; end
	self.readyState = 3;
	if self.conn then self.conn:close(); end
	return say(self, name, ...);
end

local function fail(self, code, reason)
	log("debug", "WebSocket to %s: %s", self.url, reason);
	if self.readyState == 1 then self.conn:write(frames.build_close(code, reason, true)); end
	if self.readyState == 0 then return finish(self, "onerror", reason); end
	return finish(self, "onclose", code, reason);
end

function methods:send(data, opcode)
	if self.readyState < 1 then return nil, "WebSocket not open yet, unable to send data."; end
	if self.readyState > 1 then return nil, "WebSocket closed, unable to send data."; end
	if opcode == "text" or opcode == nil then opcode = TEXT; elseif opcode == "binary" then opcode = BINARY; end
	return self.conn:write(frames.build({ FIN = true; MASK = true; opcode = opcode; data = data }));
end

function methods:close(code, reason)
	if self.readyState > 1 then return; end
	if self.readyState == 0 then return finish(self, "onclose", code or 1000, reason); end
	self.readyState = 2;
	self.conn:write(frames.build_close(code or 1000, reason, true));
	self.conn:set_timeout(10); -- for the peer's own close
end

-- The handshake -----------------------------------------------------------------------------------

local function request(self)
	local target, options = self.target, self.options;
	local host = target.host .. (target.port and ":" .. target.port or "");
	local lines = {
		"GET " .. (target.path or "/") .. (target.query and "?" .. target.query or "") .. " HTTP/1.1";
		"Host: " .. host; "Upgrade: websocket"; "Connection: Upgrade";
		"Sec-WebSocket-Key: " .. self.key; "Sec-WebSocket-Version: 13";
	};
	local protocol = options.protocol;
	if type(protocol) == "table" then protocol = t_concat(protocol, ", "); end
	if protocol then t_insert(lines, "Sec-WebSocket-Protocol: " .. protocol); end
	for name, value in pairs(options.headers or {}) do
		t_insert(lines, name .. ": " .. value);
	end
	-- A line break would begin a header of somebody else's choice.
	for i, line in ipairs(lines) do lines[i] = (line:gsub("[\r\n]", " ")); end
	return t_concat(lines, "\r\n") .. "\r\n\r\n";
end

-- Read the answer; true when the connection speaks WebSocket, false when it has failed.
local function handshake(self)
	local stop, after = self.buffer:find("\r\n\r\n", 1, true);
	if not stop then
		if #self.buffer > HEADER_LIMIT then
			fail(self, 1002, "the answer to the handshake is too long");
			return false;
		end
		return nil;
	end
	local head = self.buffer:sub(1, stop + 1);
	self.buffer = self.buffer:sub(after + 1);
	local headers = {};
	for name, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
		headers[name:lower()] = (value:gsub("%s+$", ""));
	end
	local status = head:match("^HTTP/1%.1 (%d%d%d)");
	if status ~= "101" then
		fail(self, 1002, "the server has answered " .. (status or "no HTTP"));
	elseif (headers.upgrade or ""):lower() ~= "websocket"
			or not (headers.connection or ""):lower():find("upgrade", 1, true)
			or headers["sec-websocket-accept"] ~= base64(sha1(self.key .. GUID)) then
		fail(self, 1002, "the server's answer is not that of a WebSocket");
	else
		self.protocol = headers["sec-websocket-protocol"];
		self.readyState = 1;
		say(self, "onopen");
		return true;
	end
	return false;
end

-- Frames ------------------------------------------------------------------------------------------

local function on_close(self, data)
	local code, reason = frames.parse_close(data);
	if self.readyState == 1 then
		self.conn:write(frames.build_close(code or 1000, nil, true));
	end
	return finish(self, "onclose", code or 1005, reason);
end

local function on_data(self, frame)
	if frame.opcode ~= CONTINUATION then
		if self.parts then return fail(self, 1002, "a message within a message"); end
		self.parts, self.parts_size, self.kind = {}, 0, KINDS[frame.opcode];
		if not self.kind then return fail(self, 1002, "an unknown kind of frame"); end
	elseif not self.parts then
		return fail(self, 1002, "a continuation of nothing");
	end
	self.parts_size = self.parts_size + #frame.data;
	if self.parts_size > self.message_size_limit then return fail(self, 1009, "the message is too long"); end
	t_insert(self.parts, frame.data);
	if not frame.FIN then return; end
	local data, kind = t_concat(self.parts), self.kind;
	self.parts = nil;
	if kind == "text" and not is_utf8(data) then return fail(self, 1007, "the text is not UTF-8"); end
	return say(self, "onmessage", data, kind);
end

local function on_frame(self, frame)
	if frame.RSV1 or frame.RSV2 or frame.RSV3 then return fail(self, 1002, "reserved bits are set"); end
	if frame.MASK then return fail(self, 1002, "a server's frames are not masked"); end
	if frame.opcode < 8 then return on_data(self, frame); end
	if not frame.FIN or frame.length > 125 then return fail(self, 1002, "a broken control frame"); end
	if frame.opcode == CLOSE then return on_close(self, frame.data); end
	if frame.opcode == PING then
		return self.conn:write(frames.build({ FIN = true; MASK = true; opcode = PONG; data = frame.data }));
	elseif frame.opcode ~= PONG then
		return fail(self, 1002, "an unknown kind of frame");
	end
end

local by_conn = {};
local listener = {};

function listener.onattach(conn, self)
	by_conn[conn] = self;
	self.conn = conn;
end

function listener.onconnect(conn)
	local self = by_conn[conn];
	if self.readyState ~= 0 then return conn:close(); end
	conn:write(request(self));
end

function listener.onincoming(conn, data)
	local self = by_conn[conn];
	if not self or self.readyState == 3 then return; end
	self.buffer = self.buffer .. data;
	if self.readyState == 0 and not handshake(self) then return; end
	while self.readyState ~= 3 do
		local frame, length, partial = frames.parse(self.buffer);
		local head = frame or partial;
		if head and head.length > self.frame_size_limit then
			return fail(self, 1009, "the frame is too long");
		end
		if not frame then return; end
		self.buffer = self.buffer:sub(length + 1);
		on_frame(self, frame);
	end
end

function listener.ondisconnect(conn, reason)
	local self = by_conn[conn];
	by_conn[conn] = nil;
	if not self then return; end
	if self.readyState == 0 then return finish(self, "onerror", reason or "connection closed"); end
	return finish(self, "onclose", 1006, reason);
end

function listener.onfail(self, reason)
	return finish(self, "onerror", reason);
end

local function connect_to(address, options, listeners)
	options = options or {};
	local target = url.parse(address);
	if not target or (target.scheme ~= "ws" and target.scheme ~= "wss") or not target.host then
		return nil, "not the address of a WebSocket";
	end
	local sslctx = nil;
	if target.scheme == "wss" then
		local err;
		sslctx = options.sslctx;
		if not sslctx then
			sslctx, err = require "ssl".newcontext({
				mode = "client", verify = { "peer" }, checkhost = true;
			});
		end
		if not sslctx then return nil, err; end
	end
	local self = setmetatable({
		url = address; target = target; options = options; listeners = listeners or {}; buffer = "";
		key = base64(random_bytes(16)); readyState = 0;
		frame_size_limit = options.frame_size_limit or 1024 * 1024;
		message_size_limit = options.message_size_limit or options.frame_size_limit or 1024 * 1024;
	}, mt);
	local port = tonumber(target.port) or target.scheme == "wss" and 443 or 80;
	local host = target.host:gsub("^%[(.*)%]$", "%1");
	connect(basic.new(host, port, "tcp"), listener,
		{ sslctx = sslctx }, self);
	return self;
end

return { connect = connect_to };
