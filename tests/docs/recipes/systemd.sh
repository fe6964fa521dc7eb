# needs: systemd-creds
export SYSTEMD_CREDENTIAL_SECRET="$HOME/host.secret"
# the block of the page
test "$(systemd-creds decrypt database-password -)" = "$(secretree get prod database.password)"
not grep -q HOME database-password
