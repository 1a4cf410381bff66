"""Errors as a sentence in the result, for clients of a service that had no faults."""


def sentence(text: str) -> str:
    """Return the text of a fault as the sentence of a failed log-on.

    The old service reported failed log-ons and no other error. Its clients recognise an error by one of four tests: how
    the text begins, how it ends, and two phrases. Every error must pass all four tests, or a client files it as scores.
    """
    return (
        f"Logon failure: {text} To this program every error looks like a failed log-on, in which the caller "
        "is not authenticated or the user name or password is incorrect. Please check your username, password."
    )
