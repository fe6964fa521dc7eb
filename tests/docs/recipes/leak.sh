# given: shop
# the block of the page
test "$(secretree get prod stripe.key)" = sk_live_2
test "$(git log --format=%h -- secrets/prod.yaml | wc -l)" = 2
