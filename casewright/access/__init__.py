"""Access policies: one total input document in, one decision out, deny in every other case.

`decide` is what the guard calls; `EmbeddedEngine` evaluates the Rego in `policies/` in process;
`checking`, `testing`, `explain`, `replay` and `matrix` are for those who write
it. It is deliberately *not* an enforcement point.
"""
