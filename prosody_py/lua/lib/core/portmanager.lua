-- Network services and the ports on which they are reached. Ports are numbered as configured: one
-- that the system has chosen (0) is given by the number that it has.

local native = require "native.server";
local multitable = require "util.multitable";

local ipairs = ipairs;

-- What is listening: service, interface, port -> { server, service, tls_cfg }.
local function get_active_services()
	local active = multitable.new();
	for _, port in ipairs(native.open_ports()) do
		local service = native.get_service(port.service);
		active:set(port.service, port.interface, port.port, {
			server = port.server; service = service;
			tls_cfg = service and service.encryption == "ssl" and {} or nil;
		});
	end
	return active;
end

-- name -> list of what is offered under it.
local function get_registered_services()
	local services = {};
	for _, name in ipairs(native.service_names()) do
		services[name] = { native.get_service(name) };
	end
	return services;
end

local function find_port(interface, number)
	for _, port in ipairs(native.open_ports()) do
		if port.interface == interface and port.port == number then return port; end
	end
	return nil;
end

local function get_service_at(interface, number)
	local port = find_port(interface, number);
	if not port then return nil, "port not open"; end
	return native.get_service(port.service), port.server;
end

-- The context of a port with TLS from the first byte, and its options.
local function get_tls_config_at(interface, number)
	local port = find_port(interface, number);
	local service = port and native.get_service(port.service);
	if not service or service.encryption ~= "ssl" then return nil, "no TLS there"; end
	local host = next(prosody.hosts);
	local context, err, config = require "core.certmanager".create_context(host, "server",
		service.ssl_config);
	if not context then return nil, err; end
	return config, context;
end

-- Open the ports of a service (again); close them.
local function activate(name)
	return native.open_service(name);
end

local function deactivate(name)
	if not native.get_service(name) then return nil, "no such service"; end
	native.close_service(name);
	return true;
end

local function close(interface, number)
	if not native.close_port(interface, number) then return nil, "port-not-open"; end
	return true;
end

-- A service of its own, until it is unregistered or the server ends.
local function register_service(name, service)
	service.name = service.name or name;
	return native.register_service(name, service);
end

local function unregister_service(name, service)
	return native.unregister_service(name, service);
end

return {
	get_service = native.get_service; get_service_at = get_service_at;
	get_active_services = get_active_services; get_registered_services = get_registered_services;
	get_tls_config_at = get_tls_config_at; activate = activate; deactivate = deactivate;
	close = close; register_service = register_service; unregister_service = unregister_service;
};
