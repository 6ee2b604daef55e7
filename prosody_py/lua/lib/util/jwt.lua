-- JSON Web Tokens (RFC 7519), signed with HS, RS, PS and ES (RFC 7518 section 3).
--
-- new_signer(algorithm, key[, options]) returns sign(claims) -> token; new_verifier(...) returns
-- verify(token) -> true, claims or false, reason[, claims]. A verifier takes tokens of its own
-- algorithm only. Options: default_ttl (seconds; sets iat and exp), accept_expired,
-- claim_verifier(claims) -> boolean. Times are seconds since 1970; exp and nbf are checked.

local crypto = require "util.crypto";
local hashes = require "util.hashes";
local json = require "util.json";
local base64 = require "util.encodings".base64;
local now = require "util.time".now;

local error, ipairs, math_floor, pairs, tostring, type =
	error, ipairs, math.floor, pairs, tostring, type;
local s_find, s_format, s_gsub, s_match, s_sub =
	string.find, string.format, string.gsub, string.match, string.sub;

local MAX_TOKEN = 64 * 1024;
local TO_URL = { ["+"] = "-"; ["/"] = "_"; ["="] = "" };
local FROM_URL = { ["-"] = "+"; ["_"] = "/" };

local function b64url(data)
	return (s_gsub(base64.encode(data), "[+/=]", TO_URL));
end

local function unb64url(data)
	return base64.decode((s_gsub(data, "[-_]", FROM_URL)));
end

-- Algorithms: name -> { sign(key, text), verify(key, text, signature), load_key(key, is_private) }.
local algorithms = {};

local function add_hmac(name, hmac)
	algorithms[name] = {
		sign = hmac;
		verify = function (key, text, signature) return hashes.equals(hmac(key, text), signature); end;
		load_key = function (key)
			if type(key) ~= "string" or key == "" then error("A " .. name .. " key is a string", 4); end
			-- A public key as the secret would let everybody sign.
			if s_find(key, "-----BEGIN ", 1, true) then
				error("A key in PEM is no secret for " .. name, 4);
			end
			return key;
		end;
	};
end

local function load_key(wanted, name, curve)
	return function (pem, is_private)
		local key = pem;
		if type(pem) == "string" then
			key = (is_private and crypto.import_private_pem or crypto.import_public_pem)(pem)
				or not is_private and crypto.import_private_pem(pem);
		end
		if not key then error("The key for " .. name .. " cannot be read", 4); end
		if key:get_type() ~= wanted then error("The key is of the wrong kind for " .. name, 4); end
		if curve and #key:public_raw() ~= curve then
			error("The key is on the wrong curve for " .. name, 4);
		end
		return key;
	end;
end

local function add_rsa(name, scheme)
	algorithms[name] = {
		sign = crypto[scheme .. "_sign"]; verify = crypto[scheme .. "_verify"];
		load_key = load_key("rsaEncryption", name);
	};
end

-- size: bytes of each of the two numbers of a signature.
local function add_ecdsa(name, scheme, size)
	local sign, verify = crypto[scheme .. "_sign"], crypto[scheme .. "_verify"];
	algorithms[name] = {
		sign = function (key, text)
			local r, s = crypto.parse_ecdsa_signature(sign(key, text), size);
			return r .. s;
		end;
		verify = function (key, text, signature)
			if #signature ~= 2 * size then return false; end
			return verify(key, text, crypto.build_ecdsa_signature(
				s_sub(signature, 1, size), s_sub(signature, size + 1)));
		end;
		load_key = load_key("id-ecPublicKey", name, 1 + 2 * size);
	};
end

for _, bits in ipairs { "256", "384", "512" } do
	add_hmac("HS" .. bits, hashes["hmac_sha" .. bits]);
	add_rsa("RS" .. bits, "rsassa_pkcs1_sha" .. bits);
	add_rsa("PS" .. bits, "rsassa_pss_sha" .. bits);
