# the block of the page
test -z "$(git status --porcelain)"
touch .env && test -z "$(git status --porcelain)"
secretree run dev -- printenv DATABASE_PASSWORD
