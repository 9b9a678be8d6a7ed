# What pint is to ask of these rules beyond its own checks; `make check` runs it where Go is at hand.
rule {
  match {
    kind = "alerting"
  }
  label "severity" {
    required = true
    severity = "bug"
  }
  annotation "summary" {
    required = true
    severity = "bug"
  }
  annotation "runbook_url" {
    required = true
    severity = "bug"
  }
}
