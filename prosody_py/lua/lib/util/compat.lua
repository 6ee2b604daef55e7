-- Functions that some Lua versions lack; those here have them.

return { xpcall = xpcall };
