-- LuaSec: contexts, TLS on LuaSocket's sockets, certificates.

local native = require "native.server";
local x509 = require "ssl.x509";

local type = type;

local function set(names)
	local found = {};
	for name in names:gmatch("%S+") do found[name] = true; end
	return found;
end

local function newcontext(config)
	return native.tls_context(config);
end

-- Put TLS on a connected socket; dohandshake() comes next.
local function wrap(socket, context)
	if type(context) ~= "table" then return nil, "invalid context"; end
	return native.tls_wrap(socket, context);
end

return {
	newcontext = newcontext; wrap = wrap; loadcertificate = x509.load;
	config = {
		protocols = set "tlsv1_2 tlsv1_3";
		options = set [[all cipher_server_preference no_compression no_renegotiation no_ticket
			no_sslv2 no_sslv3 no_tlsv1 no_tlsv1_1 no_tlsv1_2 no_tlsv1_3 single_dh_use single_ecdh_use]];
		algorithms = { ec = true };
		capabilities = { alpn = true; curves_list = true; ecdh_auto = true };
		curves = set "prime256v1 secp384r1 secp521r1 X25519 X448 P-256 P-384 P-521";
	};
	_VERSION = "1.3.2";
};
