# given: people
BOB=$(sed -n 's/^# public key: //p' ~/bob.txt)
# the block of the page
SECRETREE_IDENTITY=~/bob.txt secretree -q get dev stripe.key | grep -qx dev-token
