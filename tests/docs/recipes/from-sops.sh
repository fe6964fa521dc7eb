# needs: sops age-keygen
# given: sops
# the block of the page
test "$(secretree get prod database.password)" = 'p$w "quoted"'
test "$(secretree get dev database.port)" = 5432
