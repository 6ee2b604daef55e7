"""The commands of `prosody-py`, one file each: `add_arguments(parser)` and `run(args)`."""
