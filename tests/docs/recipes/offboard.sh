# given: people
BOB=$(sed -n 's/^# public key: //p' ~/bob.txt)
secretree -q recipient add bob "$BOB"
secretree -q grant bob dev --commit
# the block of the page
grep -qx -- '- \[ \] `dev:stripe.key`' ../bob.md
git show --stat --format=%s | grep -qx 'secrets: offboard bob'
mv ~/.config/secretree/identity.txt ~/alice.txt
not secretree -i ~/bob.txt get dev stripe.key
