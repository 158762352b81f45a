"""Pictures with their labels drawn on them, and sheets of such pictures."""
