#!/bin/sh
# Fetches clients of SMART, FHIR and DICOMweb that others wrote, for the tests that let them at us unmodified: those in
# JavaScript into var/clients, those in Python into .venv-clients. All are held to the hashes in tests/clients and below.
set -eu
cd "$(dirname "$0")/.."
FHIRCLIENT=2.6.3
INTEGRITY='sha512-CirZixcwWelbkIXxpxlNQx5+ZdJirl6F1s4y4yvA1X7hHAkr9n99aVHaMi0wX+97nATjKQ65X6NB5as/wZoJzg=='
command -v npm >/dev/null || { echo "npm is needed to fetch the clients in JavaScript" >&2; exit 1; }

mkdir -p var/clients
cp tests/clients/js/package.json tests/clients/js/package-lock.json var/clients/
(cd var/clients && npm ci --silent --ignore-scripts --no-audit --no-fund >/dev/null)

# Its bundle for browsers alone: what its package asks for besides is 300 MB that no browser loads.
WORK="$(mktemp -d var/clients/.fetching.XXXXXX)"
trap 'rm -rf "$WORK"' EXIT
npm pack --silent --pack-destination "$WORK" "fhirclient@$FHIRCLIENT" >/dev/null
FOUND="sha512-$(openssl dgst -sha512 -binary "$WORK"/*.tgz | openssl base64 -A)"
[ "$FOUND" = "$INTEGRITY" ] || { echo "fhirclient $FHIRCLIENT is not what it was: $FOUND" >&2; exit 1; }
tar -xzf "$WORK"/*.tgz -C "$WORK" --no-same-owner package/build
rm -rf var/clients/fhirclient
mv "$WORK/package/build" var/clients/fhirclient

[ -x .venv-clients/bin/python ] || "${PYTHON:-python3}" -m venv .venv-clients
.venv/bin/uv pip sync --quiet --python .venv-clients/bin/python --require-hashes tests/clients/requirements.lock
