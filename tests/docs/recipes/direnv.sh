# needs: direnv
# the block of the page
direnv exec . printenv DATABASE_PASSWORD | grep -qx dev-password
mv secrets/dev.yaml secrets/gone.yaml
not direnv exec . true
