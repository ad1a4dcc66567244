#!/bin/sh
# Gathers every visible sentence into the template, brings the languages up to date, and compiles them.
# New sentences appear untranslated in the .po files; a test fails until they are filled in.
set -eu
cd "$(dirname "$0")/.."
BABEL="${BABEL:-.venv/bin/pybabel}"
HERE=smartapp/translations
# One date for all times, no names: what was gathered twice from the same sentences is the same file.
UNNAMED='/^"\(Project-Id-Version\|Report-Msgid-Bugs-To\|Last-Translator\|Generated-By\)/d'
UNDATED='s/^"\(POT-Creation-Date\|PO-Revision-Date\): .*/"\1: 2026-01-01 00:00+0000\\n"/'

"$BABEL" -q extract -F "$HERE/babel.cfg" -k _l --no-location --sort-output --omit-header \
	-o "$HERE/messages.pot" smartapp
for folder in "$HERE"/*/LC_MESSAGES; do
	language="$(basename "$(dirname "$folder")")"
	"$BABEL" -q update --no-fuzzy-matching --ignore-obsolete -l "$language" \
		-i "$HERE/messages.pot" -o "$folder/messages.po"
	sed -i -e "$UNNAMED" -e "$UNDATED" "$folder/messages.po"
	"$BABEL" -q compile -l "$language" -i "$folder/messages.po" -o "$folder/messages.mo"
done
