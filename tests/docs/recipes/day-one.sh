# given: dotenv
# the block of the page
git show --stat --format=%s | grep -q 'secrets/dev.yaml'
grep -qx localhost ../printed
