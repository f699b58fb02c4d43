"""Watches chats all day: bots on a schedule, what became of them, and who has to know."""
