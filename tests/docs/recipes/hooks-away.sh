# given: shop
cp .git/config ../before
secretree -q hooks install
# the block of the page
cmp .git/config ../before
not test -e .gitattributes
not test -e .git/hooks/pre-commit
