// Measures a server that is new: how long what phones do takes, and, if it is the replay build on workerd, how
// many statements and rows of D1 each request has.
//
//   node measure.mjs URL SETUP_TOKEN CONTACTS [PID [INSPECTOR]]
//
// Prints one line of JSON. PID is the server's process, whose CPU is read before and after. INSPECTOR is the port for
// debuggers of dev-workerd: what the Worker itself computes is then told too, and all times are higher.
import http from "node:http";
import { gunzipSync } from "node:zlib";
import { cpu } from "./cpu.mjs";
import { profiler } from "./profile.mjs";

const [url, setupToken, count, pid, inspector] = process.argv.slice(2);
const contacts = Number(count);
const profile = inspector && (await profiler(inspector));
const PASSWORD = "correct horse battery";
const AT_ONCE = 250; // ops of a push, as a phone sends them
const start = Date.now();
const results = { contacts };
let requests = 0;

// Node's fetch takes as long for a small request as the native server does, and an address is read each time.
const { hostname, port } = new URL(url);
const server = { hostname, port, agent: new http.Agent({ keepAlive: true }) };

function send(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...server, method, path, headers }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, parts }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function ask(method, path, token, body, more = {}) {
  requests += 1;
  const headers = { ...more, "replay-now": String(start + requests), "replay-seed": requests.toString(16).padStart(64, "0") };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-length"] = Buffer.byteLength(body);
  const answer = await send(method, path, headers, body);
  if (answer.status >= 400 && ![404, 503].includes(answer.status)) {
    throw new Error(`${method} ${path}: ${answer.status} ${bytes(answer).toString().slice(0, 300)}`);
  }
  const cost = answer.headers["replay-cost"];
  return { ...answer, cost: cost && JSON.parse(cost) };
}

