# needs: docker-compose
# the block of the page
secretree run dev -- docker-compose config | grep -qx '      DATABASE_PASSWORD: dev-password'
not docker-compose config
