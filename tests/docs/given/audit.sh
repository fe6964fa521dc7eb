# A repository that bob could read, until he left.
git init -q shop && cd shop
secretree -q init --name alice
secretree -q keygen -o ../bob.txt
secretree -q recipient add bob --file ../bob.txt
printf 'sk_live_1' | secretree -q set prod stripe.key
printf 'known' | secretree -q set prod session.secret
git add .secrets.yaml secrets
git commit -q -m 'secrets'
secretree -q grant bob prod
git commit -q -a -m 'bob comes'
printf 'sk_live_2' | secretree -q set prod stripe.key
git commit -q -a -m 'a new stripe key'
secretree -q revoke bob prod
git commit -q -a -m 'bob leaves'
printf 'sk_live_3' | secretree -q set prod stripe.key
git commit -q -a -m 'changed after bob'
