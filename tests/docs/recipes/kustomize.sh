# needs: kubectl
mkdir -p overlays/prod
echo 'secretGenerator: [{ name: shop, envs: [secrets.env] }]' > overlays/prod/kustomization.yaml
echo secrets.env > .gitignore
not kubectl kustomize overlays/prod
# the block of the page
value=$(sed -n 's/^  DATABASE_PASSWORD: //p' rendered.yaml | base64 -d)
test "$value" = "$(secretree get prod database.password)"
not test -e overlays/prod/secrets.env
