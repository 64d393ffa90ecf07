// Runs a build of the Worker on workerd, with D1 databases in a folder. What the Worker does is not here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

const { values: given } = parseArgs({
  options: {
    build: { type: "string" }, // the folder that workerd/build made
    data: { type: "string" }, // where the databases are
    port: { type: "string", default: "0" },
    books: { type: "string", default: "0" }, // how many databases beside DB: book-0 and so on
    secret: { type: "string", multiple: true, default: [] }, // NAME=value, of what [vars] has too
    date: { type: "string" }, // compatibility date
    inspector: { type: "string" }, // the port for a debugger or profiler
  },
});

const module = (type, name) => ({
  type,
  path: join(given.build, name),
  contents: readFileSync(join(given.build, name), type === "ESModule" ? "utf8" : null),
});
const books = Array.from({ length: Number(given.books) }, (_, n) => [`book-${n}`, `book-${n}`]);
const secrets = given.secret.map((text) => [text.split("=", 1)[0], text.slice(text.indexOf("=") + 1)]);

const runtime = new Miniflare(
  convertV4MiniflareOptions({
    name: "callbook",
    modules: [module("ESModule", "index.js"), module("CompiledWasm", "index_bg.wasm")],
    modulesRoot: given.build,
    compatibilityDate: given.date,
    bindings: Object.fromEntries(secrets),
    d1Databases: { DB: "DB", ...Object.fromEntries(books) },
    resourcePersistencePath: given.data,
    host: "127.0.0.1",
    port: Number(given.port),
    ...(given.inspector && { inspectorPort: Number(given.inspector) }),
    // Nothing is asked of Cloudflare.
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    unsafeTriggerHandlers: true, // /cdn-cgi/local/scheduled runs the cron
    log: new Log(LogLevel.WARN),
  }),
);
const url = await runtime.ready;
console.log(url.origin);

const stop = async () => {
  await runtime.dispose();
  process.exit(0);
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
// Whoever started this may have died without a word.
if (process.env.CALLBOOK_PARENT) {
  setInterval(() => {
    try {
      process.kill(Number(process.env.CALLBOOK_PARENT), 0);
    } catch {
      stop();
    }
  }, 1000);
}
