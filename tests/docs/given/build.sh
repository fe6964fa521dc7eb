# The repository `shop`, and a builder without a daemon: buildah as `docker`, with an image whose only program beside
# the shell is an `npm` that remembers a digest of the token it was given.
git init -q shop && cd shop
secretree -q init --name alice
printf 'dev-token' | secretree -q set dev npm.token
mkdir ~/image
cd ~/image
cat > storage.conf <<EOF
[storage]
driver = "vfs"
graphroot = "$HOME/image/storage"
runroot = "$HOME/image/run"
EOF
cat > ../../bin/docker <<EOF
#!/bin/sh
export CONTAINERS_STORAGE_CONF="$HOME/image/storage.conf" BUILDAH_ISOLATION=chroot
exec buildah "\$@"
EOF
chmod +x ../../bin/docker
cp "$(command -v busybox)" sh
printf '#!/bin/sh\nprintf %%s "$NPM_TOKEN" | busybox sha256sum > /seen\n' > npm
chmod +x npm
printf 'FROM scratch\nCOPY sh /bin/busybox\nCOPY sh npm /bin/\n' > Dockerfile
docker build -q -t node:22 . >&2
