-- Certificates: load(pem) returns an object with LuaSec's methods, nil for what is none.

local native = require "native.server";

return { load = function (pem) return native.tls_certificate(pem); end };
