"""`smartapp init`: from a few answers to a configuration that can be served."""
