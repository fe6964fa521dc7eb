# given: people
# needs: jq
sed -i 's/^environments:/groups: {developers: [alice]}\n&/; /^  dev:/,/readers:/s/\[alice\]/[developers]/' .secrets.yaml
git commit -q -m 'a group' .secrets.yaml
# The forge, which knows bob's key and none of erin.
gh() { printf '[{"login": "alice", "type": "User"}, {"login": "Bob-L"}]\n[{"login": "erin"}]\n'; }
curl() {
    case "$4" in
        https://github.com/Bob-L.keys) sed -n 's/^# public key: //p' ~/bob.txt > "$3" ;;
        *) return 22 ;;
    esac
}
# the block of the page
grep -qx 'no keys of erin' ../printed
grep -q 'developers: \[alice, bob-l\]' .secrets.yaml
not grep -q erin .secrets.yaml
git show --stat --format=%s HEAD~1 | grep -qx 'secrets: developers: + bob-l'
SECRETREE_IDENTITY=~/bob.txt XDG_CONFIG_HOME=/nowhere secretree -q get dev stripe.key | grep -qx dev-token
