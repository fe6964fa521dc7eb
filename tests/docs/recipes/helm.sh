# needs: helm
mkdir -p chart/templates
printf 'apiVersion: v2\nname: shop\nversion: 1.0.0\n' > chart/Chart.yaml
cat > chart/templates/secret.yaml <<'EOF'
apiVersion: v1
kind: Secret
metadata:
  name: shop
stringData:
  DATABASE_PASSWORD: {{ .Values.database.password | quote }}
EOF
# the block of the page
grep -qF "1 chart(s) linted, 0 chart(s) failed" ../printed
secretree decrypt prod --merged | helm template shop ./chart --values - > rendered
grep -qF 'DATABASE_PASSWORD: "a \"b\" $HOME \\n #c"' rendered
