# needs: prettier yamllint
# the block of the page
test "$(secretree get dev database.password)" = dev-password
