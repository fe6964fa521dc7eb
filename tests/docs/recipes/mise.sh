# needs: mise
export MISE_OFFLINE=1
# the block of the page
grep -qx dev-password ../printed
