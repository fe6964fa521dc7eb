# given: audit
# the block of the page
# The value of now is younger than bob's leaving; the one before and the environment were his.
test "$(grep -c '^  bob ' ../printed)" = 2
grep -q 'could have read it then' ../printed
