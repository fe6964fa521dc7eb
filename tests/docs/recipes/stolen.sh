# given: two
secretree -i ../keys/bob get prod stripe.key
# the block of the page
grep -q stripe.key ../printed
not grep -q bob .secrets.yaml secrets/prod.yaml
