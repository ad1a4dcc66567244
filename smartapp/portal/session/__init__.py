"""Care for a session: a warning before it ends for want of use, and one press that keeps it."""
