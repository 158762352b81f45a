#!/bin/bash
# One run on all machines of a Ray cluster. On the first machine:    ray start --head
# On each of the others:                                             ray start --address=FIRST:6379
# They see photos/ and photos-x10/ under the same name, and have the same augx.
set -euo pipefail
augx run photos photos-x10 -r recipe.yaml --executor ray --executor-option "address=${RAY_ADDRESS:-auto}"
