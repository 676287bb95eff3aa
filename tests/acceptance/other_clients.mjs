// Drives servers with the TypeScript SDK: reads jobs as JSON from standard input, writes what each found as JSON.
// A job: {name, sdk: "handshake" | "modern", url, token} over HTTP, or {name, sdk, command, args, env} over stdio;
// with {oauth: {client, redirect, person}} instead of a token it signs in by the server's own metadata.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { tools, jobs } = JSON.parse(await text(process.stdin));
const resolve = createRequire(join(tools, "..", "package.json")).resolve;
const load = (name) => import(pathToFileURL(resolve(name)));
const SDKS = {
  handshake: async () => ({
    ...(await load("@modelcontextprotocol/sdk/client/index.js")),
    ...(await load("@modelcontextprotocol/sdk/client/stdio.js")),
    ...(await load("@modelcontextprotocol/sdk/client/streamableHttp.js")),
    options: {},
  }),
  modern: async () => ({
    ...(await load("@modelcontextprotocol/client")),
    ...(await load("@modelcontextprotocol/client/stdio")),
    options: { versionNegotiation: { mode: "auto" } },
  }),
};

async function text(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/** Keeps what the SDK is given, and goes through the issuer's page as its person would. */
class Wallet {
  constructor({ client, redirect, person }) {
    Object.assign(this, { redirect, person, known: { client_id: client } });
    this.code = undefined;
  }
  get redirectUrl() {
    return this.redirect;
  }
  get clientMetadata() {
    return { redirect_uris: [this.redirect], token_endpoint_auth_method: "none", client_name: "other-client" };
  }
  clientInformation() {
    return this.known;
  }
  saveTokens(tokens) {
    this.kept = tokens;
  }
  tokens() {
    return this.kept;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
  async redirectToAuthorization(address) {
    const page = await (await fetch(address)).text();
    const request = /name='request' value='([^']+)'/.exec(page)[1].replaceAll("&amp;", "&");
    const body = new URLSearchParams({ request, person: this.person });
    const answer = await fetch(`${address.origin}${address.pathname}`, { method: "POST", body, redirect: "manual" });
    this.returned = new URL(answer.headers.get("location")).searchParams;
    this.code = this.returned.get("code");
  }
}

function transport(sdk, job, wallet) {
  if (job.url === undefined) return new sdk.StdioClientTransport({ command: job.command, args: job.args, env: job.env });
  const requestInit = job.token ? { headers: { authorization: `Bearer ${job.token}` } } : undefined;
  return new sdk.StreamableHTTPClientTransport(new URL(job.url), { requestInit, authProvider: wallet });
}

async function connected(sdk, job) {
  const wallet = job.oauth && new Wallet(job.oauth);
  const client = () => new sdk.Client({ name: "other-client", version: "1" }, sdk.options);
  const first = client();
  const via = transport(sdk, job, wallet);
  try {
    await first.connect(via);
    return [first, wallet];
  } catch (error) {
    if (!wallet?.code) throw error;
    await via.finishAuth(job.sdk === "modern" ? wallet.returned : wallet.code);
  }
  const second = client();
  await second.connect(transport(sdk, job, wallet));
  return [second, wallet];
}

async function driven(job) {
  const sdk = await SDKS[job.sdk]();
  const [client, wallet] = await connected(sdk, job);
  try {
    const listed = (await client.listTools()).tools;
    const chosen = listed.find((tool) => tool.annotations?.readOnlyHint && !tool.inputSchema.required?.length);
    const answer = await client.callTool({ name: chosen.name, arguments: {} });
    // With a token of an issuer, a tool outside its scope is answered with 403, and the SDK goes to sign in again.
    const refused = wallet ? undefined : await client.callTool({ name: "no_such_tool", arguments: {} });
    const { resourceTemplates } = await client.listResourceTemplates();
    return {
      name: job.name,
      server: client.getServerVersion()?.name,
      version: client.getNegotiatedProtocolVersion?.() ?? "",
      tools: listed.map((tool) => tool.name),
      templates: resourceTemplates.map((template) => template.uriTemplate),
      called: chosen.name,
      structured: answer.structuredContent ?? null,
      failed: answer.isError ?? false,
      refused: refused?.content[0].text ?? "",
      signedIn: Boolean(wallet?.kept?.access_token),
    };
  } finally {
    await client.close();
  }
}

const found = [];
for (const job of jobs) {
  try {
    found.push(await driven(job));
  } catch (error) {
    found.push({ name: job.name, error: String(error?.stack ?? error) });
  }
}
process.stdout.write(JSON.stringify(found));
