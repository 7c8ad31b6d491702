"""The errors that a user's input can cause; the command line prints them as one line, without a traceback."""


class RnnlabError(Exception):
    """Base of all errors caused by input: the message names the offending value and what would be right."""


class ConfigError(RnnlabError):
    """A config that cannot be run: an unknown key, a wrong type, or a value out of range.

    `key` is the dotted name of the offending key.
    """

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


class StoreError(RnnlabError):
    """A store that cannot be reached, read or written, or a run that is not in it."""


class StoreAwayError(StoreError):
    """A store whose server does not answer now, and may do so again."""


class CheckpointError(RnnlabError):
    """A checkpoint that training cannot go on from: damaged, or made by other code, packages or threads."""
