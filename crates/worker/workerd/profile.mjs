// How long the Worker itself computes, as Cloudflare counts its CPU: without the runtime around it, and without D1,
// which is a Worker of its own here. By V8's profiler, through the port for debuggers.
//
// A sample is taken about every 185 microseconds while the Worker computes, and tells how long since the one before. After
// a longer time the Worker has waited in between, for D1 or for a request.

/// The most that a sample stands for, in microseconds.
const SAMPLE = 200;

/// Starts and stops the profiler of the Worker behind that port.
export async function profiler(port) {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const { webSocketDebuggerUrl } = targets.find((target) => target.id === "core:user:callbook");
  const socket = new WebSocket(webSocketDebuggerUrl);
  await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(data);
    waiting.get(id)?.(result);
    waiting.delete(id);
  };
  let last = 0;
  const ask = (method, params = {}) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  await ask("Profiler.enable");
  await ask("Profiler.setSamplingInterval", { interval: 100 });
  return {
    start: () => ask("Profiler.start"),
    /// Milliseconds since the start in which the Worker computed.
    stop: async () => computed((await ask("Profiler.stop")).profile),
    close: () => socket.close(),
  };
}

/// "(program)" and "(idle)" are what the runtime does, and waiting.
function computed({ nodes, samples, timeDeltas }) {
  const outside = new Set(
    nodes.filter(({ callFrame }) => ["(program)", "(idle)", "(root)"].includes(callFrame.functionName)).map(({ id }) => id),
  );
  const inside = samples.map((node, at) => (outside.has(node) ? 0 : Math.min(timeDeltas[at], SAMPLE)));
  return inside.reduce((sum, microseconds) => sum + microseconds, 0) / 1000;
}
