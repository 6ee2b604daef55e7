-- Loaded modules. A module is known by its environment; its API object is the field `module`.

local server = require "native.server";
local set = require "util.set";
local array = require "util.array";
local pcall, rawget, type = pcall, rawget, type;
local modulemanager = {};

-- With a name also a global module that serves the host.
function modulemanager.get_module(host, name)
	return server.get_module(host, name);
end

modulemanager.get_modules = server.get_modules;
modulemanager.is_loaded = server.is_loaded;
modulemanager.load = server.load_module;
modulemanager.unload = server.unload_module;
modulemanager.reload = server.reload_module;

function modulemanager.get_items(key, host) return array(server.get_items(key, host or "*")); end

function modulemanager.get_modules_for_host(host)
	local names, component = server.modules_of_host(host);
	return set.new(names), component;
end

function modulemanager.load_modules_for_host(host)
	for _, name in ipairs((server.modules_of_host(host))) do
		if not server.is_loaded(host, name) then server.load_module(host, name); end
	end
end

-- Methods are what a module has assigned itself, `function module.command() ... end`.
local function method_of(module, name)
	local api = type(module) == "table" and module.module;
	local method = type(api) == "table" and rawget(api, name);
	return type(method) == "function" and method or nil;
end

function modulemanager.module_has_method(module, name)
	return method_of(module, name) ~= nil;
end

function modulemanager.call_module_method(module, name, ...)
	local method = method_of(module, name);
	if not method then return false, "no-such-method"; end
	return pcall(method, ...);
end

return modulemanager;
