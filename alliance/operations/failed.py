"""What a command of this room ends with: one sentence that says what is so and what to do."""


class Failed(Exception):
    """The sentence is for whoever runs the server; it holds no secret and nothing about a client."""
