# The types of an input.
# The sections of input/v1 and the type of each field, as `policies/schemas/input-v1.json` has them.

package casewright.access

import rego.v1

_types := {
	"principal": {
		"id": "string",
		"tenant": "string",
		"roles": "array",
		"clearance": "string",
		"labels": "array",
		"authentication": "string",
		"authenticated_at": "number",
	},
	"actor": {"kind": "string", "agent": "string", "run_id": "string", "case_id": "string", "scopes": "array"},
	"tool": {
		"server": "string",
		"kind": "string",
		"name": "string",
		"verb": "string",
		"risk": "string",
		"definition_hash": "string",
	},
	"resource": {
		"kind": "string",
		"exists": "boolean",
		"id": "string",
		"tenant": "string",
		"team": "string",
		"classification": "string",
		"assigned_to": "array",
		"conflicts": "array",
		"state": "string",
		"author": "string",
		"action": "string",
		"amount_minor": "number",
		"run_id": "string",
	},
	"context": {"now_ns": "number", "step": "number", "tool_calls": "number", "release": "string"},
}

_top_types := {
	"schema": "string",
	"mode": "string",
	"principal": "object",
	"actor": "object",
	"tool": "object",
	"resource": "object",
	"context": "object",
	"arguments": "object",
	"arguments_digest": "string",
	"provenance": "object",
}
