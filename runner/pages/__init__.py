"""Published fix pages: what they say, and what is to be made of it."""
