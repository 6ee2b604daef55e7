-- Certificates of hosts, and TLS contexts on top of the server's `ssl` options.

local native = require "native.server";
local configmanager = require "core.configmanager";
local log = require "util.logger".init("certmanager");
local new_config = require "util.sslconfig".new;
local ssl = require "ssl";

local ipairs, pairs, select = ipairs, pairs, select;

local DEFAULTS = {
	client = { mode = "client"; verify = { "peer" }; verifyext = { "lsec_continue" } };
	server = { mode = "server"; verify = { "peer", "client_once" }; verifyext = { "lsec_continue" } };
};

local function find_host_cert(host)
	local certificate, key = native.tls_files(host);
	if not certificate then return nil; end
	return { certificate = certificate; key = key };
end

-- The certificate of a service such as "https": that of a host, or a file that is called after it.
local function find_service_cert(service)
	return find_host_cert(service);
end

-- Return a context, nil and why there is none, and the options that it is made from. The further
-- arguments are options; the first of them counts most.
local function create_context(host, mode, ...)
	local options = new_config();
	options:apply(DEFAULTS[mode] or {});
	options:apply(configmanager.get("*", "ssl"));
	options:apply(configmanager.get(host, "ssl"));
	for i = select("#", ...), 1, -1 do options:apply((select(i, ...))); end
	options:apply({ mode = mode });
	local config = options:final();
	if mode == "server" and not config.certificate then
		local found = find_host_cert(host);
		if not found then
			return nil, "No certificate present in SSL/TLS configuration for " .. host, config;
		end
		config.certificate, config.key = found.certificate, found.key;
	end
	local context, err = ssl.newcontext(config);
	if not context then
		log("error", "SSL/TLS: Error initialising for %s: %s", host, err);
		return nil, err, config;
	end
	return context, nil, config;
end

local function file_names(list)
	local found = {};
	for name in pairs(list) do found[#found + 1] = name; end
	table.sort(found);
	return found;
end

-- Return { [name] = { [path] = services } } of the certificates that can be used.
local function index_certs(_, files_by_name)
	files_by_name = files_by_name or {};
	local indexed = native.tls_indexed();
	for _, name in ipairs(file_names(indexed)) do
		local files = files_by_name[name] or {};
		for path, services in pairs(indexed[name]) do files[path] = services; end
		files_by_name[name] = files;
	end
	return files_by_name;
end

return {
	create_context = create_context;
	find_cert = function (_, name) return find_host_cert(name); end;
	find_host_cert = find_host_cert; find_cert_in_index = function (_, host) return find_host_cert(host); end;
	find_service_cert = find_service_cert; index_certs = index_certs;
	reload_ssl_config = native.tls_reload;
};
