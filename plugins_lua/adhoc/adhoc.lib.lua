-- What modules make their ad-hoc commands with, and how one is run (XEP-0050).
--
-- handler(command, data, state) gets { to, from, action, form } and what it returned last as its
-- second result; its first result has `status` and what the client is told: `info`, `warn`,
-- `error`, `form`, `result`, `actions`, `other`.

local st = require "util.stanza";
local uuid = require "util.uuid";
local new_cache = require "util.cache".new;
local jid_bare = require "util.jid".bare;

local xmlns_cmd, xmlns_data = "http://jabber.org/protocol/commands", "jabber:x:data";
local MAX_STATES = 1000; -- commands that wait for their next step; the oldest is given up
local states = new_cache(MAX_STATES);
local steps = { prev = true; next = true; complete = true };

-- Modules of older Prosody give no permission, or "user". There that let everybody in, also from
-- other servers; commands that were written for users of the host trust their address. So it
-- means those.
local older = { user = "local_user" };

local function command_tag(command, status, sessionid, action)
	return st.stanza("command", { xmlns = xmlns_cmd; node = command.node; status = status;
		sessionid = sessionid; action = action });
end

local function new(name, node, handler, permission)
	permission = permission or "user";
	return { name = name; node = node; handler = handler; cmdtag = command_tag;
		permission = older[permission] or permission };
end

local function add_note(reply, kind, text)
	reply:text_tag("note", text, { type = kind });
end

local function add_actions(reply, command, actions)
	reply:tag("actions", { execute = actions.default });
	for _, action in ipairs(actions) do
		if steps[action] then
			reply:tag(action):up();
		else
			module:log("error", "The command %s offers %q, which is no action", command.node, action);
		end
	end
	reply:up();
end

local function add_form(reply, content, kind)
	reply:add_child((content.layout or content):form(content.values, kind));
end

local function fill(reply, command, data)
	if data.actions then add_actions(reply, command, data.actions); end
	if data.form then add_form(reply, data.form); end
	if data.result then add_form(reply, data.result, "result"); end
	if data.other then reply:add_child(data.other); end
	if data.info then add_note(reply, "info", data.info); end
	if data.warn then add_note(reply, "warn", data.warn); end
	if data.error then add_note(reply, "error", data.error.message or data.error.text); end
end

-- Take one step of a command and answer. A session belongs to who has begun it.
local function handle_cmd(command, origin, stanza)
	local tag, from = stanza.tags[1], stanza.attr.from;
	local sessionid = tag.attr.sessionid or uuid.generate();
	local key = jid_bare(from) .. "\0" .. command.node .. "\0" .. sessionid;
	local data, state = command:handler({
		to = stanza.attr.to; from = from; action = tag.attr.action or "execute";
		form = tag:get_child("x", xmlns_data);
	}, states:get(key));
	local status = data.status;
	local over = status == "completed" or status == "canceled" or status == "error";
	states:set(key, not over and state or nil);
	if status == "error" then
		origin.send(st.error_reply(stanza, data.error));
		return true;
	end
	if not over then
		status, data.actions = "executing", data.actions or { "complete" };
	end
	local reply = command:cmdtag(status, sessionid);
	fill(reply, command, data);
	origin.send(st.reply(stanza):add_child(reply));
	return true;
end

return { new = new; handle_cmd = handle_cmd };
