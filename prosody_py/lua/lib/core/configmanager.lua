-- Options as they are written in the configuration; `module:get_option...` checks and converts.

local server = require "native.server";
local paths = require "util.paths";
local configmanager = { resolve_relative_path = paths.resolve_relative_path };

-- get(host, name); older code has the name of a section between them.
function configmanager.get(host, section, name)
	return server.get_config(host or "*", name or section);
end

-- Only what the host's own section sets.
function configmanager.rawget(host, section, name)
	return server.get_own_config(host or "*", name or section);
end

-- A copy of everything: { [host or "*"] = { [name] = value } }.
configmanager.getconfig = server.whole_config;

return configmanager;
