# given: dotenv
# the block of the page
git show --stat --format=%s | grep -q 'secrets/dev.yaml'
secretree run dev -- printenv SMTP_HOST | grep -qx localhost
