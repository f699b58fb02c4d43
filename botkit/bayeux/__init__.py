"""Bayeux 1.0, both halves. Pure: bytes in, bytes out, the JSON codec and the time are passed in.

Import from the modules: ``messages`` (records and their bytes), ``advice`` (times), ``states`` (the
rules of both sides), ``client`` and ``server`` (the two state machines), ``acknowledging`` and
``timesync`` (both sides of two extensions of CometD's).
"""
