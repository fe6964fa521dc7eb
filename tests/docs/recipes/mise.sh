# needs: mise
export MISE_OFFLINE=1
# the block of the page
test "$(mise run --quiet serve)" = dev-password
