# given: shop
# the block of the page
not grep -q -e missing -e stale ../printed
printf 'plain: 1\n' >> secrets/prod.yaml
git add secrets
not git commit -q -m x
git restore --staged --worktree secrets
printf 'other' | secretree -q set prod stripe.key
git diff | grep -q '^+stripe.key: <v'
