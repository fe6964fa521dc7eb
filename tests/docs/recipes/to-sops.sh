# needs: sops age-keygen
ALICE=$(age-keygen -y ~/.config/sops/age/keys.txt)
# the block of the page
test "$(sops decrypt --extract '["database"]["password"]' prod.sops.yaml)" = 'p$w "quoted"'
test "$(sops decrypt --extract '["database"]["port"]' dev.sops.yaml)" = 5432
