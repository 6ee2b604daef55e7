-- Loaded modules. A module is known by its environment; its API object is the field `module`.

local server = require "native.server";
local set = require "util.set";
local array = require "util.array";
local envload = require "util.envload".envload;
local pcall, rawget, type, io, ipairs = pcall, rawget, type, io, ipairs;
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

-- Reads the files of modules: a module's own, or another one in its folder.
local loader = {};
modulemanager.loader = loader;

function loader:load_resource(name, resource)
	local path, err = server.plugin_file(name, resource);
	if not path then return nil, err; end
	local file, problem = io.open(path, "rb");
	if not file then return nil, problem; end
	local content = file:read("*a");
	file:close();
	return content, path;
end

function loader:load_code(name, resource, env)
	local content, path = self:load_resource(name, resource);
	if not content then return nil, path; end
	local chunk, err = envload(content, "@" .. path, env);
	if not chunk then return nil, err; end
	return chunk, path;
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
