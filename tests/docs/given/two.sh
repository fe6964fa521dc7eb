# Alice and bob, who both read prod.
git init -q shop && cd shop
secretree -q init --name alice
printf 'sk_live_1' | secretree -q set prod stripe.key
mkdir ../keys
secretree -q keygen -o ../keys/bob > ../printed
secretree -q recipient add bob --file ../keys/bob
secretree -q grant bob prod
git add .secrets.yaml secrets
git commit -q -m 'secrets of alice and bob'
