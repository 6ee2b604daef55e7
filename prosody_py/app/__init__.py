"""Put the server together and run it: start-up, signals, log, command line."""
