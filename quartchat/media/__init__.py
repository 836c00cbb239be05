"""Work on files of strangers, in processes of their own: what breaks a decoder breaks no server."""
