"""Stand-ins, for tests only, for the two Pulumi resource plugins that this project deploys with.

`prefect_bridge` stands for the bridged Prefect provider, `aws` for the Secrets Manager part of the
AWS provider. The Pulumi engine starts them through the executables in `bin`, which a sandbox puts
on PATH. Both answer as the vendors' plugins were recorded to (see tests/contract/recordings), run
only inside a sandbox and talk only to loopback addresses.
"""