const bytes = ({ parts }) => Buffer.concat(parts);
const json = (answer) => JSON.parse(bytes(answer).toString());
const id = (n) => {
  const hex = (start - 1_000_000_000 + n).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`;
};

async function logIn() {
  const device = { name: "measure", platform: "node" };
  const answer = json(await ask("POST", "/login", null, JSON.stringify({ username: "ann", password: PASSWORD, device })));
  return { token: answer.access_token, refresh: answer.refresh_token, seq: 0 };
}

/// The body of a push of these contacts, made before it is measured.
function body(phone, contacts, name) {
  const ops = contacts.map((n) => ({
    op_seq: ++phone.seq, op_id: `op-${phone.seq}`, op: "put", id: id(n), base_rev: 0,
    set: { name: name ?? `Contact ${n}`, organization: "Example" },
    add: name ? {} : { phones: [{ number: `+1212${String(2_000_000 + n)}`, type: "mobile" }] },
  }));
  const at = new Date(start + requests).toISOString();
  return JSON.stringify({ region: "US", sent_at: at, as_of: at, complete: true, ops });
}

const used = () => (pid ? cpu(pid) : 0);

/// Runs something so often, and notes the median of its time, its CPU and its cost on D1. What `run` gives is looked
/// at by `check`, whose time does not count.
async function measure(name, times, work) {
  const took = [];
  let [cost, computed, asked] = [undefined, 0, 0];
  const before = used();
  for (let n = 0; n < times; n++) {
    const prepared = work.prepare ? await work.prepare(n) : n;
    const askedBefore = requests;
    await profile?.start();
    const from = performance.now();
    const ran = await work.run(prepared);
    took.push(performance.now() - from);
    cost = work.check ? work.check(ran) : ran;
    computed += (await profile?.stop()) ?? 0;
    asked += requests - askedBefore;
  }
  took.sort((a, b) => a - b);
  results[name] = {
    ms: took[took.length >> 1],
    cpu_ms: pid ? (used() - before) / times : undefined,
    worker_ms_a_request: profile && computed / asked,
    ...cost,
  };
}

const sum = (costs) => {
  const known = costs.filter(Boolean);
  if (known.length === 0) return {};
  const add = (key) => known.reduce((total, cost) => total + cost[key], 0);
  const most = Math.max(...known.map((cost) => cost.statements));
  return { requests: known.length, statements_a_request: most, rows_read: add("rows_read"), rows_written: add("rows_written") };
};

await ask("POST", "/setup", null, JSON.stringify({ setup_token: setupToken, username: "ann", password: PASSWORD }));
await measure("sign_in", 5, { run: async () => {
  const device = { name: "measure", platform: "node" };
  return sum([(await ask("POST", "/login", null, JSON.stringify({ username: "ann", password: PASSWORD, device }))).cost]);
} });
const [ann, bob] = [await logIn(), await logIn()];

await measure("first_push", 1, {
  prepare: () => Array.from({ length: Math.ceil(contacts / AT_ONCE) }, (_, part) => {
    const count = Math.min(AT_ONCE, contacts - part * AT_ONCE);
    return body(ann, Array.from({ length: count }, (_, n) => part * AT_ONCE + n));
  }),
  run: async (bodies) => {
    const costs = [];
    for (const body of bodies) costs.push((await ask("POST", "/sync/contacts", ann.token, body)).cost);
    return sum(costs);
  },
});

const PACKED = { "accept-encoding": "gzip" };

/// Page after page, each to its last byte. Of each only the end is looked at, where the cursor stands: the time is
/// the server's and the connection's, as far as a client here allows.
async function pull(phone, cursor, { encoding = {}, limit = 2_000 } = {}) {
  const [costs, pages] = [[], []];
  let more = true;
  while (more) {
    const query = `limit=${limit}${cursor ? `&cursor=${cursor}` : ""}`;
    const answer = await ask("GET", `/sync/contacts?${query}`, phone.token, undefined, encoding);
    const parts = answer.headers["content-encoding"] === "gzip" ? [gunzipSync(bytes(answer))] : answer.parts;
    const end = bytes({ parts: parts.slice(-2) }).subarray(-1_000).toString("latin1");
    more = end.includes('"has_more":true');
    cursor = end.match(/"cursor":"([^"]*)"/)[1];
    costs.push(answer.cost);
    pages.push({ parts });
  }
  return { cursor, pages, cost: sum(costs) };
}

const rows = ({ pages }) => pages.reduce((rows, page) => rows + json(page).contacts.length, 0);

let cursor;
// The second is how phones ask.
for (const [name, how] of [["first_pull", {}], ["first_pull_by_500", { limit: 500 }], ["first_pull_packed", { encoding: PACKED }]]) {
  // So often that the client is compiled: before that it takes half as long as the server.
  await measure(name, profile ? 5 : 15, {
    run: () => pull(bob, undefined, how),
    check: (pulled) => {
      if (rows(pulled) !== contacts) throw new Error(`${rows(pulled)} of ${contacts} contacts pulled`);
      cursor = pulled.cursor;
      return pulled.cost;
    },
  });
}
await measure("one_change_pushed", 20, {
  prepare: (n) => body(ann, [n], `Other ${n}`),
  run: async (body) => sum([(await ask("POST", "/sync/contacts", ann.token, body)).cost]),
});
cursor = (await pull(bob, cursor)).cursor;
await measure("one_change_pulled", 50, {
  prepare: (n) => ask("POST", "/sync/contacts", ann.token, body(ann, [n % contacts], `Another ${n}`)),
  run: () => pull(bob, cursor),
  check: (pulled) => {
    if (rows(pulled) !== 1) throw new Error(`${rows(pulled)} rows for one change`);
    cursor = pulled.cursor;
    return pulled.cost;
  },
});
await measure("ten_changes_pulled", 5, {
  prepare: (n) => ask("POST", "/sync/contacts", ann.token, body(ann, Array.from({ length: 10 }, (_, m) => m), `Ten ${n}`)),
  run: async () => {
    const pulled = await pull(bob, cursor);
    cursor = pulled.cursor;
    return pulled.cost;
  },
});
await measure("token_refreshed", 10, { run: async () => {
  const answer = await ask("POST", "/token", null, JSON.stringify({ refresh_token: bob.refresh }));
  bob.refresh = json(answer).refresh_token;
  return sum([answer.cost]);
} });
const call = (n) => ({ phone_number: `+1212${2_000_000 + n}`, timestamp: new Date(start + n).toISOString(), duration: 61, direction: "incoming" });
let calls = json(await ask("GET", "/sync/calls", bob.token)).cursor;
await measure("one_call_pushed", 10, {
  run: async (n) => sum([(await ask("POST", "/sync/calls", ann.token, JSON.stringify({ region: "US", calls: [call(n)] }))).cost]),
});
await measure("ten_calls_pulled", 1, { run: async () => {
  const answer = await ask("GET", `/sync/calls?cursor=${calls}`, bob.token);
  if (json(answer).calls.length !== 10) throw new Error("not ten calls");
  return sum([answer.cost]);
} });
// What a request takes that the server has nothing to do for, beside which the small ones are to be read.
await measure("nothing", 200, { run: () => ask("GET", "/nothing"), check: () => ({}) });
await measure("quiet_pull", 200, { run: async () => (await pull(bob, cursor)).cost });

// Sixteen phones for three seconds: of ten requests one pushes a change.
const phones = [];
for (let n = 0; n < 16; n++) phones.push(await logIn()); // of more than ten at once some are asked to come again
const [took, busy] = [[], { count: 0 }];
const [from, cpuBefore] = [performance.now(), used()];
await Promise.all(phones.map(async (phone, index) => {
  let mine = cursor;
  for (let n = 0; performance.now() - from < 3_000; n++) {
    const isPush = n % 10 === index % 10;
    const sent = isPush ? body(phone, [(index * 997 + n) % contacts], `Mixed ${index} ${n}`) : null;
    const began = performance.now();
    if (isPush) {
      while ((await ask("POST", "/sync/contacts", phone.token, sent)).status === 503) busy.count += 1;
    } else mine = (await pull(phone, mine)).cursor;
    took.push(performance.now() - began);
  }
}));
const wall = performance.now() - from;
took.sort((a, b) => a - b);
results.mixed = {
  requests_a_second: took.length / (wall / 1000),
  ms: took[took.length >> 1],
  p99_ms: took[Math.floor(took.length * 0.99)],
  busy: busy.count,
  cpu_ms: pid ? (used() - cpuBefore) / took.length : undefined,
};
console.log(JSON.stringify(results));
profile?.close();
