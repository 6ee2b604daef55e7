-- Byte buffers of a fixed size.

local error, setmetatable, type = error, setmetatable, type;
local s_find, s_byte = string.find, string.byte;

local buffer = {};
local buffer_mt = { __index = buffer; __name = "ringbuffer" };

local function new(size)
	if size ~= nil and not (type(size) == "number" and size >= 1) then
		error("bad argument #1 to 'new' (positive integer expected)", 2);
	end
	return setmetatable({ _size = size or 4096; _data = "" }, buffer_mt);
end

function buffer_mt.__len(self)
	return #self._data;
end

function buffer_mt.__tostring(self)
	return ("ringbuffer: %d/%d"):format(#self._data, self._size);
end

-- Return the length written; nil when it does not fit.
function buffer:write(data)
	if #self._data + #data > self._size then return nil; end
	self._data = self._data .. data;
	return #data;
end

-- Return `length` bytes, nil when there are fewer. With peek they stay.
function buffer:read(length, peek)
	if #self._data < length then return nil; end
	local data = self._data:sub(1, length);
	if not peek then self._data = self._data:sub(length + 1); end
	return data;
end

function buffer:readuntil(text)
	local last = self:find(text);
	if not last then return nil; end
	return self:read(last);
end

-- Return where a text ends, nil when it is not there.
function buffer:find(text)
	local _, last = s_find(self._data, text, 1, true);
	return last;
end

function buffer:discard(length)
	if #self._data < length then return false; end
	self._data = self._data:sub(length + 1);
	return true;
end

function buffer:sub(first, last) return self._data:sub(first, last); end
function buffer:byte(first, last) return s_byte(self._data, first or 1, last); end
function buffer:length() return #self._data; end
function buffer:size() return self._size; end
function buffer:free() return self._size - #self._data; end

return { new = new };
