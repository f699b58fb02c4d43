"""The dialects of Genesys chat servers: chat words to their messages and back. Pure."""
