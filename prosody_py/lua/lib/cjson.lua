-- JSON under the names of lua-cjson: errors are raised, null is cjson.null.

local json = require "util.json";

local function decode(text)
	local value, err = json.decode(text);
	if value == nil then error(err or "invalid JSON", 2); end
	return value;
end

return {
	encode = json.encode; decode = decode; null = json.null;
	empty_array = require "util.array" {};
	encode_sparse_array = function () end; encode_empty_table_as_object = function () end;
	decode_array_with_array_mt = function () end;
	_NAME = "cjson"; _VERSION = "2.1.0";
};
