"""What the acceptance tests share: the gateway as a process, senders, and a mesh of real proxies."""
