# A repository of services, each with an environment of its own from one line of the policy.
git init -q shop && cd shop
mkdir -p services/billing services/mail
secretree -q init --name alice
sed -i '/^environments:/,$d' .secrets.yaml
cat >> .secrets.yaml <<EOF
groups: { team-billing: [alice], team-mail: [alice] }
environments:
  dev: { file: secrets/dev.yaml, readers: [team-billing, team-mail] }
  prod: { file: "services/{service}/secrets/prod.yaml", readers: ["team-{service}"] }
EOF
rm secrets/prod.yaml
secretree -q apply
