"""A customer whose lines are written by a language model: the action ``persona``.

The model writes lines and nothing else. It has no tools, sees no user data and no variables, and
its reply is sent as a chat message, cut to a length: an agent who talks it into something gains
a strange line. What the journey proves is decided by the steps around it, and by the guards.

``settings`` is what an author may say, ``conversation`` what the model is asked and what its
reply means (pure), ``endpoint`` asks it, ``budget`` counts, ``recording`` writes it all down and
plays it again, and ``action`` holds the conversation.
"""