end
add_ecdsa("ES256", "ecdsa_sha256", 32);
add_ecdsa("ES384", "ecdsa_sha384", 48);
add_ecdsa("ES512", "ecdsa_sha512", 66);

local function algorithm_of(name)
	local algorithm = algorithms[name];
	if not algorithm then error("Unknown JWT algorithm: " .. tostring(name), 3); end
	return algorithm;
end

-- Signing ---------------------------------------------------------------------------------------

local function with_times(claims, ttl)
	if not ttl then return claims; end
	local timed = {};
	for key, value in pairs(claims) do timed[key] = value; end
	timed.iat = timed.iat or math_floor(now());
	timed.exp = timed.exp or timed.iat + ttl;
	return timed;
end

local function new_signer(name, key, options)
	local algorithm = algorithm_of(name);
	key = algorithm.load_key(key, true);
	local header = b64url(s_format('{"alg":"%s","typ":"JWT"}', name)) .. ".";
	local ttl = options and options.default_ttl;
	return function (claims)
		local text = header .. b64url(json.encode(with_times(claims, ttl)));
		return text .. "." .. b64url(algorithm.sign(key, text));
	end;
end

-- Verifying -------------------------------------------------------------------------------------

local function decode_object(part)
	local data = unb64url(part);
	local value = data and json.decode(data);
	if type(value) ~= "table" or value == json.null then return nil; end
	return value;
end

local function is_time(value)
	return type(value) == "number" and value == value;
end

-- Return nil, or why the claims do not hold now.
local function objection(claims, options)
	local at = now();
	local expires, begins = claims.exp, claims.nbf;
	if expires ~= nil and not (options and options.accept_expired) then
		if not is_time(expires) then return "invalid-expiry"; end
		if expires < at then return "token-expired"; end
	end
	if begins ~= nil then
		if not is_time(begins) then return "invalid-not-before"; end
		if begins > at then return "token-not-yet-valid"; end
	end
	local check = options and options.claim_verifier;
	if check and not check(claims) then return "incorrect-claims"; end
end

local function check_signature(algorithm, name, key, token)
	if type(token) ~= "string" then
		return false, "no-token";
	elseif #token > MAX_TOKEN then
		return false, "token-too-long";
	end
	local text, head, body, encoded = s_match(token, "^(([%w_-]+)%.([%w_-]+))%.([%w_-]*)$");
	if not text then return false, "invalid-encoding"; end
	local header = decode_object(head);
	if not header then return false, "invalid-header"; end
	-- Whatever the token says, only the algorithm that was asked for is used.
	if header.alg ~= name then return false, "unsupported-algorithm"; end
	if header.crit ~= nil then return false, "unsupported-header"; end
	local signature = unb64url(encoded);
	if not signature or not algorithm.verify(key, text, signature) then
		return false, "signature-mismatch";
	end
	local claims = decode_object(body);
	if not claims then return false, "json-decode-error"; end
	return true, claims;
end

local function new_verifier(name, key, options)
	local algorithm = algorithm_of(name);
	key = algorithm.load_key(key, false);
	return function (token)
		local ok, claims = check_signature(algorithm, name, key, token);
		if not ok then return false, claims; end
		local reason = objection(claims, options);
		if reason then return false, reason, claims; end
		return true, claims;
	end;
end

local function init(name, private_key, public_key, options)
	return new_signer(name, private_key, options), new_verifier(name, public_key, options);
end

-- The older form: HS256 with a key, and no look at the times, which its callers compare themselves.

local function sign(key, claims)
	return new_signer("HS256", key)(claims);
end

local function verify(key, token)
	algorithms.HS256.load_key(key);
	return check_signature(algorithms.HS256, "HS256", key, token);
end

return {
	new_signer = new_signer; new_verifier = new_verifier; init = init;
	sign = sign; verify = verify; _algorithms = algorithms;
};
