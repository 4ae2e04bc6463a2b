"""A write that cannot be."""


class Refused(Exception):
    """A write that cannot be; the text is a sentence for the person at the screen."""
