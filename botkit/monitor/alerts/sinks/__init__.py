"""Where alerts go: each module is one kind of place, registered through the public hook."""
