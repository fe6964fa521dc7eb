# The repository `shop` with a group, values in both environments, and the public keys of bob.
git init -q shop && cd shop
git init -q --bare ../origin
git remote add origin ../origin
secretree -q init --name alice
printf 'dev-token' | secretree -q set dev stripe.key
printf 'prod-secret' | secretree -q set prod session.secret
git add . && git commit -q -m 'secrets'
git push -q origin HEAD:main
secretree keygen -o ~/bob.txt > /dev/null 2>&1
secretree keygen -o ~/bob-new.txt > /dev/null 2>&1
