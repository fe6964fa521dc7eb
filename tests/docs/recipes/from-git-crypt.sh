# needs: git-crypt
# given: git-crypt
# the block of the page
test "$(secretree get prod DATABASE_PASSWORD)" = 'prod word'
secretree get prod tls.key | cmp - ../tls.key
test -z "$(git status --porcelain)"
