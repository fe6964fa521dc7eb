# given: history
# the block of the page
grep -qx .env ../printed
grep -qF session.secret ../printed
test "$(secretree get prod session.secret | wc -c)" = 44
test -z "$(git status --porcelain)"
