"use strict";
/* Shows one approval as the ledger holds it. Whatever comes from outside is text: it is put on the page with
   textContent and in no other way. The page decides nothing; it asks the host to call the server's tools. */
(() => {
  const PROTOCOL = "2026-01-26";
  const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\u2800\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;
  const BLANK = /\p{Zs}/u;
  const LETTER = /\p{L}/u;
  const LATIN = /\p{Script=Latin}/u;
  const MIXED = /\p{Script=Cyrillic}|\p{Script=Greek}|\p{Script=Armenian}|\p{Script=Cherokee}|[\uff01-\uff5e]|[\u{1d400}-\u{1d7ff}]/u;
  const SECTIONS = [["answered", "What was answered"], ["why", "Why"], ["evidence", "From what evidence"],
    ["permission", "Under what permission"], ["validation", "With what validation"]];
  const byId = (id) => document.getElementById(id);
  const waiting = new Map();
  let lastId = 0;
  let shown = null;
  let canCall = false;

  function element(tag, parent, className) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    parent.append(made);
    return made;
  }

  function codePoint(character) {
    return "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  }

  /* One text, with what cannot be seen spelled out and letters of other alphabets marked where they stand among
     Latin ones. Returns the code points of those letters. */
  function write(parent, text, lines) {
    const foreign = [];
    for (const word of String(text).split(/(\s)/u)) {
      const mixed = [...word].some((letter) => LETTER.test(letter) && LATIN.test(letter));
      let plain = "";
      const flush = () => { if (plain) parent.append(document.createTextNode(plain)); plain = ""; };
      for (const character of word) {
        if (lines && character === "\n") { plain += character; continue; }
        if (HIDDEN.test(character) || (BLANK.test(character) && character !== " ")) {
          flush();
          element("span", parent, "hidden-character").textContent = codePoint(character);
        } else if (MIXED.test(character) && (mixed || !LETTER.test(character) || character >= "\uff01")) {
          flush();
          const mark = element("span", parent, "foreign-letter");
          mark.textContent = character;
          mark.title = codePoint(character);
          foreign.push(character + " " + codePoint(character));
        } else {
          plain += character;
        }
      }
      flush();
    }
    return foreign;
  }

  function row(body, name, value) {
    const line = element("tr", body);
    const foreign = write(element("th", line, "text"), name, false);
    const text = typeof value === "string" ? value : canonical(value);
    return foreign.concat(write(element("td", line, "text"), text, false));
  }

  /* RFC 8785 for what an approval may hold: text, whole numbers, true, false, null, lists and objects. */
  function canonical(value) {
    if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
    if (value !== null && typeof value === "object") {
      return "{" + Object.keys(value).sort().map((key) => JSON.stringify(key) + ":" + canonical(value[key])).join(",") + "}";
    }
    return JSON.stringify(value) ?? "null";
  }

  const ROUND = [];
  const FIRST = [];
  for (let number = 2; ROUND.length < 64; number += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) prime = false;
    if (!prime) continue;
    const bits = (root) => Math.floor((root - Math.floor(root)) * 4294967296);
    if (FIRST.length < 8) FIRST.push(bits(Math.sqrt(number)));
    ROUND.push(bits(Math.cbrt(number)));
  }

  /* SHA-256 (FIPS 180-4); a sandboxed page has no crypto.subtle. */
  function sha256(text) {
    const message = new TextEncoder().encode(text);
    const length = ((message.length + 8) >> 6) + 1;
    const words = new Uint32Array(length * 16);
    message.forEach((byte, index) => { words[index >> 2] |= byte << (24 - (index % 4) * 8); });
    words[message.length >> 2] |= 0x80 << (24 - (message.length % 4) * 8);
    words[words.length - 1] = message.length * 8;
    const turn = (word, by) => (word >>> by) | (word << (32 - by));
    const state = Uint32Array.from(FIRST);
    for (let block = 0; block < length; block += 1) {
      const w = new Uint32Array(64);
      w.set(words.subarray(block * 16, block * 16 + 16));
      for (let i = 16; i < 64; i += 1) {
        const before = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
        const after = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
        w[i] = w[i - 16] + before + w[i - 7] + after;
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i += 1) {
        const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) >>> 0;
        const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) >>> 0, c, b, a, (one + two) >>> 0];
      }
      [a, b, c, d, e, f, g, h].forEach((word, index) => { state[index] += word; });
    }
    return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
  }

  function showApproval(approval) {
    shown = approval;
    const body = byId("arguments");
    body.replaceChildren();
    byId("about").replaceChildren();
    byId("votes").replaceChildren();
    byId("evidence").hidden = true;
    const call = approval.call;
    let foreign = row(body, "tool", call.server + " / " + call.tool);
    foreign = foreign.concat(row(body, "case", call.case_id));
    for (const name of Object.keys(call.arguments).sort()) foreign = foreign.concat(row(body, name, call.arguments[name]));
    const fits = sha256(canonical(call)) === approval.digest;
    byId("binding").className = fits ? "banner" : "banner bad";
    byId("binding").textContent = fits
      ? "The digest of this approval was computed again from what is shown here, and it fits."
      : "What is shown here does not fit the digest of the approval. Do not decide; read it again elsewhere.";
    byId("warning").hidden = foreign.length === 0;
    byId("warning").textContent = "Letters that look like others: " + [...new Set(foreign)].join(", ");
    const about = [["approval", approval.approval_id], ["state", approval.state], ["asked for by", approval.requested_by],
      ["still needed", `${approval.remaining} of ${approval.quorum}, by ${approval.roles.join(" or ")}`],
      ["until", approval.expires], ["run", approval.run_id], ["digest", approval.digest],
      ["tool definition", call.definition_hash], ["policy revision", call.policy_revision]];
    for (const [name, value] of about) row(byId("about"), name, value);
    for (const vote of approval.votes) {
      const item = element("li", byId("votes"), "text");
      write(item, vote.voter + (vote.approve ? " approves" : " rejects") + (vote.note ? ": " + vote.note : ""), true);
    }
    if (approval.votes.length === 0) element("li", byId("votes")).textContent = "nobody voted yet";
    byId("state").textContent = approval.state === "pending" ? "It waits for people." : `It is ${approval.state}.`;
    byId("decide").disabled = !(canCall && fits && approval.state === "pending");
    byId("again").disabled = !canCall;
    byId("why").disabled = !canCall || !approval.run_id;
    byId("note").textContent = canCall ? "" : "This client lets the page call nothing: decide in the chat, or in the queue.";
    byId("approval").hidden = false;
    byId("queue").hidden = true;
  }

  function showQueue(approvals) {
    const list = byId("approvals");
    list.replaceChildren();
    for (const approval of approvals) {
      const item = element("li", list);
      const open = element("button", item);
      open.type = "button";
      write(open, `${approval.call.tool} on ${approval.case_id}, asked for by ${approval.requested_by}`, false);
      open.addEventListener("click", () => showApproval(approval));
    }
    byId("state").textContent = approvals.length ? `${approvals.length} listed.` : "Nothing is listed.";
    byId("queue").hidden = false;
    byId("approval").hidden = true;
  }

  function showEvidence(explanation) {
    const place = byId("evidence");
    place.replaceChildren();
    for (const [name, title] of SECTIONS) {
      element("h2", place).textContent = title;
      const list = element("ul", place);
      for (const statement of explanation[name] || []) {
        write(element("li", list, "text"), `${statement.text} [${statement.events.join(", ")}]`, true);
      }
    }
    place.hidden = false;
  }

  function isApproval(value) {
    return value && typeof value === "object" && typeof value.digest === "string" && value.call
      && typeof value.call.arguments === "object" && Array.isArray(value.votes) && Array.isArray(value.roles);
  }

  function showResult(result) {
    const content = (result && result.structuredContent) || {};
    if (isApproval(content)) showApproval(content);
    else if (isApproval(content.approval)) {
      showApproval(content.approval);
      if (typeof content.how === "string") { byId("note").textContent = ""; write(byId("note"), content.how, true); }
    } else if (Array.isArray(content.approvals)) showQueue(content.approvals.filter(isApproval));
    else if (Array.isArray(content.answered)) showEvidence(content);
    else {
      const said = ((result && result.content) || []).filter((block) => block && block.type === "text");
      byId("state").textContent = "";
      write(byId("state"), said.length ? said.map((block) => block.text).join("\n") : "The answer holds no approval.", true);
    }
  }

  function post(message) {
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  function request(method, params) {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      post({ id, method, params });
    });
  }

  async function call(button, name, given) {
    button.disabled = true;
    try {
      showResult(await request("tools/call", { name, arguments: given }));
    } catch (error) {
      byId("note").textContent = "";
      write(byId("note"), "It could not be done: " + error.message, true);
    } finally {
      if (button.id !== "decide") button.disabled = false;
      else if (shown) button.disabled = !(canCall && shown.state === "pending" && sha256(canonical(shown.call)) === shown.digest);
    }
  }

  window.addEventListener("message", (event) => {
    const message = event.data;
    if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") return;
    if (message.method === undefined && waiting.has(message.id)) {
      const { resolve, reject } = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) reject(new Error(String(message.error.message)));
      else resolve(message.result);
    } else if (message.method === "ui/notifications/tool-result") showResult(message.params);
    else if (message.method === "ui/notifications/tool-cancelled") byId("state").textContent = "The call was cancelled.";
    else if (message.method === "ui/notifications/host-context-changed") theme(message.params);
    else if (message.id !== undefined && (message.method === "ping" || message.method === "ui/resource-teardown")) {
      post({ id: message.id, result: {} });
    } else if (message.id !== undefined && message.method !== undefined) {
      post({ id: message.id, error: { code: -32601, message: "Method not found" } });
    }
  });

  function theme(context) {
    if (context && (context.theme === "dark" || context.theme === "light")) document.documentElement.dataset.theme = context.theme;
  }

  byId("decide").addEventListener("click", () => call(byId("decide"), "decide_approval", { approval_id: shown.approval_id }));
  byId("again").addEventListener("click", () => call(byId("again"), "get_approval", { approval_id: shown.approval_id }));
  byId("why").addEventListener("click", () => call(byId("why"), "explain_review", { run_id: shown.run_id }));
  request("ui/initialize", {
    appInfo: { name: "casewright-approval", version: "$version" }, appCapabilities: {}, protocolVersion: PROTOCOL,
  }).then((result) => {
    canCall = Boolean(result && result.hostCapabilities && result.hostCapabilities.serverTools);
    theme(result && result.hostContext);
    post({ method: "ui/notifications/initialized", params: {} });
    new ResizeObserver(() => {
      const { width, height } = byId("main").getBoundingClientRect();
      post({ method: "ui/notifications/size-changed", params: { width: Math.ceil(width), height: Math.ceil(height) } });
    }).observe(byId("main"));
  }, () => { byId("state").textContent = "This client does not speak to the page."; });
})();
