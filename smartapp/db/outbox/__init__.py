"""What is to leave us later, written in the transaction that caused it, so that neither happens without the other."""
