"""`prosody-py lua`: Lua in the environment of a module, from a file, a line or the keyboard."""
