#!/usr/bin/env bash
# Sets `log`, `access`, `exposure` and `check` beside `git log -p -- FILE` in repositories of 1,000, 10,000 and 50,000
# commits on one environment, and prints Markdown: seconds, ratios, peak memory.
#
#   bench/history.sh [--counts "1000 10000"] [--values 40] [--runs 3] [--program FILE] [--keep]
#
# Each commit changes one value; every tenth adds or removes one, and now and then a reader comes or goes, which seals all
# values under a new key. Made with `git fast-import` from files of the program itself.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(dirname "$here")

counts="1000 10000 50000" values=40 runs=3 keep=false program=
while (($#)); do
  case $1 in
    --counts) counts=$2; shift 2 ;;
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

folder=$(mktemp -d)
$keep || trap 'rm -rf "$folder"' EXIT
export HOME=$folder/home NO_COLOR=1 XDG_CONFIG_HOME=$folder/home/.config XDG_STATE_HOME=$folder/home/.local/state
mkdir -p "$HOME"
git config --global user.name bench
git config --global user.email bench@example.com
git config --global init.defaultBranch main

# Four generations of one file: a reader comes, goes, comes, goes.
first=$folder/first
git init -q "$first"
cd "$first"
"$program" -q init --name alice
"$program" -q keygen -o "$folder/bob.txt" >"$folder/bob.pub"
"$program" -q -y recipient add bob --file "$folder/bob.pub" >/dev/null
for ((value = 0; value < values; value++)); do
  printf 'service_%02d:\n  password: %032d\n' "$value" "$value"
done >"$folder/values.yaml"
EDITOR="cp $folder/values.yaml" "$program" -q edit prod
git add -A && git commit -q -m first
generation=0
for change in none grant revoke grant; do
  [[ $change == none ]] || "$program" -q -y "$change" bob prod
  cp secrets/prod.yaml "$folder/$generation.yaml"
  cp .secrets.yaml "$folder/$generation.policy"
  git add -A && git commit -q --allow-empty -m "$change"
  generation=$((generation + 1))
done

python3 - "$folder" "$program" "$runs" $counts <<'PYTHON'
import base64, os, random, re, statistics, subprocess, sys, time

folder, program, runs, counts = sys.argv[1], sys.argv[2], int(sys.argv[3]), [int(count) for count in sys.argv[4:]]
TOKEN = re.compile(r"ENC\[age,(k[0-9a-f]{16}),(v[0-9a-f]{8}),([^\]]*)\]")
generations = []
for number in range(4):
    text = open(f"{folder}/{number}.yaml").read()
    body, footer = text.split("\nsecretree:\n")
    key = TOKEN.search(body).group(1)
    names = re.findall(r"^(service_\d+):", body, re.M)
    generations.append((key, names, footer, open(f"{folder}/{number}.policy").read()))
size = len(base64.b64decode(TOKEN.search(body).group(3)))


def history(count):
    """A repository of this many commits."""
    dice = random.Random(count)
    version = lambda: f"v{dice.randrange(1, 1 << 32):08x}"
    sealed = lambda: base64.b64encode(dice.randbytes(size)).decode()
    values = {name: [version(), sealed()] for name in generations[0][1]}
    root = f"{folder}/{count}"
    subprocess.run(["git", "init", "-q", root], check=True)
    stream = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=root, stdin=subprocess.PIPE)
    current, extra = 0, []

    def blob(path, text):
        data = text.encode()
        return f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"

    for number in range(count):
        generation = number * 4 // count
        if generation != current or number == 0:
            current = generation
            for name in values:
                values[name][1] = sealed()
        elif number % 20 == 10:
            extra.append(f"extra_{number}")
            values[extra[-1]] = [version(), sealed()]
        elif number % 20 == 0 and extra:
            del values[extra.pop()]
        else:
            values[dice.choice(list(values))][:] = [version(), sealed()]
        key, _, footer, policy = generations[current]
        entry = lambda name: f"{name}:\n  password: |-\n    ENC[age,{key},{values[name][0]},{values[name][1]}]\n"
        text = "".join(entry(name) for name in sorted(values)) + "\nsecretree:\n" + footer
        stream.stdin.write(
            f"commit refs/heads/main\ncommitter bench <bench@example.com> {1700000000 + number * 60} +0000\n"
            f"data 6\nchange\n".encode() + blob("secrets/prod.yaml", text) + blob(".secrets.yaml", policy)
        )
    stream.stdin.close()
    assert stream.wait() == 0
    subprocess.run(["git", "reset", "-q", "--hard", "main"], cwd=root, check=True)
    subprocess.run(["git", "repack", "-q", "-a", "-d"], cwd=root, check=True)
    subprocess.run(["git", "commit-graph", "write"], cwd=root, check=True, stderr=subprocess.DEVNULL)
    return root


def measure(root, command):
    """Median seconds and the largest peak memory in MB."""
    times, memory = [], 0
    for _ in range(runs):
        start = time.monotonic()
        child = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        times.append(time.monotonic() - start)
        # `check` finds that the tokens are random bytes.
        assert os.waitstatus_to_exitcode(status) in (0, 3), command
        memory = max(memory, usage.ru_maxrss / 1024)
    return statistics.median(times), memory


commands = {
    "git log -p": ["git", "--no-pager", "log", "-p", "--", "secrets/prod.yaml"],
    "log prod": [program, "log", "prod"],
    "log": [program, "log"],
    "access prod PATH": [program, "access", "prod", "service_00.password"],
    "access prod": [program, "access", "prod"],
    "exposure bob": [program, "exposure", "bob"],
    "check": [program, "-q", "check", "prod"],
}
print("| commits | " + " | ".join(commands) + " |")
print("|--:|" + "--:|" * len(commands))
for count in counts:
    root = history(count)
    row, base = [], None
    for name, command in commands.items():
        seconds, memory = measure(root, command)
        base = base or seconds
        ratio = "" if base == seconds else f"{seconds / base:.2f}×, "
        row.append(f"{seconds:.2f} s ({ratio}{memory:.0f} MB)")
    print(f"| {count:,} | " + " | ".join(row) + " |", flush=True)
PYTHON
