# needs: sops age-keygen
# the block of the page
not sh -c 'git ls-files | grep -q sops'
secretree run prod -- printenv DATABASE_PASSWORD
