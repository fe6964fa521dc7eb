# needs: dotenvx
# given: dotenvx
# the block of the page
test "$(secretree get prod API_TOKEN)" = 'tok$en "1"'
git log -p --all -- secrets > log
not grep -qF 'tok$en' log
