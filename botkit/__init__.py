"""botkit plays the customer in contact-centre chats, unattended."""
