"""The status page of a monitor: what people, and programs, ask over HTTP."""
