"""Who has to know, and when: what checks come to, and how people are told of it."""
