"""smartapp: the guarded door between a hospital's imaging records and the people who have a right to them."""
