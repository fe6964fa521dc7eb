# A repository with two files under git-crypt, cloned, so that they are locked.
git init -q origin && cd origin
git-crypt init
printf '*.env filter=git-crypt diff=git-crypt\n*.key filter=git-crypt diff=git-crypt\n*.png binary\n' > .gitattributes
mkdir config
printf 'DATABASE_PASSWORD="prod word"\n' > config/prod.env
head -c 3000 /dev/urandom > config/tls.key
cp config/tls.key ../tls.key
git add .
git commit -q -m 'settings with git-crypt'
git-crypt export-key ../shop.key
cd ..
git clone -q origin shop
