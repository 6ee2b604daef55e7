-- WebSocket frames (RFC 6455 section 5). A frame is a table: FIN, RSV1, RSV2, RSV3, MASK, opcode,
-- length, key, data. What is parsed is a string or a buffer of util.dbuffer.

local random_bytes = require "util.random".bytes;

local s_byte, s_char, s_sub, t_concat, floor, min =
	string.byte, string.char, string.sub, table.concat, math.floor, math.min;
local strxor = require "util.strbitop".sxor;

local FLAGS = { { "FIN", 128 }, { "RSV1", 64 }, { "RSV2", 32 }, { "RSV3", 16 } };

-- Split a number into `count` bytes, the highest first.
local function pack(number, count)
	local bytes = {};
	for i = count, 1, -1 do
		bytes[i] = s_char(number % 256);
		number = floor(number / 256);
	end
	return t_concat(bytes);
end

local function unpack_number(text)
	local number = 0;
	for i = 1, #text do number = number * 256 + s_byte(text, i); end
	return number;
end

-- Return a frame without its data and the length of the header; nil when it is not complete.
local function parse_header(buffer)
	local head = buffer:sub(1, 14);
	if #head < 2 then return nil; end
	local first, second = s_byte(head, 1, 2);
	local frame = { opcode = first % 16 };
	for _, flag in ipairs(FLAGS) do
		frame[flag[1]] = first >= flag[2];
		if frame[flag[1]] then first = first - flag[2]; end
	end
	frame.MASK = second >= 128;
	local length, header = second % 128, 2;
	local size = length == 126 and 2 or length == 127 and 8 or 0;
	if #head < header + size + (frame.MASK and 4 or 0) then return nil; end
	if size > 0 then
		length = unpack_number(s_sub(head, 3, 2 + size));
		header = header + size;
	end
	frame.length = length;
	if frame.MASK then
		frame.key = s_sub(head, header + 1, header + 4);
		header = header + 4;
	end
	return frame, header;
end

-- XOR a text with a key of four bytes, as a list of numbers or a string.
local function apply_mask(text, key)
	if type(key) == "table" then key = s_char(key[1], key[2], key[3], key[4]); end
	return strxor(text, key);
end

local function parse_body(buffer, frame, position)
	local data = buffer:sub(position, position + frame.length - 1);
	if frame.MASK then return apply_mask(data, frame.key); end
	return data;
end

-- Return the first frame and how many bytes it takes. When it is not complete nil and nil, and as
-- soon as its header is there, the frame without its data.
local function parse(buffer)
	local frame, header = parse_header(buffer);
	if not frame then return nil, nil, nil; end
	local available = (type(buffer) == "table" and buffer:length() or #buffer);
	if available < header + frame.length then
		return nil, nil, frame;
	end
	frame.data = parse_body(buffer, frame, header + 1);
	return frame, header + frame.length;
end

local function build(desc)
	local data = desc.data or "";
	assert(desc.opcode and desc.opcode >= 0 and desc.opcode <= 15, "Invalid WebSocket opcode");
	if desc.opcode >= 8 then assert(#data <= 125, "WebSocket control frames have at most 125 bytes"); end
	local first = desc.opcode;
	for _, flag in ipairs(FLAGS) do
		if desc[flag[1]] then first = first + flag[2]; end
	end
	local mask = desc.MASK and 128 or 0;
	local head;
	if #data <= 125 then
		head = s_char(first, mask + #data);
	elseif #data <= 65535 then
		head = s_char(first, mask + 126) .. pack(#data, 2);
	else
		head = s_char(first, mask + 127) .. pack(#data, 8);
	end
	if not desc.MASK then return head .. data; end
	local key = desc.key;
	if type(key) == "table" then key = s_char(key[1], key[2], key[3], key[4]); end
	key = key or random_bytes(4);
	return head .. key .. apply_mask(data, key);
end

-- Return the code and the reason in the data of a close frame.
local function parse_close(data)
	if #data < 2 then return nil; end
	local high, low = s_byte(data, 1, 2);
	return high * 256 + low, #data > 2 and s_sub(data, 3) or nil;
end

local function build_close(code, message, mask)
	local data = pack(code, 2);
	if message then
		assert(#message <= 123, "The reason of a close is at most 123 bytes");
		data = data .. s_sub(message, 1, min(123, #message));
	end
	return build({ opcode = 8; FIN = true; MASK = mask; data = data });
end

return {
	parse_header = parse_header; parse_body = parse_body; parse = parse; build = build;
	parse_close = parse_close; build_close = build_close;
};
