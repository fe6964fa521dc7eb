# given: teams
# the block of the page
secretree list billing/prod | grep -q stripe.key
secretree run billing/prod -- printenv STRIPE_KEY
