# The types of an input.
# The sections of input/v1 and the type of each field, as `policies/schemas/input-v1.json` has them.

package casewright.access

import rego.v1

_types := {
	"input": {
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
	},
	"principal": {
		"id": "string",
		"tenant": "string",
		"roles": "array",
		"clearance": "string",
		"labels": "array",
		"authentication": "string",
		"authenticated_at": "number",
	},
	"actor": {
		"kind": "string",
		"agent": "string",
		"run_id": "string",
		"case_id": "string",
		"step": "string",
		"scopes": "array",
	},
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
		"sealed": "boolean",
		"assigned_to": "array",
		"conflicts": "array",
		"state": "string",
		"author": "string",
		"action": "string",
		"amount_minor": "number",
		"run_id": "string",
	},
	"context": {"now_ns": "number", "step": "number", "budgets": "object", "controls": "object", "release": "string"},
	"context.budgets": {"tool_calls": "number", "steps": "number"},
	"context.controls": {"version": "number", "switches": "object", "limits": "object"},
	"context.controls.switches": {
		"everything": "boolean",
		"tools": "array",
		"agents": "array",
		"models": "array",
		"tenants": "array",
	},
}

_given["input"] := input

_given["principal"] := input.principal

_given["actor"] := input.actor

_given["tool"] := input.tool

_given["resource"] := input.resource

_given["context"] := input.context

_given["context.budgets"] := input.context.budgets

_given["context.controls"] := input.context.controls

_given["context.controls.switches"] := input.context.controls.switches
