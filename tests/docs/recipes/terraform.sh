# optional: terraform
export CHECKPOINT_DISABLE=1
cat > main.tf <<'EOF'
variable "database_password" {
  type      = string
  sensitive = true
}
output "digest" {
  value = nonsensitive(sha256(var.database_password))
}
EOF
# the block of the page
digest=$(secretree get prod database.password | sha256sum | cut -d' ' -f1)
test "$(terraform output -raw digest)" = "$digest"
