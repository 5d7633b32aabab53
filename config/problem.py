"""The one error of configuration."""


class ConfigurationProblem(Exception):
    """Something that an operator has to set right; the message is one line and says what and where."""
