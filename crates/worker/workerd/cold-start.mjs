// The processor time of workerd from its start to its first answer: with the Worker, and with one that does
// nothing; the median of eleven starts each. Usage: node cold-start.mjs BUILD
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";
import { cpu, workerdOf } from "./cpu.mjs";

const build = process.argv[2];
const file = (name, encoding) => readFileSync(join(build, name), encoding);
const empty = { type: "ESModule", path: "index.js", contents: "export default { fetch: () => new Response() }" };
const ours = [
  { type: "ESModule", path: "index.js", contents: file("index.js", "utf8") },
  { type: "CompiledWasm", path: "index_bg.wasm", contents: file("index_bg.wasm") },
];

async function start(modules) {
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      name: "callbook", modules, modulesRoot: "/", compatibilityDate: "2026-11-17",
      bindings: { JWT_SECRET: "a secret of more than thirty-two bytes" },
      d1Databases: { DB: "DB" }, cf: false, telemetry: { enabled: false }, log: new Log(LogLevel.ERROR),
    }),
  );
  const url = await runtime.ready;
  const response = await fetch(new URL("/nowhere", url));
  await response.text();
  const took = cpu(workerdOf(process.pid));
  await runtime.dispose();
  return took;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const took = { empty: [], ours: [] };
for (let n = 0; n < 11; n++) {
  took.empty.push(await start([empty]));
  took.ours.push(await start(ours));
}
const [without, with_] = [median(took.empty), median(took.ours)];
console.log(JSON.stringify({ empty_ms: without, worker_ms: with_, beyond_ms: with_ - without }));
