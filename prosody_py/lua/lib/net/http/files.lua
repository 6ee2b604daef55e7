-- Serving files: serve(path) or serve { path =, mime_map =, index_files =, directory_index = } gives
-- a handler f(event[, path]).

local native = require "native.server";

return { serve = native.http_files };
