#!/bin/bash
# The part of docs.sh that compiles the library anew: another layout, and another processor.
DOCS_PART=builds exec bash "$(dirname "$0")/docs.sh" "$@"
