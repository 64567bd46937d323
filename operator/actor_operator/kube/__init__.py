"""All traffic with the Kubernetes API: one client, its errors, and a file per kind."""
