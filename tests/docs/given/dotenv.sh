# A repository that committed one of its two .env files.
git init -q shop && cd shop
printf 'DATABASE_PASSWORD=dev $word\nSMTP_HOST=localhost\n' > .env
printf '# production\nexport DATABASE_PASSWORD=%s\nSMTP_HOST="mail.example.com"\n' "'p \"quoted\" # word'" > .env.production
git add .env.production
git commit -q -m 'settings of production'
