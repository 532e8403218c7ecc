"""Messages to people when a job or a sweep ends. docs/notifications.md describes them."""
