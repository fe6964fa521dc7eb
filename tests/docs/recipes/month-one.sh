# given: history
# the block of the page
git log --all --oneline --name-only -- '*.env*' | grep -qx .env
test "$(secretree get prod session.secret | wc -c)" = 44
test -z "$(git status --porcelain)"
