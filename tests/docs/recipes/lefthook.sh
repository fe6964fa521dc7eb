# needs: lefthook
# given: shop
# the block of the page
not grep -q 'missing *pre-commit hook' ../printed
printf 'plain: 1\n' >> secrets/prod.yaml
git add .
not git commit -q -m x
