# Behind the import from the forge: addresses for both, and bob's account is closed.
sed -i 's/^  alice:/&\n    email: alice@example.com/; s/^  bob-l:/&\n    email: bob@example.com/' .secrets.yaml
echo 'Authorization: Bearer x' > ../scim-token
curl() {
    cat <<EOF
{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 2, "itemsPerPage": 2, "Resources": [
  {"id": "1", "userName": "alice@example.com", "active": true, "emails": [{"value": "Alice@example.com", "primary": true}]},
  {"id": "2", "userName": "bob@example.com", "active": false}]}
EOF
}
# the block of the page
grep -q 'developers: \[alice\]' .secrets.yaml
secretree recipient show bob-l > ../bob
not grep -q grants ../bob
