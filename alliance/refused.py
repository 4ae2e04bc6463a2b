"""A write that cannot be."""


class Refused(Exception):
    """A write that cannot be; the text is a sentence for the person at the screen."""


ERASED = "This client’s record is no longer here: it was erased."


class Gone(Refused):
    """What the write is about was erased meanwhile: it is not there any more, for nobody."""
