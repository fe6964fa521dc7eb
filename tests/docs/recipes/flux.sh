# needs: sops age-keygen
mkdir -p clusters/prod
age-keygen -o flux.txt 2> flux.pub
FLUX_KEY=$(sed -n 's/.*\(age1\)/\1/p' flux.pub)
# the block of the page
grep -q 'ENC\[AES256_GCM' clusters/prod/shop.yaml
grep -qx '    name: shop' clusters/prod/shop.yaml
value=$(SOPS_AGE_KEY_FILE=flux.txt sops decrypt --extract '["data"]["STRIPE_KEY"]' clusters/prod/shop.yaml)
test "$(printf %s "$value" | base64 -d)" = sk_live_1
