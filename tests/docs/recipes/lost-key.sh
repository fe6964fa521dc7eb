# given: people
OLD_KEY=$(sed -n 's/^# public key: //p' ~/bob.txt)
NEW_KEY=$(sed -n 's/^# public key: //p' ~/bob-new.txt)
secretree -q recipient add bob "$OLD_KEY"
secretree -q grant bob dev --commit
# the block of the page
mv ~/.config/secretree/identity.txt ~/alice.txt
secretree -i ~/bob-new.txt get dev stripe.key | grep -qx dev-token
not secretree -i ~/bob.txt get dev stripe.key
