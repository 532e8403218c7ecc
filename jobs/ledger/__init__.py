"""Every job's state in Redis: the transitions, the records, the messages."""
