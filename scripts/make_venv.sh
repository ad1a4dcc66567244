#!/bin/sh
# Makes .venv from the hashed lock. uv installs in seconds; where it cannot be had, pip does the same, slower.
# Hashes are required either way: a package that was changed after it was locked does not install.
set -eu
: "${PYTHON:=python3}" "${UV:?}"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: set PYTHON=python3.11")'
[ -x .venv/bin/pip ] || "$PYTHON" -m venv --clear .venv
if .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV" \
    && VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock; then
  :
else
  echo "uv is not available here: installing with pip" >&2
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
fi
# The package runs from the checkout; this makes `import smartapp` and the `smartapp` command work from any folder.
.venv/bin/python - <<'PY'
import pathlib, stat, sysconfig
here = pathlib.Path.cwd()
pathlib.Path(sysconfig.get_paths()["purelib"], "smartapp-checkout.pth").write_text(f"{here}\n")
script = here / ".venv/bin/smartapp"
script.write_text(f"#!{here}/.venv/bin/python\nimport sys\nfrom smartapp.cli import main\nsys.exit(main())\n")
script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
PY
