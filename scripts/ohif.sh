#!/bin/sh
# Unpacks OHIF, a viewer that measures, as its makers publish it: nothing is built, nothing of it is kept in this
# repository. What the registry sends is compared with the hash below first; another release is a change of both lines.
# dist/ort (models for segmentation, 120 MB) is left out: nothing of ours uses it.
set -eu
VERSION=3.13.2
INTEGRITY='sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=='
cd "$(dirname "$0")/.."
PLACE="var/ohif/$VERSION"
[ -f "$PLACE/dist/index.html" ] && exit 0
command -v npm >/dev/null || { echo "npm is needed to fetch OHIF: install it, or do without this viewer" >&2; exit 1; }

mkdir -p var/ohif
WORK="$(mktemp -d var/ohif/.fetching.XXXXXX)"
trap 'rm -rf "$WORK"' EXIT
npm pack --silent --pack-destination "$WORK" "@ohif/app@$VERSION" >/dev/null
FOUND="sha512-$(openssl dgst -sha512 -binary "$WORK"/*.tgz | openssl base64 -A)"
[ "$FOUND" = "$INTEGRITY" ] || { echo "OHIF $VERSION is not what it was: $FOUND" >&2; exit 1; }
tar -xzf "$WORK"/*.tgz -C "$WORK" --no-same-owner --exclude='package/dist/ort'
chmod -R go-w "$WORK/package"
mv "$WORK/package" "$PLACE"
