# given: people
secretree -q keygen -o ~/ci.txt
secretree -q recipient add ci-grants --machine --file ~/ci.txt
secretree -q grant ci-grants dev --commit
# A newcomer's pull request was merged: the policy names them, the file does not yet.
secretree -q recipient add bob --file ~/bob.txt
sed -i '/^  dev:/,/readers:/s/readers: \[/&bob, /' .secrets.yaml
git commit -q -m 'bob joins' .secrets.yaml
mv ~/.config/secretree/identity.txt ~/alice.txt
export SECRETREE_KEY="$(grep AGE-SECRET-KEY ~/ci.txt)"
export SECRETREE_TRUST="$(sed -n 's/^  drop_box: */dev:/p' secrets/dev.yaml)"
rm -r ~/.local/state/secretree
# the block of the page
unset SECRETREE_KEY
git clone -q ../origin ../clone && cd ../clone
secretree -i ~/bob.txt get dev stripe.key | grep -qx dev-token
