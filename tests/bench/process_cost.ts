import { childrenOf } from "../support/process_tree.ts";

/** Milliseconds of a clock tick: USER_HZ is 100 on every Linux that Deno runs on. */
const TICK_MS = 10;

/**
 * Returns the CPU time of a process and of its ended children, user and system, in milliseconds. The
 * resolution is 10 ms, so the figure of a short run is inaccurate.
 */
export function cpuOf(pid: number): number {
  // The name of the program is in parentheses and can itself contain parentheses.
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), where the state is the third.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

/** Adds up {@linkcode cpuOf} of a process and its running children. Skips a child that has just ended. */
export async function cpuOfTree(pid: number): Promise<number> {
  let sum = 0;
  for (const child of await childrenOf(pid)) {
    try {
      sum += cpuOf(child);
    } catch {
      // It has ended, and its time is counted with its parent's.
    }
  }
  return sum + cpuOf(pid);
}

/** Returns the peak resident memory of a process, in MiB. */
export function peakMemoryOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024;
}
