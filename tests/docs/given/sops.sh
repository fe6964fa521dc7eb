# A repository with sops files under two rules, whose keys are named by comments and anchors.
mkdir -p ~/.config/sops/age
age-keygen -o ~/.config/sops/age/keys.txt 2> /dev/null
age-keygen -o bob.txt 2> /dev/null
git init -q shop && cd shop
mkdir secrets
cat > .sops.yaml <<EOF
keys:
  - &bob $(age-keygen -y ../bob.txt)
creation_rules:
  - path_regex: secrets/prod\.sops\.yaml$
    age:
      - $(age-keygen -y ~/.config/sops/age/keys.txt) # alice
  - path_regex: secrets/dev\.sops\.yaml$
    key_groups:
      - age:
          - $(age-keygen -y ~/.config/sops/age/keys.txt) # alice
          - *bob
EOF
printf 'database:\n  # the application, not the owner\n  password: p$w "quoted"\n' > secrets/prod.sops.yaml
printf 'database:\n  password: dev\n  port: 5432\n' > secrets/dev.sops.yaml
sops encrypt -i secrets/prod.sops.yaml
sops encrypt -i secrets/dev.sops.yaml
git add .
git commit -q -m 'secrets with sops'
