# given: people
# the block of the page
grep -q prod-secret ../printed
