"""What people look at: the status page, Grafana dashboards, Prometheus rules. No arithmetic."""
