# needs: prettier yamllint
# the block of the page
grep -q "secrets/dev.yaml" ../printed
test "$(secretree get dev database.password)" = dev-password
