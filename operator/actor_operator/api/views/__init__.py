"""What the operator reads of cluster objects: lean structs, decoded straight from watch streams.

They hold only the fields that decisions need, which makes them about twenty times cheaper than
full models. They are frozen: whatever wants to change something writes it to the API server.
"""
