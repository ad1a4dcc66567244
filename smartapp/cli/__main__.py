"""`python -m smartapp.cli` is the `smartapp` command."""

import sys

from smartapp.cli import main

sys.exit(main())
