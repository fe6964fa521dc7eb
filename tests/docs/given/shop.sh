# A repository whose two environments have two values each.
git init -q shop && cd shop
secretree -q init --name alice
printf 'dev-password' | secretree -q set dev database.password
printf 'dev-token' | secretree -q set dev npm.token
# What a careless quoting, folding or expansion would change.
printf '%s' 'a "b" $HOME \n #c' | secretree -q set prod database.password
printf 'sk_live_1' | secretree -q set prod stripe.key
git add .secrets.yaml secrets
git commit -q -m 'secrets of dev and prod'
