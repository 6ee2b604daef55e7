-- XML streams for modules that speak them: new(session, callbacks[, size limit]).
--
-- callbacks: stream_ns, stream_tag, default_ns, error_tag; streamopened(session, attr),
-- streamclosed(session), handlestanza(session, stanza), error(session, condition, data). While
-- session.notopen is true, the next element has to be the stream's. A parser that was reset in a
-- callback leaves out the rest of the chunk, as the bytes belong to another stream.
--
-- The session gets open_stream(session[, from[, to]]), which sends our own header; its
-- stream_attrs(session, from, to, attr), where there is one, may change the header's attributes.

local lxp = require "lxp";
local st = require "util.stanza";

local error, setmetatable, tostring, type = error, setmetatable, tostring, type;
local s_match, s_find = string.match, string.find;
local t_insert, t_remove, t_concat = table.insert, table.remove, table.concat;

local SEPARATOR = "\1";
local PATTERN = "^([^\1]*)\1?(.*)$";
local XMLNS_STREAMS = "http://etherx.jabber.org/streams";
local XML_PREFIX = "http://www.w3.org/XML/1998/namespace\1";
local DEFAULT_SIZE_LIMIT = 1024 * 1024 * 10;
local MAX_DEPTH = 500;
local STANZAS = { iq = true; message = true; presence = true };

local function split_name(name)
	local namespace, local_name = s_match(name, PATTERN);
	if local_name == "" then return "", namespace; end
	return namespace, local_name;
end

-- Move the attributes to the names that stanzas use; the list of names is for parsers only.
local function take_attributes(attr)
	for i = 1, #attr do
		local name = attr[i];
		attr[i] = nil;
		if s_find(name, XML_PREFIX, 1, true) == 1 then
			attr["xml:" .. name:sub(#XML_PREFIX + 1)] = attr[name];
			attr[name] = nil;
		end
	end
	return attr;
end

local function full_name(namespace, name)
	return namespace ~= "" and namespace .. SEPARATOR .. name or name;
end

local function default_error(_, condition, data)
	error("XML stream error: " .. tostring(condition) .. (data and ": " .. tostring(data) or ""), 0);
end

-- Return the handlers of the parser. `state` holds the session, the limit, and the bytes up to
-- which everything is complete.
local function new_handlers(state, callbacks)
	local handle_error = callbacks.error or default_error;
	local stream_ns = callbacks.stream_ns or XMLNS_STREAMS;
	local stream_tag = full_name(stream_ns, callbacks.stream_tag or "stream");
	local error_tag = full_name(stream_ns, callbacks.error_tag or "error");
	local default_ns = callbacks.default_ns;
	local stack, current, texts, language, foreign = {}, nil, {}, "en", 0;
	local handlers = {};

	local function flush_text()
		if texts[1] then
			t_insert(current, t_concat(texts));
			texts = {};
		end
	end

	local function open_stream(name, attr)
		if name ~= stream_tag then return handle_error(state.session, "no-stream", name); end
		local namespace = split_name(name);
		if attr["xml:lang"] then language = attr["xml:lang"]; end
		if namespace ~= "" then attr.xmlns = namespace; end
		if callbacks.streamopened then callbacks.streamopened(state.session, attr); end
		state.complete = true;
	end

	local function open_top_level(namespace, name, attr)
		if namespace == "jabber:client" and not STANZAS[name] then
			handle_error(state.session, "invalid-top-level-element");
		end
		current = st.stanza(name, attr);
		if attr["xml:lang"] == nil then current.attr["xml:lang"] = language; end
	end

	function handlers.StartElement(parser, full, raw_attr)
		local session = state.session;
		if current then flush_text(); end
		local namespace, name = split_name(full);
		local attr = take_attributes(raw_attr);
		if not current and session.notopen then return open_stream(full, attr); end
		if namespace ~= default_ns or foreign > 0 then
			attr.xmlns = namespace ~= "" and namespace or nil;
			foreign = foreign + 1;
		end
		if not current then
			state.first_byte = state.position(parser);
			return open_top_level(namespace, name, attr);
		end
		if #stack >= MAX_DEPTH then
			state.reason = "nested-too-deeply";
			return parser:stop();
		end
		t_insert(stack, current);
		local child = setmetatable({ name = name; attr = attr; tags = {} }, st.stanza_mt);
		t_insert(current, child);
		t_insert(current.tags, child);
		current = child;
	end

	function handlers.EndElement(parser, full)
		if foreign > 0 then foreign = foreign - 1; end
		if not current then
			if callbacks.streamclosed then callbacks.streamclosed(state.session); end
			return;
		end
		flush_text();
		if stack[1] then
			current = t_remove(stack);
			return;
		end
		local stanza = current;
		current, state.complete = nil, true;
		if state.position(parser) - state.first_byte > state.limit then
			state.reason = "stanza-too-large";
			return parser:stop();
		end
		if full == error_tag then return handle_error(state.session, "stream-error", stanza); end
		callbacks.handlestanza(state.session, stanza);
	end

	function handlers.CharacterData(_, text)
		if current then t_insert(texts, text); end
	end

	local function restricted(parser)
		parser:stop();
		handle_error(state.session, "parse-error", "restricted-xml");
	end

	handlers.Comment, handlers.ProcessingInstruction = restricted, restricted;
	handlers.StartDoctypeDecl = restricted;

	function handlers.XmlDecl(parser, _, encoding)
		if encoding and encoding:lower() ~= "utf-8" then restricted(parser); end
	end

	return handlers;
end

local function position(parser)
	local _, _, byte = parser:pos();
	return byte;
end

local function new_header(callbacks)
	return function (session, from, to)
		local send = session.sends2s or session.send;
		local attr = {
			xmlns = callbacks.default_ns; ["xmlns:stream"] = XMLNS_STREAMS; ["xml:lang"] = "en";
			version = session.version and session.version > 0 and "1.0" or nil;
			id = session.streamid or ""; from = from or session.host; to = to;
		};
		if session.stream_attrs then session:stream_attrs(from, to, attr); end
		send("<?xml version='1.0'?>" .. st.stanza("stream:stream", attr):top_tag());
		return true;
	end
end

local function new(session, callbacks, limit)
	if type(callbacks) ~= "table" then error("util.xmppstream: callbacks are missing", 2); end
	session.open_stream = new_header(callbacks);
	local state = { session = session; limit = limit or DEFAULT_SIZE_LIMIT; position = position };
	local parser;
	local outstanding = 0; -- bytes since the last complete element

	local function reset()
		if parser then parser:stop(); end
		state.complete, state.reason = false, nil;
		outstanding = 0;
		parser = lxp.new(new_handlers(state, callbacks), SEPARATOR, false);
	end
	reset();

	local stream = { reset = reset };

	-- Return true, or nil and a reason; the parser's own reasons are expat's.
	function stream.feed(_, data)
		local at_work = parser;
		outstanding = outstanding + #data;
		local ok, err = at_work:parse(data);
		if at_work ~= parser then return true; end -- the stream has begun anew
		if not ok then return nil, state.reason or err; end
		if state.complete then
			state.complete, outstanding = false, 0;
		elseif outstanding > state.limit then
			return nil, "stanza-too-large";
		end
		return true;
	end

	function stream.set_session(_, new_session) state.session = new_session; end
	function stream.set_stanza_size_limit(_, new_limit)
		state.limit = new_limit or DEFAULT_SIZE_LIMIT;
	end

	return stream;
end

return { new = new; ns_separator = SEPARATOR; ns_pattern = PATTERN };
