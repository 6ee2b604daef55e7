-- Platform-agnostic security tokens: v3.local (encrypted) and v4.public (signed), without versions
-- to choose from: each function takes tokens of its own kind only.
--
-- Payloads are tables (JSON). footer and implicit assertion are strings, "" when missing. Reading
-- a token gives the payload, or nil and a reason.

local base64 = require "util.encodings".base64;
local crypto = require "util.crypto";
local hashes = require "util.hashes";
local hex = require "util.hex";
local json = require "util.json";
local random = require "util.random";
local struct = require "util.struct";

local error, ipairs, type = error, ipairs, type;
local s_gsub, s_match, s_sub = string.gsub, string.match, string.sub;
local t_concat = table.concat;

local MAX_TOKEN = 64 * 1024;
local TO_URL = { ["+"] = "-"; ["/"] = "_"; ["="] = "" };
local FROM_URL = { ["-"] = "+"; ["_"] = "/" };

local function b64url(data)
	return (s_gsub(base64.encode(data), "[+/=]", TO_URL));
end

-- Only the one form that encoding gives: a token must not have two spellings.
local function unb64url(text)
	local data = base64.decode((s_gsub(text, "[-_]", FROM_URL)));
	return data and b64url(data) == text and data or nil;
end

-- Pre-authentication encoding: the number of parts, and each with its length.
local function pae(parts)
	if type(parts) ~= "table" then error("bad argument #1 to 'pae' (table expected)", 2); end
	local out = { struct.pack("<I8", #parts) };
	for _, part in ipairs(parts) do
		out[#out + 1] = struct.pack("<I8", #part);
		out[#out + 1] = part;
	end
	return t_concat(out);
end

local function encode_payload(payload)
	if type(payload) ~= "table" then error("bad payload (table expected)", 3); end
	return json.encode(payload);
end

local function build(header, data, footer)
	local token = header .. b64url(data);
	return footer ~= "" and token .. "." .. b64url(footer) or token;
end

-- Return the data of a token, or nil and a reason.
local function open(header, token, footer)
	if type(token) ~= "string" or #token > MAX_TOKEN or s_sub(token, 1, #header) ~= header then
		return nil, "invalid-token-format";
	end
	local body, encoded_footer = s_match(s_sub(token, #header + 1), "^([%w_-]+)%.?([%w_-]*)$");
	local data = body and unb64url(body);
	if not data then return nil, "invalid-token-encoding"; end
	if not hashes.equals(footer, unb64url(encoded_footer) or "\0") then
		return nil, "mismatched-footer";
	end
	return data;
end

local function decode_payload(text)
	local payload = json.decode(text);
	if type(payload) ~= "table" or payload == json.null then return nil, "json-decode-error"; end
	return payload;
end

-- v4.public: Ed25519 -----------------------------------------------------------------------------

local v4_public = {};
local V4_PUBLIC = "v4.public.";

local function import(read, what)
	return function (pem)
		local key = read(pem);
		if not key then return nil, "invalid-" .. what .. "-key"; end
		if key:get_type() ~= "ED25519" then return nil, "wrong-key-type"; end
		return key;
	end;
end

v4_public.import_private_key = import(crypto.import_private_pem, "private");
v4_public.import_public_key = import(crypto.import_public_pem, "public");
v4_public.new_keypair = crypto.generate_ed25519_keypair;

function v4_public.sign(payload, key, footer, implicit)
	local text = encode_payload(payload);
	footer, implicit = footer or "", implicit or "";
	local signature = crypto.ed25519_sign(key, pae { V4_PUBLIC, text, footer, implicit });
	return build(V4_PUBLIC, text .. signature, footer);
end

function v4_public.verify(token, key, footer, implicit)
	footer, implicit = footer or "", implicit or "";
	local data, err = open(V4_PUBLIC, token, footer);
	if not data then return nil, err; end
	if #data < 64 then return nil, "invalid-token-encoding"; end
	local text, signature = s_sub(data, 1, -65), s_sub(data, -64);
	if not crypto.ed25519_verify(key, pae { V4_PUBLIC, text, footer, implicit }, signature) then
		return nil, "signature-mismatch";
	end
	return decode_payload(text);
end

-- Return sign(payload, footer, implicit) and verify(token, footer, implicit).
function v4_public.init(private_pem, public_pem)
	local private, err = v4_public.import_private_key(private_pem);
	if not private then error(err, 2); end
	local public, public_err = v4_public.import_public_key(public_pem);
	if not public then error(public_err, 2); end
	return function (payload, footer, implicit)
		return v4_public.sign(payload, private, footer, implicit);
	end, function (token, footer, implicit)
		return v4_public.verify(token, public, footer, implicit);
	end;
end

-- v3.local: AES-256-CTR and HMAC-SHA384 ----------------------------------------------------------

local v3_local = {};
local V3_LOCAL = "v3.local.";
local KEY_PREFIX = "secret-token:paseto.v3.local:";
local KEY_SIZE, NONCE_SIZE, TAG_SIZE = 32, 32, 48;

local function derive(key, nonce)
	local encryption = hashes.hkdf_hmac_sha384(48, key, "", "paseto-encryption-key" .. nonce);
	local authentication = hashes.hkdf_hmac_sha384(48, key, "", "paseto-auth-key-for-aead" .. nonce);
	return s_sub(encryption, 1, 32), s_sub(encryption, 33), authentication;
end

local function check_key(key)
	if type(key) ~= "string" or #key ~= KEY_SIZE then error("a v3.local key has 32 bytes", 3); end
end

function v3_local.encrypt(payload, key, footer, implicit)
	check_key(key);
	local text = encode_payload(payload);
	footer, implicit = footer or "", implicit or "";
	local nonce = random.bytes(NONCE_SIZE);
	local encryption_key, iv, authentication_key = derive(key, nonce);
	local secret = crypto.aes_256_ctr_encrypt(encryption_key, iv, text);
	local tag = hashes.hmac_sha384(authentication_key,
		pae { V3_LOCAL, nonce, secret, footer, implicit });
	return build(V3_LOCAL, nonce .. secret .. tag, footer);
end

function v3_local.decrypt(token, key, footer, implicit)
	check_key(key);
	footer, implicit = footer or "", implicit or "";
	local data, err = open(V3_LOCAL, token, footer);
	if not data then return nil, err; end
	if #data < NONCE_SIZE + TAG_SIZE then return nil, "invalid-token-encoding"; end
	local nonce = s_sub(data, 1, NONCE_SIZE);
	local secret, tag = s_sub(data, NONCE_SIZE + 1, -TAG_SIZE - 1), s_sub(data, -TAG_SIZE);
	local encryption_key, iv, authentication_key = derive(key, nonce);
	local wanted = hashes.hmac_sha384(authentication_key,
		pae { V3_LOCAL, nonce, secret, footer, implicit });
	if not hashes.equals(wanted, tag) then return nil, "token-mismatch"; end
	return decode_payload(crypto.aes_256_ctr_decrypt(encryption_key, iv, secret));
end

function v3_local.new_key()
	return KEY_PREFIX .. hex.encode(random.bytes(KEY_SIZE));
end

-- Return sign and verify for a key from new_key().
function v3_local.init(key)
	local encoded = type(key) == "string" and s_sub(key, 1, #KEY_PREFIX) == KEY_PREFIX
		and s_match(s_sub(key, #KEY_PREFIX + 1), "^%x+$");
	if not encoded or #encoded ~= KEY_SIZE * 2 then error("invalid key for v3.local", 2); end
	local raw = hex.decode(encoded);
	return function (payload, footer, implicit)
		return v3_local.encrypt(payload, raw, footer, implicit);
	end, function (token, footer, implicit)
		return v3_local.decrypt(token, raw, footer, implicit);
	end;
end

return { pae = pae; v3_local = v3_local; v4_public = v4_public };
