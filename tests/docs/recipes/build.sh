# needs: buildah busybox
# given: build
# the block of the page
container=$(docker from shop)
docker run "$container" sh -c 'read digest rest < /seen; echo "$digest"' > seen
test "$(cat seen)" = "$(printf dev-token | sha256sum | cut -d' ' -f1)"
not grep -rq dev-token ~/image/storage
