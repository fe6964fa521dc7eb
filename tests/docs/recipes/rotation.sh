# given: shop
before=$(git rev-parse HEAD:secrets/prod.yaml)
printf 'bad' | secretree -q set prod stripe.key --commit
# the block of the page
tail -n 1 ../printed | grep -qx sk_live_1
test "$(git rev-parse HEAD:secrets/prod.yaml)" = "$before"
