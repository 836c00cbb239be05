"""Pages, forms and the HTTP API: thin, over the same verbs as the WebSocket's commands."""
