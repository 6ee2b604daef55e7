-- Transfer encodings: base64 and quoted-printable, in whole texts.

local base64 = require "util.encodings".base64;

local s_byte, s_char, s_format, s_gsub = string.byte, string.char, string.format, string.gsub;

-- b64(text) and unb64(text): the encoded text, and "" for what is left over. With a second text
-- (nil at the end of a stream) the two are put together first.
local function whole(f)
	return function (a, b)
		if a == nil then return nil, nil; end
		return f(a .. (b or "")), "";
	end;
end

local function qp(text)
	if not text then return nil, nil; end
	text = s_gsub(text, "[^\r\n\t !-<>-~]", function (char)
		return s_format("=%02X", s_byte(char));
	end);
	return (s_gsub(text, "[ \t]\r?\n", function (space)
		return s_format("=%02X", s_byte(space)) .. space:sub(2);
	end)), "";
end

local function unqp(text)
	if not text then return nil, nil; end
	text = s_gsub(text, "=[ \t]*\r?\n", "");
	return (s_gsub(text, "=(%x%x)", function (code) return s_char(tonumber(code, 16)); end)), "";
end

return { b64 = whole(base64.encode); unb64 = whole(base64.decode); qp = qp; unqp = unqp };
