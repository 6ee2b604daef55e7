-- XEP-0050: Ad-Hoc Commands of the host. Modules add theirs as items "adhoc".
--
-- A command's `permission` says who may run it: "any" everybody, "local_user" the accounts of this
-- host, "admin" its administrators, "global_admin" those of the whole server; "check" asks for the
-- permission of the command's name ("adhoc:<node>").

local is_admin = require "core.usermanager".is_admin;
local jid_host = require "util.jid".host;
local st = require "util.stanza";
local sorted_pairs = require "util.iterators".sorted_pairs;
local handle_command = module:require "adhoc".handle_cmd;

local xmlns_cmd = "http://jabber.org/protocol/commands";
local commands = {};

local allowed = {
	any = function () return true; end;
	local_user = function (from) return jid_host(from) == module.host; end;
	admin = function (from) return is_admin(from, module.host); end;
	global_admin = function (from) return is_admin(from); end;
	check = function (_, command, event) return module:may("adhoc:" .. command.node, event); end;
};

-- Whether the sender may; a permission that does not exist is nobody's.
local function may_run(command, event)
	local test = allowed[command.permission];
	return test and test(event.stanza.attr.from, command, event) or false;
end

module:add_feature(xmlns_cmd);

module:hook("host-disco-info-node", function (event)
	local command, reply = commands[event.node], event.reply;
	if event.node == xmlns_cmd then
		reply:tag("identity", { category = "automation", type = "command-list";
			name = "Ad-Hoc Commands" }):up();
		event.exists = true;
	elseif command and may_run(command, event) then
		reply:tag("identity", { category = "automation", type = "command-node";
			name = command.name }):up();
		reply:tag("feature", { var = xmlns_cmd }):up();
		reply:tag("feature", { var = "jabber:x:data" }):up();
		event.exists = true;
	elseif command then
		event.origin.send(st.error_reply(event.stanza, "auth", "forbidden",
			"This command is not for you"));
		return true;
	end
end);

module:hook("host-disco-items-node", function (event)
	if event.node ~= xmlns_cmd then return; end
	for node, command in sorted_pairs(commands) do
		if may_run(command, event) then
			event.reply:tag("item", { jid = module.host; node = node; name = command.name }):up();
		end
	end
	event.exists = true;
end);

module:hook("iq-set/host/" .. xmlns_cmd .. ":command", function (event)
	local command = commands[event.stanza.tags[1].attr.node or ""];
	if not command then return; end
	if may_run(command, event) then return handle_command(command, event.origin, event.stanza); end
	event.origin.send(st.error_reply(event.stanza, "auth", "forbidden",
		"This command is not for you"));
	return true;
end, 500);

local function added(event)
	local command = event.item;
	if not allowed[command.permission] then
		module:log("error", "The command %s has the permission %q, which does not exist; nobody "
			.. "can run it", command.node, tostring(command.permission));
	end
	commands[command.node] = command;
end

local function removed(event)
	if commands[event.item.node] == event.item then commands[event.item.node] = nil; end
end

module:handle_items("adhoc", added, removed);
module:handle_items("adhoc-provider", added, removed);
