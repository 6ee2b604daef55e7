-- Keys, signatures and AES.
--
-- Keys: key:get_type(), :public_pem(), :private_pem(), :public_raw(), :derive(peer). Signatures:
-- X_sign(key, message) and X_verify(key, message, signature), X as ed25519 or ecdsa_sha256.
-- Ciphers: aes_128_gcm_encrypt(key, iv, text) and so on; the tag is behind the text.

local native = require "native.keys";
local ciphers = require "native.ciphers";
local argument = require "argument";

local error, ipairs, setmetatable = error, ipairs, setmetatable;

local methods = {};
local key_mt = { __index = methods; __name = "key" };
local handles = setmetatable({}, { __mode = "k" });
local crypto = { version = "1"; _LIBCRYPTO_VERSION = "cryptography" };

local function wrap(handle)
	if handle == nil then return nil; end
	local key = setmetatable({}, key_mt);
	handles[key] = handle;
	return key;
end

local function handle_of(key, position, name)
	local handle = handles[key];
	if not handle then
		error("bad argument #" .. position .. " to '" .. name .. "' (key expected)", 3);
	end
	return handle;
end

function key_mt.__tostring(key)
	return "key (" .. key:get_type() .. ")";
end

function methods:get_type()
	return native.key_type(handle_of(self, 1, "get_type"));
end

function methods:public_pem()
	return native.public_pem(handle_of(self, 1, "public_pem"));
end

function methods:private_pem()
	local pem = native.private_pem(handle_of(self, 1, "private_pem"));
	if not pem then error("not a private key", 2); end
	return pem;
end

-- The point of an EC key, uncompressed; the 32 bytes of an Ed25519 key.
function methods:public_raw()
	return native.public_raw(handle_of(self, 1, "public_raw"));
end

-- The secret that this key and a peer's public key share (ECDH).
function methods:derive(peer)
	return native.derive(handle_of(self, 1, "derive"), handle_of(peer, 2, "derive"));
end

function crypto.import_private_pem(pem)
	return wrap(native.import_private_pem(argument.string(pem, 1, "import_private_pem")));
end

function crypto.import_public_pem(pem)
	return wrap(native.import_public_pem(argument.string(pem, 1, "import_public_pem")));
end

function crypto.import_public_ec_raw(point, curve)
	return wrap(native.import_public_raw(argument.string(point, 1, "import_public_ec_raw"),
		argument.string(curve, 2, "import_public_ec_raw")));
end

function crypto.generate_ed25519_keypair() return wrap(native.generate_ed25519()); end
function crypto.generate_p256_keypair() return wrap(native.generate_ec("P-256")); end

-- Signatures ------------------------------------------------------------------------------------

local function add_scheme(scheme)
	local sign_name, verify_name = scheme .. "_sign", scheme .. "_verify";
	crypto[sign_name] = function (key, message)
		local signature = native.sign(scheme, handle_of(key, 1, sign_name),
			argument.string(message, 2, sign_name));
		if not signature then
			error("bad argument #1 to '" .. sign_name .. "' (the key cannot sign so)", 2);
		end
		return signature;
	end
	crypto[verify_name] = function (key, message, signature)
		local good = native.verify(scheme, handle_of(key, 1, verify_name),
			argument.string(message, 2, verify_name), argument.string(signature, 3, verify_name));
		if good == nil then
			error("bad argument #1 to '" .. verify_name .. "' (a key of another kind)", 2);
		end
		return good;
	end
end

add_scheme("ed25519");
for _, family in ipairs { "ecdsa", "rsassa_pkcs1", "rsassa_pss" } do
	for _, hash in ipairs { "sha256", "sha384", "sha512" } do add_scheme(family .. "_" .. hash); end
end

-- Return r and s of an ECDSA signature in DER, each of `size` bytes; nil for what is none.
function crypto.parse_ecdsa_signature(der, size)
	return native.parse_ecdsa_signature(argument.string(der, 1, "parse_ecdsa_signature"),
		argument.number(size, 2, "parse_ecdsa_signature"));
end

function crypto.build_ecdsa_signature(r, s)
	return native.build_ecdsa_signature(argument.string(r, 1, "build_ecdsa_signature"),
		argument.string(s, 2, "build_ecdsa_signature"));
end

-- Ciphers ---------------------------------------------------------------------------------------

local function add_cipher(name, key_size, iv_size, work)
	crypto[name] = function (key, iv, text)
		key, iv = argument.string(key, 1, name), argument.string(iv, 2, name);
		text = argument.string(text, 3, name);
		if #key ~= key_size then
			error("bad argument #1 to '" .. name .. "' (key must be " .. key_size .. " bytes)", 2);
		elseif #iv ~= iv_size then
			error("bad argument #2 to '" .. name .. "' (iv must be " .. iv_size .. " bytes)", 2);
		end
		local result = work(key, iv, text);
		if result == nil then return nil, "decryption-failed"; end
		return result;
	end
end

for _, bits in ipairs { 128, 256 } do
	add_cipher("aes_" .. bits .. "_gcm_encrypt", bits / 8, 12, ciphers.aes_gcm_encrypt);
	add_cipher("aes_" .. bits .. "_gcm_decrypt", bits / 8, 12, ciphers.aes_gcm_decrypt);
end
add_cipher("aes_256_ctr_encrypt", 32, 16, ciphers.aes_ctr);
add_cipher("aes_256_ctr_decrypt", 32, 16, ciphers.aes_ctr);

return crypto;
