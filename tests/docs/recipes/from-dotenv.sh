# given: dotenv
# the block of the page
test "$(secretree get dev DATABASE_PASSWORD)" = 'dev $word'
test "$(secretree get prod DATABASE_PASSWORD)" = 'p "quoted" # word'
secretree run prod -- printenv SMTP_HOST | grep -qx mail.example.com
grep -qxF 'p "quoted" # word' ../printed
