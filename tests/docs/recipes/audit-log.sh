# given: audit
# the block of the page
grep -q 'prod: changed stripe.key' ../printed
grep -q 'prod: revoked from bob' ../printed
grep -q 'policy: bob may no longer read prod' ../printed
