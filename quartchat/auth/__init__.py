"""Who somebody is: passwords, keys, tokens, sessions and where a request came from."""
