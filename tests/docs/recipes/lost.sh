secretree -q keygen -o ../keys/new > ../printed
secretree -q recipient add bob --file ../keys/bob
secretree -q grant bob prod --commit
old_key=$(sed -n 's/# public key: //p' ../keys/bob)
new_key=$(sed -n 's/# public key: //p' ../keys/new)
# the block of the page
test "$(SECRETREE_IDENTITY=../keys/new secretree get prod stripe.key)" = sk_live_2
grep -q "$new_key" .secrets.yaml
not grep -q "$old_key" .secrets.yaml
