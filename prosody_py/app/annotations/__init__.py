"""What the Lua language server needs to know of modules: files that it reads and nobody runs."""
