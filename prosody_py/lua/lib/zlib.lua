-- lua-zlib's interface: deflate([level[, window]]) and inflate([window]) return functions.
--
-- stream(data[, flush]) returns the output, whether the stream has ended, and bytes in and out so
-- far; bad data raises an error. flush: "none", "sync", "full", "finish".

local native = require "native.compression";
local argument = require "argument";

local error, pairs = error, pairs;

local DEFAULT_LEVEL, MAX_WINDOW, ANY_HEADER = -1, 15, 47;

local function checked(output, ...)
	if output == nil then error(..., 3); end
	return output, ...;
end

local function deflate(level, window)
	local stream, err = native.deflate_new(level or DEFAULT_LEVEL, window or MAX_WINDOW);
	if stream == nil then error(err, 2); end
	return function (data, flush)
		if data == nil then data, flush = "", flush or "finish"; end
		return checked(native.deflate(stream, argument.string(data, 1, "deflate"), flush or "none"));
	end;
end

local function inflate(window)
	local stream, err = native.inflate_new(window or ANY_HEADER);
	if stream == nil then error(err, 2); end
	return function (data)
		return checked(native.inflate(stream, argument.string(data or "", 1, "inflate")));
	end;
end

local function checksum(f)
	return function (start)
		local value = start;
		return function (data)
			value = value and f(data, value) or f(data);
			return value;
		end;
	end;
end

local zlib = {
	deflate = deflate; inflate = inflate;
	adler32 = checksum(native.adler32); crc32 = checksum(native.crc32);
	_VERSION = "lua-zlib 1.2";
	version = function () return 1, 2, 11; end;
};
for name, value in pairs { BEST_SPEED = 1, BEST_COMPRESSION = 9, DEFAULT_COMPRESSION = -1,
		NO_COMPRESSION = 0, MINIMUM_WINDOWBITS = 9, MAXIMUM_WINDOWBITS = 15,
		GZIP_WINDOWBITS = 16, RAW_WINDOWBITS = -1 } do
	zlib[name] = value;
end
return zlib;
