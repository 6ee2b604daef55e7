-- The same functions as util.bitcompat, under the name for Lua 5.3 and later.

return require "util.bitcompat";
