# given: shop
git checkout -q -b other
printf 'theirs' | secretree -q set prod npm.token
printf 'theirs' | secretree -q set prod stripe.key --commit
git checkout -q -
printf 'ours' | secretree -q set prod stripe.key --commit
not git merge other
# the block of the page
test "$(secretree get prod stripe.key)" = ours
test "$(secretree get prod npm.token)" = theirs
test "$(git rev-parse HEAD^2)" = "$(git rev-parse other)"
