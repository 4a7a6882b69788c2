"""What the tests of insights share: recognising pasted text on our site."""

from tests.datadog.conftest import pasted, us1

__all__ = ["pasted", "us1"]
