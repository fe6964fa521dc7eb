# A repository that has moved, and whose history has an .env file.
git init -q shop && cd shop
echo 'SESSION_SECRET=known' > .env
git add .env
git commit -q -m 'settings'
secretree -q init --name alice
printf 'known' | secretree -q set prod session.secret
git rm -q .env
git add .secrets.yaml secrets
git commit -q -m 'secrets: from .env files to secretree'
