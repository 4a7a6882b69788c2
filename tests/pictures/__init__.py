"""`make pictures`: every surface the bot has, drawn by the playground's own renderer; and the few pictures of the documents."""
