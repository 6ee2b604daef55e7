-- Base64, stringprep, IDNA, UTF-8 checks and look-alikes.
-- Functions return nil where the text is not valid for them.

local native = require "native.encodings";
local on_strings = require "argument".on_strings;

-- Lua 5.4 has a strict check of its own.
local len = utf8 and utf8.len;

local valid = len and function (text) return len(text) ~= nil; end or native.utf8_valid;

local function length(text)
	if valid(text) then return #text; end
	return nil, "invalid utf8";
end

return {
	base64 = on_strings({ encode = native.base64_encode; decode = native.base64_decode }, 1);
	stringprep = on_strings({
		nodeprep = native.nodeprep; nameprep = native.nameprep;
		resourceprep = native.resourceprep; saslprep = native.saslprep;
	}, 1);
	idna = on_strings({ to_ascii = native.idna_to_ascii; to_unicode = native.idna_to_unicode }, 1);
	utf8 = on_strings({ valid = valid; length = length }, 1);
	confusable = on_strings({ skeleton = native.skeleton }, 1);
	version = "1";
};
