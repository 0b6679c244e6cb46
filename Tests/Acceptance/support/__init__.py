"""What the acceptance tests share: the gateway as a process, senders, real proxies."""
