# A repository with an encrypted .env file, and the key that opens it.
git init -q shop && cd shop
dotenvx set API_TOKEN 'tok$en "1"' -f .env.production > /dev/null
echo .env.keys > .gitignore
git add .gitignore .env.production
git commit -q -m 'settings of production'
grep -q 'API_TOKEN="\?encrypted:' .env.production
