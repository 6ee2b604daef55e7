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

-- Sets an option until the configuration is read anew; nil takes it away.
function configmanager.set(host, name, value)
	if not host or not name then return false; end
	return server.set_config(host, name, value);
end

-- A copy of everything: { [host or "*"] = { [name] = value } }.
configmanager.getconfig = server.whole_config;

-- Reads the configuration file anew; false, where and what when it has mistakes. The server has
-- one file, which was named when it was started.
function configmanager.load(file)
	if file and file ~= configmanager.files[1] then
		return false, "file", "The server reads " .. configmanager.files[1];
	end
	local ok, err = prosody.reload_config();
	if not ok then return false, "parser", err; end
	return true;
end

-- `files`: those that were read, the main file first.
return setmetatable(configmanager, {
	__index = function (_, name) return name == "files" and server.config_files() or nil; end;
});
