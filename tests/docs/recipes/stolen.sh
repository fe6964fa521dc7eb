# given: two
secretree -i ../keys/bob get prod stripe.key
# the block of the page
grep -q stripe.key ../printed
printf 'sk_live_2' | secretree set prod stripe.key --commit
not sh -c 'secretree exposure bob --current | grep stripe.key'
not grep -q bob .secrets.yaml secrets/prod.yaml
