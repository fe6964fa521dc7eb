# given: audit
git switch -q -c topic
printf 'sk_live_4' | secretree -q set prod stripe.key
secretree -q grant bob prod
git commit -q -a -m 'bob comes back'
# the block of the page
grep -q 'stripe.key' ../printed
grep -q 'bob' ../printed
! grep -q 'sk_live' ../printed
