# given: audit
# the block of the page
grep -q '3 versions of values, 1 of them current' ../printed
grep -q 'current  prod:session.secret' ../printed
