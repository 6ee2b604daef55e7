-- xpcall with arguments, which every Lua here has.

return { xpcall = xpcall };
