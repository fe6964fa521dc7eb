# needs: jq
# the block of the page
grep -qx STRIPE_KEY=sk_live_1 .env
test "$(jq -r .STRIPE_KEY prod.json)" = sk_live_1
