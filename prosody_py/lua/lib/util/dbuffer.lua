-- Byte buffers that grow in pieces up to a limit.

local setmetatable, s_find, s_byte = setmetatable, string.find, string.byte;
local t_concat = table.concat;

local methods = {};
local dbuffer_mt = { __index = methods };

-- max_size: bytes, nil for no limit. max_chunks: how many pieces are kept before they are joined.
local function new(max_size, max_chunks)
	if max_size and max_size <= 0 then return nil; end
	return setmetatable({
		_pieces = {}; _first = 1; _last = 0; _length = 0; max_size = max_size;
		max_chunks = max_chunks or 32;
	}, dbuffer_mt);
end

function dbuffer_mt.__len(self)
	return self._length;
end

-- Join all pieces to one and return it.
function methods:collapse()
	local data = t_concat(self._pieces, "", self._first, self._last);
	self._pieces, self._first, self._last = { data }, 1, 1;
	return data;
end

function methods:write(data)
	if self.max_size and self._length + #data > self.max_size then return nil; end
	if data == "" then return true; end
	if self._last - self._first + 1 >= self.max_chunks then self:collapse(); end
	self._last = self._last + 1;
	self._pieces[self._last] = data;
	self._length = self._length + #data;
	return true;
end

-- Return the first piece, nil when the buffer is empty.
function methods:read_chunk()
	if self._length == 0 then return nil; end
	local data = self._pieces[self._first];
	self._pieces[self._first] = nil;
	self._first = self._first + 1;
	self._length = self._length - #data;
	return data;
end

-- Return `count` bytes, nil when there are fewer; without a count the first piece.
function methods:read(count)
	if not count then return self:read_chunk(); end
	if self._length < count then return nil; end
	local parts = {};
	while count > 0 do
		local data = self:read_chunk();
		if #data > count then
			self._first = self._first - 1;
			self._pieces[self._first] = data:sub(count + 1);
			self._length = self._length + #data - count;
			data = data:sub(1, count);
		end
		parts[#parts + 1] = data;
		count = count - #data;
	end
	return t_concat(parts);
end

-- Read up to and with the first of a text.
function methods:read_until(text)
	if self._length == 0 then return nil; end
	local _, last = s_find(self:collapse(), text, 1, true);
	if not last then return nil; end
	return self:read(last);
end

function methods:discard(count)
	return self:read(count) ~= nil;
end

function methods:sub(first, last) return self:collapse():sub(first or 1, last); end
function methods:byte(first, last) return s_byte(self:collapse(), first or 1, last); end
function methods:length() return self._length; end
methods.len = methods.length;

return { new = new };
