"""The Grafana dashboards, one a module. Every metric they name stands in monitor/catalogue.py; a test sees to it."""
