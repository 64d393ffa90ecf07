// How much processor time a process has had, all its threads together, in milliseconds.
import { readFileSync, readdirSync } from "node:fs";

export function cpu(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = tasks.map((task) => {
    try {
      return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      return 0; // it has ended meanwhile
    }
  });
  return nanoseconds.reduce((sum, n) => sum + n, 0) / 1e6;
}

/// The workerd that a process has started.
export function workerdOf(parent) {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const [, name, rest] = readFileSync(`/proc/${pid}/stat`, "utf8").match(/\((.*)\) (.*)/);
      if (name === "workerd" && Number(rest.split(" ")[1]) === Number(parent)) return Number(pid);
    } catch {
      // it has ended meanwhile
    }
  }
  throw new Error(`process ${parent} has no workerd`);
}
