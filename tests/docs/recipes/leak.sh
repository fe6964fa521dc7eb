# given: shop
# the block of the page
test "$(secretree get prod stripe.key)" = sk_live_2
grep -q alice ../printed
not grep -q sk_live ../printed
