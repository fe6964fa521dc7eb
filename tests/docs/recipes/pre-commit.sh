# needs: pre-commit
# the block of the page
not grep -q 'missing *pre-commit hook' ../printed
