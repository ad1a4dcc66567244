"""What the tests share: real parts, started once, and a clock that stands still."""
