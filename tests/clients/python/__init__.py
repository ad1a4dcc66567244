"""Programs around clients and checkers that others wrote, run by `.venv-clients`; `run` is our side of the talk."""
