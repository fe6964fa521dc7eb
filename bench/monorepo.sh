#!/usr/bin/env bash
# Lays out a monorepo (100 people, 40 services × 4 environments, 20 values each, one policy) and measures what touches
# all of it; then the same with half of the services, to show that the cost is linear; then 100 environments × 100
# values under new keys. Prints Markdown. Times are the best of some runs, whole processes.
#
#   bench/monorepo.sh [--people 100] [--services 40] [--values 20] [--runs 3] [--program FILE] [--keep]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(dirname "$here")

people=100 services=40 values=20 runs=3 keep=false program=
while (($#)); do
  case $1 in
    --people) people=$2; shift 2 ;;
    --services) services=$2; shift 2 ;;
    --values) values=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --program) program=$(realpath "$2"); shift 2 ;;
    --keep) keep=true; shift ;;
    *) printf 'unknown option %s\n' "$1" >&2; exit 2 ;;
  esac
done

if [[ -z $program ]]; then
  cargo build --release --locked --quiet --manifest-path "$repository/Cargo.toml"
  program=${CARGO_TARGET_DIR:-$repository/target}/release/secretree
fi

top=$(mktemp -d)
if $keep; then printf 'kept: %s\n' "$top" >&2; else trap 'rm -rf "$top"' EXIT; fi
export HOME=$top/home XDG_CONFIG_HOME=$top/config XDG_STATE_HOME=$top/state GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME" "$XDG_CONFIG_HOME/secretree" "$top/keys"
git config --global user.name bench
git config --global user.email bench@example.com
git config --global init.defaultBranch main

key() { # the public key of somebody, who gets an identity
  [[ -e $top/keys/$1 ]] || "$program" -q keygen -o "$top/keys/$1" > /dev/null 2>&1
  sed -n 's/^# public key: //p' "$top/keys/$1"
}

key p1 > /dev/null
cp "$top/keys/p1" "$XDG_CONFIG_HOME/secretree/identity.txt"

id() { head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

values_of() { # a dotenv file of this many values
  local number
  for ((number = 0; number < $1; number++)); do
    printf 'KEY_%d=%s\n' "$number" "$(head -c 24 /dev/urandom | base64 | tr -d '+/=')"
  done
}

# The monorepo: everybody is in one team or two, five are the platform and read all.
monorepo() { # folder, services
  local folder=$1 count=$2 number service stage
  mkdir -p "$folder" && cd "$folder" && git init -q
  {
    printf 'version: 1\nid: "%s"\nrecipients:\n' "$(id)"
    for ((number = 1; number <= people; number++)); do
      printf '  p%d: {keys: [%s]}\n' "$number" "$(key "p$number")"
    done
    printf 'groups:\n  platform: [p1, p2, p3, p4, p5]\n'
    for ((number = 0; number < count; number++)); do
      local one=$((number * 5 % people)) members=() index
      for index in 1 2 3 4 5; do members+=("p$(((one + index - 1) % people + 1))"); done
      printf '  team-s%d: [%s]\n' "$number" "$(printf '%s, ' "${members[@]}" | sed 's/, $//')"
    done
    printf 'environments:\n'
    for stage in dev test staging prod; do
      printf '  %s: {file: "services/{service}/secrets/%s.yaml", readers: [platform, "team-{service}"]}\n' "$stage" "$stage"
    done
  } > .secrets.yaml
  for ((number = 0; number < count; number++)); do
    mkdir -p "services/s$number"
  done
  values_of "$values" > "$top/values.env"
  for ((number = 0; number < count; number++)); do
    for stage in dev test staging prod; do
      "$program" -q --yes import "s$number/$stage" "$top/values.env" > /dev/null
    done
  done
  git add -A && git commit -q -m 'secrets'
}

# A hundred environments of one person.
hundred() {
  mkdir -p "$1" && cd "$1" && git init -q
  local number
  {
    printf 'version: 1\nid: "%s"\nrecipients:\n  p1: {keys: [%s]}\n  p2: {keys: [%s]}\nenvironments:\n' "$(id)" "$(key p1)" "$(key p2)"
    for ((number = 0; number < 100; number++)); do
      printf '  e%d: {file: secrets/e%d.yaml, readers: [p1, p2]}\n' "$number" "$number"
    done
  } > .secrets.yaml
  values_of 100 > "$top/values.env"
  for ((number = 0; number < 100; number++)); do
    "$program" -q --yes import "e$number" "$top/values.env" > /dev/null
  done
  git add -A && git commit -q -m 'secrets'
}

best() { # milliseconds of the fastest run of a command
  local run start took fastest=
  for ((run = 0; run < runs; run++)); do
    start=$(date +%s%N)
    "$@" > /dev/null 2>&1
    took=$((($(date +%s%N) - start) / 1000000))
    [[ -n $fastest ]] && ((fastest <= took)) || fastest=$took
  done
  printf '%s' "$fastest"
}

row() { printf '| %s | %s | %s ms |\n' "$1" "$2" "$3"; }

measured() { # what it is called
  row "$1" '`apply --new-key`' "$(best "$program" -q --yes apply --new-key)"
  git commit -q -a -m "new keys"
  row "$1" '`offboard p6 --dry-run`' "$(best "$program" -q offboard p6 --dry-run)"
  row "$1" '`check`' "$(best sh -c '"$0" -q check || [ $? -eq 3 ]' "$program")"
  row "$1" '`get`' "$(best "$program" -q get s0/prod KEY_1)"
}

printf '| repository | command | best of %s |\n| --- | --- | --- |\n' "$runs"
monorepo "$top/half" $((services / 2))
measured "$people people, $((services / 2)) services × 4 environments × $values values"
monorepo "$top/whole" "$services"
measured "$people people, $services services × 4 environments × $values values"
lines=$(wc -l < .secrets.yaml)
hundred "$top/hundred"
row '100 environments × 100 values' '`apply --new-key`' "$(best "$program" -q --yes apply --new-key)"
printf '\nThe policy of the whole has %s lines.\n' "$lines"
