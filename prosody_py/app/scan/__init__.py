"""What Lua modules need, found by reading them; nothing of them is run."""
